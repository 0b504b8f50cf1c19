//! What can go wrong when ranks are started.

use std::fmt::{self, Debug, Display, Formatter};
use std::process::ExitStatus;

use super::Launcher;
use crate::CommunicatorError;

/// Ranks that could not be started. Its `Debug` form is its message, since that is what a `main` that fails prints.
///
/// ```
/// use wengert_distributed::launch::{LaunchError, Launcher};
///
/// let launcher = Launcher { name: "mpirun of Open MPI", size: 4 };
/// let error = LaunchError::WithoutMpi { launcher };
/// assert!(error.to_string().starts_with("mpirun of Open MPI has started 4 ranks"));
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// A launcher has started several processes, and the program knows no MPI: each would train alone.
    #[error(
        "{launcher} has started {} ranks, but this program is built without MPI, and each would train alone: \
         build it with the feature `mpi` of wengert-distributed, or start it without a launcher",
        launcher.size
    )]
    WithoutMpi {
        /// What started them.
        launcher: Launcher,
    },
    /// The launcher belongs to another MPI library than the program.
    #[error(
        "{launcher} has started {} ranks, but {library}, which this program runs with, sees {found}: \
         start it with the mpirun of that library",
        launcher.size
    )]
    OtherMpi {
        /// What started them.
        launcher: Launcher,
        /// The library.
        library: String,
        /// The ranks it sees.
        found: usize,
    },
    /// MPI was ended, which is done when the last communicator is dropped, and cannot be started again.
    #[error(
        "MPI has been ended in this process, and cannot be started again: keep the first world until the end"
    )]
    Ended,
    /// MPI is used by the thread that started it.
    #[error("MPI is used by another thread of this process")]
    OtherThread,
    /// MPI did not start.
    #[error(transparent)]
    Failed(#[from] CommunicatorError),
}

/// A job that did not come to its end. Its `Debug` form is its message, as that of [`LaunchError`].
///
/// ```
/// use wengert_distributed::launch::{Job, JobError};
///
/// let job = Job { launcher: "no-such-mpirun".into(), ..Job::of_this_program(2)? };
/// assert!(matches!(job.run(|_| ()), Err(JobError::NoLauncher { .. })));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A job without ranks, which launchers take for as many as there are cores.
    #[error("a job needs at least 1 rank, not 0")]
    NoRanks,
    /// The launcher could not be started.
    #[error("{launcher} could not be started: {source} (is MPI installed, and {launcher} on the PATH?)")]
    NoLauncher {
        /// The program.
        launcher: String,
        /// Why.
        source: std::io::Error,
    },
    /// The job failed as often as it may.
    #[error("the job failed {attempts} times, at last with {status}; its ranks' messages are above")]
    Failed {
        /// How often it was started.
        attempts: usize,
        /// How the last one ended.
        status: ExitStatus,
    },
}

impl Debug for LaunchError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Debug for JobError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}
