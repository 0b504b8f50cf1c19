//! The example `mnist_parallel` over MPI: what every mode learns, ranks that are killed, and ranks with other data.

#[path = "../examples/mnist_parallel/main.rs"]
#[allow(dead_code, reason = "the example's own main")]
mod mnist_parallel;
mod processes;

use std::cell::Cell;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use processes::{OPTIONS, RANK, has_mpirun, kill};
use wengert_state::State;
use wengert_train::checkpoint;

/// The command line of the example, divided by line ends.
const ARGUMENTS: &str = "WENGERT_ARGUMENTS";

/// One job at a time.
static ONE_JOB: Mutex<()> = Mutex::new(());

fn one_job() -> MutexGuard<'static, ()> {
    ONE_JOB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The example, as what starts the ranks and as each of them.
#[test]
#[ignore = "the example, which the other tests start"]
fn rank() {
    let arguments = env::var(ARGUMENTS).expect("arguments");
    let arguments = ["mnist_parallel"].into_iter().chain(arguments.lines());
    mnist_parallel::start(&mnist_parallel::Arguments::parse_from(arguments)).unwrap();
}

const RANKS: usize = 4;

/// Starts the example with four processes.
fn start(arguments: &[&str]) -> Child {
    let options = format!("--launcher-options={}", OPTIONS.join(" "));
    let all = [arguments, &["--processes", &format!("--ranks={RANKS}"), &options]].concat().join("\n");
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(RANK).env(ARGUMENTS, all).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end: whether that was a good one, and what it printed.
fn end(example: Child) -> (bool, String) {
    let output = example.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), text.concat())
}

/// The accuracies of the table at the end, in per cent, by the names of the modes.
fn accuracies(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().skip_while(|line| !line.starts_with("mode  ")).skip(1);
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let accuracy = |words: &[&str]| words.get(3)?.strip_suffix('%')?.parse().ok();
    lines.map_while(|words| Some((words.first()?.to_string(), accuracy(&words)?))).collect()
}

/// The newest checkpoint of a mode.
fn newest(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let written = files.filter(|file| file.extension().is_some_and(|kind| kind == "safetensors"));
    written.max_by_key(|file| fs::metadata(file).and_then(|file| file.modified()).ok())
}

/// The processes that descend from one and have started none themselves: the ranks.
fn ranks_of(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children = threads.flat_map(|thread| {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.split_whitespace().map(|child| child.parse().unwrap()).collect::<Vec<u32>>()
    });
    let ranks: Vec<u32> = children.flat_map(ranks_of).collect();
    if ranks.is_empty() { vec![process] } else { ranks }
}

/// Kills a rank at that moment, or as soon as all run if they do not by then. Whether there was still one.
fn disturb(example: &mut Child, victim: usize, moment: Duration) -> bool {
    thread::sleep(moment);
    loop {
        let ranks = ranks_of(example.id());
        if ranks.len() == RANKS {
            kill(&ranks[victim].to_string()).unwrap();
            return true;
        }
        if example.try_wait().unwrap().is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// What came of a run.
struct Reached {
    /// On digits that were not learned from, in per cent.
    accuracy: f64,
    model: State,
    restarts: usize,
    hung: usize,
    took: Duration,
}

/// A run of a mode with a folder for its checkpoints, a rank of which is killed at a moment if so said.
fn run(mode: &str, victim: Option<(usize, Duration)>) -> Reached {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        format!("--mode={mode}"),
        "--synthetic=800".into(),
        "--epochs=8".into(),
        "--batch=40".into(),
        "--rate=0.004".into(),
        format!("--checkpoints={}", folder.path().display()),
        "--restarts=2".into(),
    ];
    let begun = Instant::now();
    let mut example = start(&arguments.each_ref().map(String::as_str));
    let hit = victim.is_some_and(|(victim, moment)| disturb(&mut example, victim, moment));
    let (well, text) = end(example);
    assert!(well, "{mode}, {victim:?}: {text}");
    let restarts = text.matches("it is started again").count();
    assert!(restarts <= usize::from(hit), "{mode}, {victim:?}: {text}");
    let state = checkpoint::read(newest(&folder.path().join(mode)).expect("a checkpoint")).unwrap();
    Reached {
        accuracy: accuracies(&text)[0].1,
        model: state.child("params").unwrap().clone(),
        restarts,
        hung: text.matches("did not end after its ranks").count(),
        took: begun.elapsed(),
    }
}

/// Kills random ranks at random moments of jobs that train: twice, or `WENGERT_KILLS` times. The deterministic mode, every other one,
/// leaves the bits of a run that nobody disturbs, and the others a model that tells as many digits, but for a few that depend on the
/// moment: their ranks go on from an epoch's end with what the first one's optimiser remembers.
#[test]
fn a_rank_that_is_killed_changes_no_bit_or_no_more_than_the_moment_does() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    let kills: usize =
        env::var("WENGERT_KILLS").map_or(2, |kills| kills.parse().expect("WENGERT_KILLS is a number"));
    let mut undisturbed: HashMap<&str, Reached> = HashMap::new();
    let others = ["async", "local", "server", "gossip", "ssp", "elastic", "sync", "diloco", "top-k", "bf16"];
    let modes = others.into_iter().flat_map(|mode| ["deterministic", mode]).cycle();
    let random = Cell::new(7u64);
    let next = |below: u64| {
        random.set(random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        (random.get() >> 33) % below
    };
    let (mut killed, mut hung) = (0, 0);
    for mode in modes {
        let undisturbed = undisturbed.entry(mode).or_insert_with(|| run(mode, None));
        let victim = next(RANKS as u64) as usize;
        let moment = Duration::from_millis(next(undisturbed.took.as_millis() as u64));
        let found = run(mode, Some((victim, moment)));
        // A run that had ended before it could be killed does not count.
        killed += found.restarts;
        hung += found.hung;
        let Reached { accuracy, restarts, took, .. } = found;
        println!(
            "{killed}: {mode}, rank {victim} after {moment:?}: {restarts} restarts, {accuracy} %, undisturbed {} %, {took:?}",
            undisturbed.accuracy
        );
        if mode == "deterministic" {
            assert!(found.model == undisturbed.model, "rank {victim} after {moment:?}: other bits");
        }
        assert!(accuracy >= undisturbed.accuracy - 4.0, "{mode}, rank {victim} after {moment:?}");
        if killed >= kills {
            break;
        }
    }
    println!("{killed} jobs killed, of which {hung} launchers did not end");
}

/// All ways of training, on few digits.
#[test]
fn every_mode_learns_over_mpi() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    let (well, text) = end(start(&[
        "--mode=all",
        "--synthetic=600",
        "--epochs=4",
        "--batch=32",
        "--rate=0.004",
        "--iterations=10",
        "--least=60",
    ]));
    assert!(well, "{text}");
    let modes: Vec<String> = accuracies(&text).into_iter().map(|(mode, _)| mode).collect();
    let all = "sync deterministic server async ssp top-k bf16 local diloco elastic gossip hogwild lbfgs newton-cg trust-region kfac";
    assert_eq!(modes.join(" "), all);
}

/// Where all ranks work on each batch or on the whole loss that is refused, elsewhere those without have nothing to do.
#[test]
fn fewer_examples_than_ranks_are_refused_or_enough() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    for (mode, refusal) in [
        ("sync", Some("3 examples for 4 workers: each needs at least 1, so start fewer")),
        ("lbfgs", Some("has no examples in its part of 8 shards for 4 ranks: start fewer ranks")),
        ("deterministic", Some("3 examples for 4 workers")),
        ("server", None),
        ("async", None),
        ("local", None),
        ("elastic", None),
        ("gossip", None),
    ] {
        let (well, text) = end(start(&[&format!("--mode={mode}"), "--synthetic=3", "--epochs=2"]));
        assert_eq!(well, refusal.is_none(), "{mode}: {text}");
        assert!(text.contains(refusal.unwrap_or("images/s")), "{mode}: {text}");
    }
}

/// The last rank draws one digit more, or others.
#[test]
fn ranks_with_other_data_are_refused() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    for (mode, other, message) in [
        ("async", ["--synthetic=101", "--seed=0"], "number of examples: 101, not 100"),
        ("gossip", ["--synthetic=100", "--seed=1"], "contents of the data: fingerprint"),
    ] {
        let program = env::current_exe().unwrap();
        let mut command = Command::new("mpirun");
        command.args(OPTIONS);
        for (ranks, data) in [("2", ["--synthetic=100", "--seed=0"]), ("1", other)] {
            let arguments = [&[&*format!("--mode={mode}")], &data[..]].concat().join("\n");
            command.args(["-n", ranks, "-x"]).arg(format!("{ARGUMENTS}={arguments}"));
            command.arg(&program).args(RANK);
            if ranks == "2" {
                command.arg(":");
            }
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let message = format!("images to learn from: rank 2 differs from rank 0 in {message}");
        assert!(!output.status.success() && text.contains(&message), "{text}");
    }
}
