//! Programs of tests that start themselves under `mpirun`.

use std::process::{Command, Stdio};

use wengert_distributed::Failure;

/// Options of Open MPI under which a test may run: as root in a container, with more ranks than cores, of which those that wait let
/// others work; one that takes ten minutes hangs, on however busy a machine.
pub(crate) const OPTIONS: [&str; 7] =
    ["--allow-run-as-root", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "--timeout", "600"];

/// Arguments of this program for one rank.
pub(crate) const RANK: [&str; 4] = ["--ignored", "--exact", "rank", "--nocapture"];

pub(crate) fn has_mpirun() -> bool {
    let found = Command::new("mpirun").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no mpirun");
    }
    found
}

pub(crate) fn kill(process: &str) -> Result<(), Failure> {
    Command::new("kill").args(["-9", process]).stderr(Stdio::null()).status()?;
    Ok(())
}
