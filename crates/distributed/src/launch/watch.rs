//! A launcher, watched until it ends.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How a launcher has ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// Whether it had to be killed.
    pub(super) hung: bool,
}

/// Between two looks: short against what a job takes to start.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until the launcher ends, or kills it if it has not ended so long after the last of its ranks; and, as long at most, for ranks
/// that it leaves behind, which would still write while others go on from what is written.
///
/// The mpirun of Open MPI 4.1 may wait for ever for a lock of its own (in `PMIx_server_finalize`, where a rank was killed in
/// `MPI_Init`); a job that is to be started again would not be. One that is killed itself leaves ranks that notice it later. Ranks are
/// seen where the system tells of processes in `/proc`, and the launcher is only killed where all of them were: it cannot be told from
/// here what becomes of those on other hosts.
pub(super) fn wait(
    mut launcher: Child,
    program: &Path,
    ranks: usize,
    patience: Duration,
) -> io::Result<Ended> {
    let Ok(program) = program.canonicalize() else {
        return Ok(Ended { status: launcher.wait()?, hung: false });
    };
    let mut all_seen = false;
    let mut living = Vec::new();
    let mut gone: Option<Instant> = None;
    let ended = loop {
        if let Some(status) = launcher.try_wait()? {
            break Ended { status, hung: false };
        }
        living.clear();
        find(launcher.id(), &program, &mut living);
        all_seen |= living.len() >= ranks;
        if !living.is_empty() || !all_seen {
            gone = None;
        } else if gone.get_or_insert_with(Instant::now).elapsed() > patience {
            launcher.kill()?;
            break Ended { status: launcher.wait()?, hung: true };
        }
        thread::sleep(LOOK);
    };
    let since = Instant::now();
    while living.iter().any(|&rank| runs(rank, &program)) && since.elapsed() < patience {
        thread::sleep(LOOK);
    }
    Ok(ended)
}

/// Adds the processes that run the program, of those that a process has started and those that these have.
fn find(process: u32, program: &Path, found: &mut Vec<u32>) {
    for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            if runs(child, program) {
                found.push(child);
            }
            find(child, program, found);
        }
    }
}

/// Whether it does. A process that has ended, and was not waited for, runs nothing.
fn runs(process: u32, program: &Path) -> bool {
    fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|file| file == program)
}
