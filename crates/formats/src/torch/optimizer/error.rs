//! What can be wrong with the state of an optimiser.

use std::path::{Path, PathBuf};

use wengert_nn::FileError;
use wengert_state::StateError;
use wengert_tensor::text;

use super::method::Method;
use crate::torch::Error;

/// Why the state of an optimiser of PyTorch could not be read, or one of ours not be written.
///
/// ```
/// use wengert_formats::torch::{self, OptimizerError, OptimizerProblem};
/// // A state dict without an optimiser's.
/// let file = torch::File::from_bytes(torch::to_bytes(&wengert_nn::Params::<f32>::seeded(0))?)?;
/// let error = file.optimizer_state().unwrap_err();
/// assert!(matches!(error, OptimizerError::State { problem: OptimizerProblem::None { .. }, .. }), "{error}");
/// # Ok::<(), torch::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// The file as such.
    #[error(transparent)]
    File(#[from] Error),
    /// A vector of the state: it is missing, of another shape than its parameter, of no floating-point numbers, or there is one that the
    /// method does not have.
    #[error(transparent)]
    Tensors(#[from] FileError),
    /// What is said of the optimiser.
    #[error("{}{problem}", path.as_deref().map_or_else(String::new, |path| format!("{}: ", text::path(path))))]
    State {
        /// The file, if it is one and not only its bytes.
        path: Option<PathBuf>,
        /// What is wrong.
        problem: OptimizerProblem,
    },
    /// The state that is to be written is at odds with its method or with the parameters.
    #[error(transparent)]
    Own(#[from] StateError),
}

impl OptimizerError {
    pub(super) fn new(path: Option<&Path>, problem: OptimizerProblem) -> Self {
        OptimizerError::State { path: path.map(Path::to_owned), problem }
    }
}

/// What is wrong with what a file says of an optimiser, or with what is to be said of one.
///
/// ```
/// use wengert_formats::torch::{Checkpoint, OptimizerError, OptimizerProblem};
/// use wengert_state::State;
/// let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
/// let lion = State::new("lion", 0);
/// let error = Checkpoint::new(&params).optimizer(&lion, &lion).to_bytes().unwrap_err();
/// assert!(
///     matches!(&error, OptimizerError::State { problem: OptimizerProblem::Method { kind }, .. } if kind == "lion"),
///     "{error}",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerProblem {
    /// There is no state of an optimiser.
    #[error("it has no state of an optimiser, a dict with `state` and `param_groups`: {found}")]
    None {
        /// What it has instead.
        found: String,
    },
    /// There are those of several.
    #[error(
        "it has the states of several optimisers: {}; name one, as in `file.optimizer_state_at(&[\"{}\"])`",
        text::list(keys, keys.len()),
        keys.first().map_or("", |key| key)
    )]
    Several {
        /// Their keys.
        keys: Vec<String>,
    },
    /// A method that PyTorch has not, or whose state is not known.
    #[error("the state of {} is none that PyTorch has; known are {}", text::quoted(kind), Method::kinds())]
    Method {
        /// Its name.
        kind: String,
    },
    /// The optimiser has more or fewer parameters than there are.
    #[error(
        "it is of {file} parameters, not of {model}: `state_of` takes the names of those that it has, in their order"
    )]
    Parameters {
        /// How many the file's has.
        file: usize,
        /// How many there are, or names were given.
        model: usize,
    },
    /// A name that the model does not have, or that is there twice.
    #[error("{} is no parameter of the model, or one that was named before", text::quoted(name))]
    Unknown {
        /// The name.
        name: String,
    },
    /// Parameters of which one was stepped more often than another, which one count cannot say.
    #[error("{} was stepped {found} times, and others {expected} times", text::quoted(name))]
    Steps {
        /// The parameter.
        name: String,
        /// Its steps.
        found: u64,
        /// Those of others before it.
        expected: u64,
    },
    /// Groups of parameters with different learning rates, which one optimiser does not have here.
    #[error("its groups of parameters have different learning rates, {} and {}", rates[0], rates[1])]
    Rates {
        /// Two of them.
        rates: [f64; 2],
    },
    /// Something that is not what it should be.
    #[error("{} {reason}", text::quoted(name))]
    Value {
        /// What it is called in the file.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A setting for which PyTorch's method has none.
    #[error("PyTorch's {kind} has no {name} of {found}")]
    Setting {
        /// The method.
        kind: &'static str,
        /// The setting.
        name: String,
        /// Its value.
        found: String,
    },
}
