//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Trains a classifier of handwritten digits and shows what it learned.
#[derive(Debug, Parser)]
#[command(name = "mnist", version)]
pub(crate) struct Arguments {
    /// Folder with the four MNIST files; by default they are looked for in $WENGERT_DATA and the user's cache,
    /// else downloaded, else synthetic digits take their place
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What to train
    #[arg(long, value_enum, default_value_t = Model::Mlp)]
    pub(crate) model: Model,
    /// A first-order optimiser by its name, e.g. sgd, adam, adamw, nadam, rmsprop, lion; or one with curvature:
    /// newton-cg, l-bfgs, hessian-free, kfac, gauss-newton
    #[arg(long, default_value = "adam")]
    pub(crate) optimizer: String,
    /// Passes over the training digits; with curvature the work of so many gradients over all digits. By default 5,
    /// and for curvature what suits the method
    #[arg(long)]
    pub(crate) epochs: Option<u64>,
    /// Iterations of a method with curvature, at most
    #[arg(long)]
    pub(crate) iterations: Option<u64>,
    /// Digits per step; by default 64, and for kfac and the products of hessian-free what suits them
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch_size: Option<u64>,
    /// Adds half of this times the squared norm of all parameters to the loss; by default 0, with curvature 1e-4
    #[arg(long, value_name = "STRENGTH")]
    pub(crate) l2: Option<f64>,
    /// Learning rate of the first step, falling along a cosine to 0; by default what suits the optimiser
    #[arg(long)]
    pub(crate) lr: Option<f64>,
    /// Seed of the initial weights, the shuffling and dropout
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Number of threads; by default as many as the machine has
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// File to write the trained weights to, in safetensors format
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// File to read the initial weights from
    #[arg(long, value_name = "FILE")]
    pub(crate) load: Option<PathBuf>,
    /// Folder to save the run in, after every epoch and when Ctrl-C is pressed
    #[arg(long, value_name = "DIR")]
    pub(crate) checkpoints: Option<PathBuf>,
    /// Go on from the newest checkpoint, in the middle of an epoch too
    #[arg(long, requires = "checkpoints")]
    pub(crate) resume: bool,
    /// File to write a line of JSON to for everything that is measured
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// HTML file to write a report of the run to
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// One epoch of 6,000 digits, with curvature the work of 20 gradients over 1,000, to see that everything works
    #[arg(long, conflicts_with = "epochs")]
    pub(crate) quick: bool,
    /// Print the result as one JSON object on the last line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The networks to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Model {
    /// Softmax regression, 784-10
    Logistic,
    /// One hidden layer, 784-128-10
    Mlp,
    /// Two convolutions and two linear layers
    Cnn,
}

impl Model {
    /// The name on the command line and in the result.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Model::Logistic => "logistic",
            Model::Mlp => "mlp",
            Model::Cnn => "cnn",
        }
    }
}
