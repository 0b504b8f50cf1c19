//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use wengert_data::{Dataset, Mnist, synthetic};
use wengert_distributed::communicator::Failure;

/// MNIST on several ranks.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Arguments {
    /// How the ranks train together.
    #[arg(long, value_enum, default_value = "sync")]
    pub(crate) mode: Mode,
    /// Ranks that are threads of this process.
    #[arg(long, default_value_t = 2)]
    pub(crate) ranks: usize,
    /// Passes over the data, or iterations of a method on the whole loss.
    #[arg(long, default_value_t = 3)]
    pub(crate) epochs: u64,
    /// Examples of a step, over all ranks.
    #[arg(long, default_value_t = 128)]
    pub(crate) batch: usize,
    /// Shards of a batch or of the data, where bits do not depend on the number of ranks.
    #[arg(long, default_value_t = 8)]
    pub(crate) shards: usize,
    /// The seed of parameters and order.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// A folder with MNIST's files.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Draws so many digits instead of reading MNIST.
    #[arg(long)]
    pub(crate) synthetic: Option<usize>,
    /// A folder for checkpoints, from the newest of which the run goes on.
    #[arg(long)]
    pub(crate) checkpoints: Option<PathBuf>,
}

/// How ranks train together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One shard for each rank, gradients all-reduced.
    Sync,
    /// A fixed number of shards: the same bits for any number of ranks.
    Deterministic,
    /// L-BFGS on the whole loss.
    Lbfgs,
    /// Newton's method with conjugate gradients on the whole loss.
    NewtonCg,
    /// A trust region on the whole loss.
    TrustRegion,
    /// K-FAC on the whole loss.
    Kfac,
}

/// Digits to learn from, and to measure on.
pub(crate) struct Images {
    pub(crate) train: Dataset,
    pub(crate) test: Dataset,
}

impl Arguments {
    /// The digits that the command line asks for.
    pub(crate) fn images(&self) -> Result<Images, Failure> {
        if let Some(count) = self.synthetic {
            let test = synthetic::digits((count / 5).max(10), self.seed + 1);
            return Ok(Images { train: synthetic::digits(count, self.seed), test });
        }
        let set = match &self.data {
            Some(folder) => Mnist::from_folder(folder)?,
            None => Mnist::load()?,
        };
        let set = set.normalised();
        Ok(Images { train: set.train, test: set.test })
    }
}
