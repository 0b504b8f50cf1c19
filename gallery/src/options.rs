//! What the command lines of the examples that draw have in common.

use std::path::PathBuf;

use clap::Args;

/// Where pictures go, and whether time is short.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Folder to write pictures and tables to
    #[arg(long, value_name = "DIR", default_value = "target/pictures")]
    pub out: PathBuf,
    /// Much shorter runs, to see that everything works
    #[arg(long)]
    pub quick: bool,
}

impl Options {
    /// `short` with `--quick`, else `full`.
    pub fn steps(&self, full: u64, short: u64) -> u64 {
        if self.quick { short } else { full }
    }
}
