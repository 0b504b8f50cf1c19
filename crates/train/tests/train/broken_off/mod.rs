//! Runs drawn at random, broken off anywhere once or several times, end in the bits of those that were not.
//!
//! `WENGERT_RANDOM_RUNS` sets the number of runs, 60 by default, and `WENGERT_RANDOM_SEED` the first one's seed.

mod plan;
mod program;

use std::panic::{AssertUnwindSafe, catch_unwind};

use plan::Plan;
use program::{Break, End, Ticks, train};
use wengert_tensor::random::Generator;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Where the folders of checkpoints are: in memory, if the system has such a place.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The end of the run of this plan after it was broken off at random, and how often that was.
fn broken_off(plan: &Plan, ticks: u64, random: &mut Generator) -> (Option<End>, Vec<(u64, Break)>) {
    let folder = folder();
    let mut breaks = Vec::new();
    for _ in 0..1 + random.below(3) {
        let how = [Break::Panic, Break::Error, Break::Stop][random.below(3) as usize];
        let at = Some((random.below(ticks), how));
        breaks.extend(at);
        let ticks = Ticks { at, ..Ticks::default() };
        let run = || train(plan, Some(folder.path()), &ticks);
        // A stop that was to be where no batch ends, and a place that is not reached, do not break it off.
        if let Ok(Ok(Some(end))) = catch_unwind(AssertUnwindSafe(run)) {
            return (Some(end), breaks);
        }
    }
    match train(plan, Some(folder.path()), &Ticks::default()) {
        Ok(end) => (end, breaks),
        Err(error) => panic!("{error}, after {breaks:?} of {plan:?}"),
    }
}

/// Where two ends are different.
fn difference(end: &End, whole: &End) -> String {
    let same = [end.params == whole.params, end.critic == whole.critic, end.reason == whole.reason];
    let rows = end.history.len().max(whole.history.len());
    let row = (0..rows).find(|&i| end.history.get(i) != whole.history.get(i));
    let row = row.map(|i| (i, end.history.get(i), whole.history.get(i)));
    format!("params, critic and reason are the same: {same:?}; rows of the history: {row:?}")
}

#[test]
fn random_runs_that_are_broken_off_end_in_the_same_bits() {
    let (runs, first) = (setting("WENGERT_RANDOM_RUNS", 60), setting("WENGERT_RANDOM_SEED", 0));
    let mut failed = Vec::new();
    for seed in first..first + runs {
        let plan = Plan::drawn(seed);
        let ticks = Ticks::default();
        let whole = match train(&plan, None, &ticks) {
            Ok(whole) => whole,
            Err(error) => panic!("{seed}: {error}: {plan:?}"),
        };
        let mut random = Generator::seeded(seed).fork(2);
        let (end, breaks) = broken_off(&plan, ticks.passed.get(), &mut random);
        if end != whole {
            let what = match (&end, &whole) {
                (Some(end), Some(whole)) => difference(end, whole),
                _ => "no end".to_owned(),
            };
            failed.push(format!("{seed}: {breaks:?}: {what}\n  {plan:?}"));
        }
    }
    assert!(failed.is_empty(), "{} of {runs} runs:\n{}", failed.len(), failed.join("\n"));
}
