//! Runs that are killed, interrupted or fail at any moment, and go on to the bits of one that was not.
//!
//! The test starts itself as the program that trains. `WENGERT_KILLS` sets the number of kills; 30 by default.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Model, data};
use wengert_nn::Losses;
use wengert_optim::schedule::Cosine;
use wengert_optim::{Adam, Average};
use wengert_state::State;
use wengert_tensor::parallel::set_threads;
use wengert_tensor::random::Generator;
use wengert_train::checkpoint::{self, Checkpoints};
use wengert_train::metric::{Accuracy, Metrics};
use wengert_train::{StopReason, TrainError, Trainer};

/// Where the started program finds its folder, and what it is to do.
const FOLDER: &str = "WENGERT_KILLED_RUN";
const FAIL_AT: &str = "WENGERT_FAIL_AT";
const INTERRUPT_AT: &str = "WENGERT_INTERRUPT_AT";
const THREADS: &str = "WENGERT_KILLED_THREADS";

/// Trains from the newest checkpoint of a folder, with everything that a run remembers, and leaves a file `end` there.
fn train(folder: &Path, [fail_at, interrupt_at]: [Option<u64>; 2]) -> Result<StopReason, TrainError> {
    let (train, test) = data();
    let (mut params, model) = Model::new();
    let mut quality = Metrics::new().with(Accuracy::new());
    let mut run = Trainer::new(&mut params, Adam::new(1e-2))
        .schedule(Cosine::new(1e-2, 60))
        .accumulate(2)
        .average(Average::Exponential { decay: 0.9 })
        .checkpoints(Checkpoints::new(folder).every_steps(3).keep(2))
        .on_interrupt()
        .resume()
        .start()?;
    for epoch in run.epochs(15)? {
        for (images, labels) in epoch.batches(train.batches(16).shuffled(5))? {
            assert!(Some(run.now().step) != fail_at, "a failure that was asked for");
            if Some(run.now().step) == interrupt_at {
                press_ctrl_c();
            }
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
        }
        run.validate("validation", test.batches(20), &mut quality, |cx, (images, labels)| {
            (model.forward(cx, &images), labels)
        })?;
    }
    let finished = run.finish()?;
    if finished.reason != StopReason::Interrupted {
        let end = State::new("end", 0)
            .with_child("params", params.state())
            .with_child("history", State::of(&finished.history)?);
        // It may be killed while it writes this, too.
        std::fs::write(folder.join("ending"), serde_json::to_string(&end).unwrap()).unwrap();
        std::fs::rename(folder.join("ending"), folder.join("end")).unwrap();
    }
    Ok(finished.reason)
}

/// What the terminal does, and some time until the program has noticed.
fn press_ctrl_c() {
    let id = std::process::id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(200));
}

/// The program that is started by the other tests; nothing without them.
#[test]
fn started_program() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    if let Ok(threads) = std::env::var(THREADS) {
        set_threads(threads.parse().unwrap()).unwrap();
    }
    let at = [FAIL_AT, INTERRUPT_AT].map(|name| std::env::var(name).ok().map(|step| step.parse().unwrap()));
    train(Path::new(&folder), at).unwrap();
}

fn start(folder: &Path, settings: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::started_program", "--nocapture"])
        .env(FOLDER, folder)
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(folder: &Path) -> Option<State> {
    let text = std::fs::read_to_string(folder.join("end")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// How the run ends that nothing happens to, and how long it takes.
fn undisturbed() -> (State, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Instant::now();
    assert!(start(folder.path(), &[]).wait().unwrap().success());
    (end(folder.path()).unwrap(), clock.elapsed())
}

/// Every checkpoint in the folder can be read whole.
fn all_load(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
    files.iter().for_each(|path| drop(checkpoint::read(path).unwrap()));
    files.len()
}

#[test]
fn a_killed_run_ends_in_the_same_bits() {
    let kills: u32 = std::env::var("WENGERT_KILLS").map_or(30, |n| n.parse().unwrap());
    let (whole, time) = undisturbed();
    let mut random = Generator::seeded(11);
    let (mut done, mut seen) = (0, 0);
    while done < kills {
        let folder = tempfile::tempdir().unwrap();
        // Killed over and over until it is through: with one thread, and with two.
        let mut ended = None;
        for attempt in 0..11 {
            let mut program = start(folder.path(), &[(THREADS, ["1", "2"][attempt % 2])]);
            // After many kills it is let through.
            if attempt < 10 {
                std::thread::sleep(time.mul_f64(random.uniform()));
                program.kill().unwrap();
                done += 1;
            }
            program.wait().unwrap();
            seen += all_load(folder.path());
            ended = end(folder.path());
            if ended.is_some() {
                break;
            }
        }
        assert!(ended.unwrap() == whole);
    }
    assert!(seen > 0, "there were no checkpoints");
}

#[cfg(all(unix, feature = "interrupt"))]
#[test]
fn an_interrupted_run_ends_in_the_same_bits() {
    let (whole, _) = undisturbed();
    // In the middle of epochs of four batches, and at their ends.
    for step in ["0", "1", "4", "17", "40", "58"] {
        let folder = tempfile::tempdir().unwrap();
        assert!(start(folder.path(), &[(INTERRUPT_AT, step)]).wait().unwrap().success());
        assert!(end(folder.path()).is_none(), "the run went on after step {step}");
        assert!(all_load(folder.path()) > 0);
        assert!(start(folder.path(), &[]).wait().unwrap().success());
        assert!(end(folder.path()).unwrap() == whole, "after an interruption at step {step}");
    }
}

#[test]
fn a_run_whose_program_fails_keeps_its_last_step() {
    let (whole, _) = undisturbed();
    for (fail_at, kept) in [("0", 0), ("1", 1), ("5", 5), ("17", 17), ("40", 40)] {
        let folder = tempfile::tempdir().unwrap();
        assert!(!start(folder.path(), &[(FAIL_AT, fail_at)]).wait().unwrap().success());
        all_load(folder.path());
        let store = Checkpoints::new(folder.path()).open(&[]).unwrap();
        match store.newest().unwrap() {
            Some(path) => assert_eq!(checkpoint::read(&path).unwrap().count("step").unwrap(), kept),
            None => assert_eq!(kept, 0),
        }
        assert!(start(folder.path(), &[]).wait().unwrap().success());
        assert!(end(folder.path()).unwrap() == whole, "after a failure at step {fail_at}");
    }
}
