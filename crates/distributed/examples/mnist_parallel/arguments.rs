//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use wengert_data::{Dataset, Mnist, synthetic};
use wengert_distributed::communicator::Failure;

/// MNIST on several ranks.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Arguments {
    /// How the ranks train together; `all` runs one mode after the other.
    #[arg(long, value_enum, default_value = "sync")]
    pub(crate) mode: Mode,
    /// Ranks, where no launcher has started them: threads of this process.
    #[arg(long, default_value_t = 4)]
    pub(crate) ranks: usize,
    /// Starts the ranks as processes by `mpirun`.
    #[arg(long)]
    pub(crate) processes: bool,
    /// More options of `mpirun`, divided by blanks.
    #[arg(long, requires = "processes", allow_hyphen_values = true, default_value = "--bind-to none")]
    pub(crate) launcher_options: String,
    /// How often all ranks are started again when one fails; they go on from the last of the `--checkpoints`.
    #[arg(long, default_value_t = 0)]
    pub(crate) restarts: usize,
    /// Passes over the data, of the modes that go by batches; asynchronous ones, whose ranks are never all of one mind, make one more.
    #[arg(long, default_value_t = 5)]
    pub(crate) epochs: u64,
    /// Iterations, of the modes that go by the whole loss; the mode's own unless given.
    #[arg(long)]
    pub(crate) iterations: Option<u64>,
    /// Examples of an update: over all ranks in `sync` and `deterministic`, of each worker in the others. The mode's own unless given.
    #[arg(long)]
    pub(crate) batch: Option<usize>,
    /// The largest learning rate; the mode's own unless given.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Steps from one meeting to the next, where ranks meet now and then; the mode's own unless given.
    #[arg(long)]
    pub(crate) every: Option<u64>,
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
    /// Fails unless each mode ends with so many per cent of the test set told.
    #[arg(long)]
    pub(crate) least: Option<f64>,
    /// A folder for checkpoints, from the newest of which the run goes on.
    #[arg(long)]
    pub(crate) checkpoints: Option<PathBuf>,
    /// Two passes over 2,000 digits that are drawn: in seconds, to see that all works.
    #[arg(long)]
    pub(crate) quick: bool,
}

/// How ranks train together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One shard for each rank, gradients all-reduced.
    Sync,
    /// A fixed number of shards: the same bits for any number of ranks.
    Deterministic,
    /// A parameter server that averages the gradients of all workers.
    Server,
    /// A parameter server for which every gradient is an update.
    Async,
    /// The same, with no worker more than two steps ahead of the slowest.
    Ssp,
    /// Asynchronous, with the twentieth of the gradient that is largest.
    TopK,
    /// Asynchronous, with gradients of 16 bits.
    Bf16,
    /// Steps of each rank's own, and an average of all now and then.
    Local,
    /// The same, with an outer optimiser at the average.
    Diloco,
    /// Steps of each rank's own, drawn to a common centre.
    Elastic,
    /// Steps of each rank's own, and averages of random pairs.
    Gossip,
    /// Threads of one process that share the parameters without locks.
    Hogwild,
    /// L-BFGS on the whole loss.
    #[value(alias = "l-bfgs")]
    Lbfgs,
    /// Newton's method with conjugate gradients on the whole loss.
    NewtonCg,
    /// A trust region on the whole loss.
    TrustRegion,
    /// K-FAC on the whole loss.
    Kfac,
    /// All of these.
    All,
}

/// Settings of a mode that goes by batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub(crate) batch: usize,
    pub(crate) rate: f64,
    /// Steps between meetings.
    pub(crate) every: u64,
}

/// Digits to learn from, and to measure on.
pub(crate) struct Images {
    pub(crate) train: Dataset,
    pub(crate) test: Dataset,
}

impl Mode {
    /// This one, or all of them.
    pub(crate) fn each(self) -> Vec<Mode> {
        match self {
            Mode::All => Mode::value_variants().iter().copied().filter(|&mode| mode != Mode::All).collect(),
            one => vec![one],
        }
    }

    /// As it is written on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it goes by batches whose gradients are not all of the same parameters.
    fn is_asynchronous(self) -> bool {
        match self {
            Mode::Async | Mode::Ssp | Mode::TopK | Mode::Bf16 | Mode::Hogwild => true,
            Mode::Local | Mode::Diloco | Mode::Elastic | Mode::Gossip => true,
            Mode::Sync | Mode::Deterministic | Mode::Server => false,
            Mode::Lbfgs | Mode::NewtonCg | Mode::TrustRegion | Mode::Kfac | Mode::All => false,
        }
    }

    /// Settings found good for four ranks on MNIST: see docs/guide/asynchronous.md for the reasons.
    fn recipe(self) -> Recipe {
        let (batch, rate, every) = match self {
            Mode::Sync | Mode::Deterministic => (128, 2e-3, 1),
            Mode::Server => (32, 2e-3, 1),
            Mode::Local => (32, 4e-3, 8),
            // The outer momentum makes up for a larger rate.
            Mode::Diloco => (32, 2e-3, 16),
            Mode::Elastic => (32, 6e-3, 4),
            Mode::Gossip => (32, 6e-3, 1),
            _ => (64, 1e-3, 1),
        };
        Recipe { batch, rate, every }
    }
}

impl Arguments {
    /// Refuses what does not go together.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.restarts > 0 && self.checkpoints.is_none() {
            return Err("--restarts needs --checkpoints, a folder to go on from".into());
        }
        if self.ranks == 0 {
            return Err("--ranks: there must be at least 1".into());
        }
        if self.batch == Some(0) {
            return Err("--batch: there must be at least 1 example".into());
        }
        if self.shards == 0 {
            return Err("--shards: there must be at least 1".into());
        }
        Ok(())
    }

    /// What is asked for, of this mode alone.
    pub(crate) fn of(&self, mode: Mode) -> Self {
        let checkpoints = self.checkpoints.as_ref().map(|folder| folder.join(mode.name()));
        let epochs = if self.quick { 2 } else { self.epochs } + u64::from(mode.is_asynchronous());
        Arguments { mode, checkpoints, epochs, ..self.clone() }
    }

    /// The mode's settings, with those of the command line.
    pub(crate) fn recipe(&self) -> Recipe {
        let own = self.mode.recipe();
        Recipe {
            batch: self.batch.unwrap_or(own.batch),
            rate: self.rate.unwrap_or(own.rate),
            every: self.every.unwrap_or(own.every),
        }
    }

    /// The most iterations of a method on the whole loss.
    pub(crate) fn iterations(&self) -> u64 {
        let own = match self.mode {
            Mode::Lbfgs => 150,
            Mode::NewtonCg => 25,
            Mode::TrustRegion => 40,
            _ => 30,
        };
        self.iterations.unwrap_or(if self.quick { 3 } else { own })
    }

    /// The digits that the command line asks for.
    pub(crate) fn images(&self) -> Result<Images, Failure> {
        if let Some(count) = self.synthetic.or(self.quick.then_some(2000)) {
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
