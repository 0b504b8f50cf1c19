//! What can be wrong with a run.

use wengert_data::DataError;
use wengert_nn::GradError;
use wengert_optim::{HyperParameterError, MinimizeError, StepError};
use wengert_state::StateError;

use crate::checkpoint::{CheckpointError, Differences};
use crate::parallel::WorkersError;
use crate::watch::Trouble;

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// No epochs were asked for.
    #[error("0 epochs: there is nothing to train")]
    NoEpochs,
    /// The data have no batch.
    #[error("the data have no batch ({examples} examples)")]
    NoBatches {
        /// The number of examples.
        examples: usize,
    },
    /// A value that is watched and that nothing gives.
    #[error("nothing measures `{name}`; there {}", known_values(.known))]
    UnknownValue {
        /// The name.
        name: String,
        /// The names of the values that there are.
        known: Vec<String>,
    },
    /// A value that was announced and is watched, but was never measured.
    #[error("`{name}` was announced and is watched, but was never measured")]
    Unmeasured {
        /// The name.
        name: String,
    },
    /// Two things of one name.
    #[error("there are two {what} called `{name}`")]
    Twice {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Settings(String),
    /// A loss of a run that is not finite. Epochs, batches and steps are counted from 1.
    #[error(
        "the loss is {value} in step {step} (epoch {epoch}, batch {batch}); nothing was changed{}",
        cause(.trouble)
    )]
    Loss {
        /// The loss.
        value: f64,
        /// The step.
        step: u64,
        /// The epoch.
        epoch: u64,
        /// The batch.
        batch: u64,
        /// What made the first number that is not finite; none if the loss was finite when it was evaluated once more, at the
        /// parameters: where that of another point was not (SAM's second) it is.
        trouble: Option<Box<Trouble>>,
    },
    /// A loss of a [`Learner`](crate::Learner) without a run that is not finite.
    #[error("the loss is {value} after {updates} updates; nothing was changed{}", cause(.trouble))]
    LearnerLoss {
        /// The loss.
        value: f64,
        /// The updates that were made before.
        updates: u64,
        /// What made the first number that is not finite; none if the loss was finite when it was evaluated once more, at the
        /// parameters: where that of another point was not (SAM's second) it is.
        trouble: Option<Box<Trouble>>,
    },
    /// A gradient that is not finite, of a loss that is.
    #[error("{error}{}", cause(.trouble))]
    Gradient {
        /// Which.
        error: StepError,
        /// What made the first number that is not finite; none if all were finite when the loss was evaluated once more.
        trouble: Option<Box<Trouble>>,
    },
    /// Values that were not announced, in a run that announces some.
    #[error("`{name}` was not announced: there {}", known_values(.known))]
    Unannounced {
        /// The name.
        name: String,
        /// The names of the values that were, nearest first.
        known: Vec<String>,
    },
    /// A state of a run with other settings.
    #[error(
        "the state is of a run with other settings: {differences}; to go on with those that are here: \
         `allow_other_settings`"
    )]
    OtherSettings {
        /// What is different.
        differences: Differences,
    },
    /// The loss has no gradient.
    #[error(transparent)]
    Grad(#[from] GradError),
    /// A hyper-parameter makes no sense.
    #[error(transparent)]
    HyperParameter(#[from] HyperParameterError),
    /// A method of minimisation cannot start.
    #[error(transparent)]
    Minimize(#[from] MinimizeError),
    /// The run goes on with other data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A saved state is not one of this run.
    #[error(transparent)]
    State(#[from] StateError),
    /// A checkpoint cannot be written or read, or is one of another run.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Workers that train together could not come to terms: one is gone, say.
    #[error(transparent)]
    Workers(WorkersError),
    /// Workers that are to train together do not run the same program on the same model and data.
    #[error(
        "worker {rank} differs from worker 0 in {what}: {other}, not {first}; all workers need the same program, settings and data"
    )]
    Unlike {
        /// What differs.
        what: String,
        /// What it is for worker 0.
        first: String,
        /// What it is for the other.
        other: String,
        /// Which that is.
        rank: usize,
    },
    /// Ctrl-C cannot be listened to.
    #[error("Ctrl-C cannot be listened to: {reason}")]
    Interrupt {
        /// What the operating system says.
        reason: String,
    },
}

/// On lines of its own, what made a number that is not finite.
fn cause(trouble: &Option<Box<Trouble>>) -> String {
    trouble.as_ref().map_or_else(String::new, |trouble| format!("\n{trouble}"))
}

fn known_values(known: &[String]) -> String {
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if known.len() == 1 { format!("is {list}") } else { format!("are {list}") }
}
