//! Jobs of a test's own program, whose ranks say in a folder which processes they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wengert_distributed::Failure;
use wengert_distributed::launch::{self, Job};

use crate::processes::{OPTIONS, RANK};

/// Where a rank writes.
const FOLDER: &str = "WENGERT_FOLDER";

/// The folder of the job that this rank belongs to.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    Ok(env::var(FOLDER)?.into())
}

/// Writes which process the rank is.
pub(crate) fn sign(stage: &str, rank: impl std::fmt::Display) -> Result<(), Failure> {
    let file = format!("{stage}.{}.{rank}", launch::attempt());
    // Whoever reads it reads all of it.
    let writing = folder()?.join(format!("{file}.writing"));
    fs::write(&writing, std::process::id().to_string())?;
    Ok(fs::rename(&writing, writing.with_extension(""))?)
}

/// A job of this program with that folder.
pub(crate) fn job(ranks: usize, restarts: usize, folder: &Path) -> Job {
    let mut options: Vec<_> = OPTIONS.map(Into::into).to_vec();
    options.extend(["-x".into(), format!("{FOLDER}={}", folder.display()).into()]);
    Job {
        options,
        arguments: RANK.map(Into::into).to_vec(),
        restarts,
        pause: Duration::ZERO,
        ..Job::of_this_program(ranks).unwrap()
    }
}
