//! One run of one program, and the line that it prints.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// What a race reads of the line of JSON that every program prints for a measurement.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Line {
    /// The median time of a step, in microseconds; null from a program that does not have the workload.
    pub median_us: Option<f64>,
    /// The shortest time of a step, in microseconds.
    pub min_us: Option<f64>,
    /// Floating-point operations that a step cannot do without.
    #[serde(default)]
    pub operations: Option<f64>,
    /// Bytes that a step cannot do without.
    #[serde(default)]
    pub bytes: Option<f64>,
    /// What to know about the measurement.
    #[serde(default)]
    pub note: String,
}

impl Line {
    /// The line among what a program printed: the fastest, if it printed several.
    ///
    /// # Errors
    /// If there is none, or none with a time.
    ///
    /// ```
    /// use wengert_benches::race::Line;
    /// let printed = "warming up\n{\"median_us\": 3.0, \"min_us\": 2.5, \"note\": \"variant=fused steps=50\"}\n";
    /// let line = Line::among(printed).unwrap();
    /// assert_eq!((line.median_us, line.variant()), (Some(3.0), Some("fused")));
    /// assert!(Line::among("{\"median_us\": null, \"min_us\": null}").is_err());
    /// ```
    pub fn among(printed: &str) -> Result<Line, RunError> {
        let lines = printed.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let timed = lines.filter(|line| line.median_us.is_some());
        timed
            .min_by(|a, b| a.median_us.partial_cmp(&b.median_us).expect("JSON has no NaN"))
            .ok_or(RunError::NoTime)
    }

    /// Which of several ways was the fastest, if the note says so.
    pub fn variant(&self) -> Option<&str> {
        self.note.split_whitespace().find_map(|word| word.strip_prefix("variant="))
    }
}

/// Why a run gave no time.
#[derive(Debug)]
pub enum RunError {
    /// It could not be started or read.
    Io(std::io::Error),
    /// It took longer than it may.
    Late(Duration),
    /// It ended with an error; the last line of what it wrote about that.
    Failed(ExitStatus, String),
    /// It printed no time: it does not have this workload.
    NoTime,
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunError::Io(error) => write!(f, "cannot be run: {error}"),
            RunError::Late(limit) => write!(f, "stopped after {} s", limit.as_secs()),
            RunError::Failed(status, said) => write!(f, "{status}: {said}"),
            RunError::NoTime => write!(f, "does not have this workload"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> Self {
        RunError::Io(error)
    }
}

/// Runs a program to its end and returns what it printed on its two outputs.
///
/// # Errors
/// If it does not start, takes longer than `limit` (it is stopped then), or ends with an error.
pub fn run(command: &mut Command, limit: Duration) -> Result<[String; 2], RunError> {
    // Files, as a pipe that nobody reads would stop a program that prints much.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = format!("wengert-race-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let paths = ["out", "error"].map(|name| std::env::temp_dir().join(format!("{run}.{name}")));
    let [out, error] = [File::create(&paths[0])?, File::create(&paths[1])?];
    let child = command.stdin(Stdio::null()).stdout(out).stderr(error).spawn();
    let ended = child.map_err(RunError::from).and_then(|child| wait(child, limit));
    let printed = paths.map(|path| {
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        std::fs::remove_file(&path).and(read).map(|_| String::from_utf8_lossy(&bytes).into_owned())
    });
    let status = ended?;
    let [out, error] = printed;
    let (out, error) = (out?, error?);
    if status.success() {
        return Ok([out, error]);
    }
    Err(RunError::Failed(status, error.trim_end().lines().last().unwrap_or("it said nothing").to_owned()))
}

fn wait(mut child: Child, limit: Duration) -> Result<ExitStatus, RunError> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Err(RunError::Late(limit));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_says_when_it_fails_is_told() {
        let limit = Duration::from_secs(20);
        let [out, error] = run(&mut shell("echo a; echo b >&2"), limit).unwrap();
        assert_eq!((out.as_str(), error.as_str()), ("a\n", "b\n"));
        let failed = run(&mut shell("echo first >&2; echo last >&2; exit 3"), limit).unwrap_err();
        assert!(
            matches!(&failed, RunError::Failed(status, said) if status.code() == Some(3) && said == "last")
        );
        let missing = run(&mut Command::new("/there/is/no/such/program"), limit).unwrap_err();
        assert!(matches!(missing, RunError::Io(_)));
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let late = run(&mut shell("sleep 30"), Duration::from_millis(50)).unwrap_err();
        assert!(matches!(late, RunError::Late(_)));
    }
}
