//! A job that is started again when a rank fails.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::Duration;

use super::JobError;
use super::watch::{self, Ended};

/// The environment variable that tells ranks how often their job failed before.
pub const ATTEMPT: &str = "WENGERT_ATTEMPT";

/// How often the job that this rank belongs to has been started again by [`Job::run`]: 0 the first time, and without one. From 1 on, a
/// program goes on from its last checkpoint.
///
/// ```
/// assert_eq!(wengert_distributed::launch::attempt(), 0);
/// ```
pub fn attempt() -> usize {
    env::var(ATTEMPT).ok().and_then(|attempt| attempt.parse().ok()).unwrap_or(0)
}

/// A program to be started as several ranks by `mpirun`, and started again, all ranks together, as often as given when one fails:
/// killed, panicked, or with its host gone.
///
/// A program with options `--ranks` and `--restarts` starts itself so, unless [`Launcher`](super::Launcher) says that it is a rank
/// already:
///
/// ```no_run
/// use wengert_distributed::launch::{Job, Launcher, attempt, run};
///
/// # fn train(ranks: &dyn wengert_distributed::Communicator, resume: bool) {}
/// # let (ranks, restarts) = (4, 3);
/// if ranks > 1 && Launcher::of_this_process().is_none() {
///     Job { restarts, ..Job::of_this_program(ranks)? }.run(|restart| eprintln!("{restart}"))?;
/// } else {
///     run(|ranks| Ok(train(&*ranks, attempt() > 0)))?;
/// }
/// # Ok::<(), wengert_distributed::Failure>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The launcher, `mpirun` unless given.
    pub launcher: OsString,
    /// The number of ranks.
    pub ranks: usize,
    /// The hosts that they run on, one in a line with its slots, as the launcher reads it (`--hostfile`); this one unless given.
    pub hosts: Option<PathBuf>,
    /// More options of the launcher, before the program: `--oversubscribe`, `--bind-to none`.
    pub options: Vec<OsString>,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// How often it may be started again, 0 unless given.
    pub restarts: usize,
    /// How long to wait before it is, so that ports and hosts come free: a second unless given.
    pub pause: Duration,
    /// How long the launcher may take to end after the last of its ranks, before it is killed, and how long ranks may take that it has
    /// left behind: ten seconds unless given. That of Open MPI sometimes waits for ever for itself after ranks that were killed. This is
    /// seen where all ranks run on this machine, and the system tells of processes in `/proc` (Linux); elsewhere it is waited for.
    pub patience: Duration,
}

/// A job that failed and is started again, as [`Job::run`] tells of it.
///
/// ```
/// use wengert_distributed::launch::{Job, Restart};
///
/// // A launcher that fails at once, whatever it is to start.
/// let job = Job { launcher: "false".into(), restarts: 2, pause: Default::default(), ..Job::of_this_program(2)? };
/// let mut left = Vec::new();
/// let failed = job.run(|restart: &Restart| left.push(restart.left));
/// assert!(failed.is_err());
/// assert_eq!(left, [2, 1]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// How often it has failed.
    pub failures: usize,
    /// How often it may be started again, this time included.
    pub left: usize,
    /// How the launcher ended.
    pub status: ExitStatus,
    /// Whether it had to be killed, as it did not end after its ranks had.
    pub hung: bool,
}

impl std::fmt::Display for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { failures, left, status, hung } = self;
        let hung = if *hung { ", as the launcher did not end after its ranks" } else { "" };
        write!(
            f,
            "the job failed ({status}{hung}; failure {failures}); it is started again, {left} of its restarts left"
        )
    }
}

impl Job {
    /// This program with its arguments.
    ///
    /// # Errors
    ///
    /// If the system does not know where the program is.
    pub fn of_this_program(ranks: usize) -> io::Result<Self> {
        Ok(Self {
            launcher: "mpirun".into(),
            ranks,
            hosts: None,
            options: Vec::new(),
            program: env::current_exe()?,
            arguments: env::args_os().skip(1).collect(),
            restarts: 0,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(10),
        })
    }

    /// Runs it to its end, and tells of each restart.
    ///
    /// # Errors
    ///
    /// If there are no ranks, the launcher could not be started, or the job failed once more than it may be started again.
    pub fn run(&self, mut restarting: impl FnMut(&Restart)) -> Result<(), JobError> {
        if self.ranks == 0 {
            return Err(JobError::NoRanks);
        }
        for attempt in 0.. {
            let ended = self.command(attempt).and_then(|mut command| command.spawn());
            let ended =
                ended.and_then(|launcher| watch::wait(launcher, &self.program, self.ranks, self.patience));
            let Ended { status, hung } = ended.map_err(|source| JobError::NoLauncher {
                launcher: self.launcher.to_string_lossy().into_owned(),
                source,
            })?;
            if status.success() {
                break;
            }
            let failures = attempt + 1;
            if failures > self.restarts {
                return Err(JobError::Failed { attempts: failures, status });
            }
            restarting(&Restart { failures, left: self.restarts - attempt, status, hung });
            thread::sleep(self.pause);
        }
        Ok(())
    }

    /// What starts it for the given time.
    fn command(&self, attempt: usize) -> io::Result<Command> {
        let mut command = Command::new(&self.launcher);
        command.arg("-n").arg(self.ranks.to_string());
        if let Some(hosts) = &self.hosts {
            command.arg("--hostfile").arg(hosts);
        }
        // A launcher hands its own variables on to other hosts, and others if it is told so.
        if self.is_open_mpi()? {
            command.arg("-x").arg(format!("{ATTEMPT}={attempt}"));
        } else {
            command.arg("-genv").arg(ATTEMPT).arg(attempt.to_string());
        }
        command.args(&self.options).arg(&self.program).args(&self.arguments);
        Ok(command)
    }

    /// Whether the launcher says that it is. One that cannot be asked cannot start anything either.
    fn is_open_mpi(&self) -> io::Result<bool> {
        let output = Command::new(&self.launcher).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.contains("Open MPI") || text.contains("OpenRTE") || text.contains("PRRTE"))
    }
}
