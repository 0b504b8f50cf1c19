//! The example `mnist_parallel` over MPI: a rank that is killed, and ranks with other data.

#[path = "../examples/mnist_parallel/main.rs"]
#[allow(dead_code, reason = "the example's own main")]
mod mnist_parallel;
mod processes;

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

/// Starts the example with four processes.
fn start(arguments: &[&str]) -> Child {
    let options = format!("--launcher-options={}", OPTIONS.join(" "));
    let all = [arguments, &["--processes", "--ranks=4", &options]].concat().join("\n");
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

/// Kills a rank after the first checkpoint. Whether there was still one.
fn disturb(example: &Child, folder: &Path, victim: usize) -> bool {
    let started = Instant::now();
    while newest(folder).is_none() && started.elapsed() < Duration::from_secs(120) {
        thread::sleep(Duration::from_millis(5));
    }
    let ranks = ranks_of(example.id());
    if ranks.len() == 4 {
        kill(&ranks[victim].to_string()).unwrap();
    }
    ranks.len() == 4
}

/// A run of a mode with a folder for its checkpoints, one rank of which is killed if so said: accuracy, and the model.
fn run(mode: &str, victim: Option<usize>) -> (f64, State) {
    // A run that ends before it is killed is made again.
    std::iter::repeat_with(|| run_once(mode, victim)).take(10).flatten().next().expect("a run that is killed")
}

fn run_once(mode: &str, victim: Option<usize>) -> Option<(f64, State)> {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join(mode);
    let arguments = [
        format!("--mode={mode}"),
        "--synthetic=300".into(),
        "--epochs=8".into(),
        "--batch=20".into(),
        "--rate=0.004".into(),
        format!("--checkpoints={}", folder.path().display()),
        "--restarts=2".into(),
    ];
    let begun = Instant::now();
    let example = start(&arguments.each_ref().map(String::as_str));
    let hit = victim.is_some_and(|victim| disturb(&example, &checkpoints, victim));
    let (well, text) = end(example);
    assert!(well, "{text}");
    let restarts = text.matches("it is started again").count();
    let reached = accuracies(&text)[0].1;
    println!(
        "{mode}, killed: {victim:?}: {restarts} restarts, {reached} %, {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(restarts <= usize::from(hit), "{text}");
    if victim.is_some() && restarts == 0 {
        return None;
    }
    let state = checkpoint::read(newest(&checkpoints).expect("a checkpoint")).unwrap();
    Some((reached, state.child("params").unwrap().clone()))
}

#[test]
fn a_rank_that_is_killed_changes_no_bit_of_the_deterministic_mode() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    let undisturbed = run("deterministic", None);
    for victim in [0, 3] {
        assert!(run("deterministic", Some(victim)) == undisturbed, "rank {victim}");
    }
}

/// Their result depends on the moment: they tell five times as many digits as chance does.
#[test]
fn modes_that_are_not_deterministic_go_on_after_a_kill() {
    if !has_mpirun() {
        return;
    }
    let _one = one_job();
    for (mode, victim) in [("async", 1), ("local", 0)] {
        let (reached, _) = run(mode, Some(victim));
        assert!(reached >= 50.0, "{mode}: {reached} %");
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
