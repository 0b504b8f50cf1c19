//! What can be wrong with a model that is to be exported.

use std::panic::Location;

use wengert_tensor::text;

/// Where an operation was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Option<&'static Location<'static>>);

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(location) => write!(f, "{}:{}:{}", location.file(), location.line(), location.column()),
            None => f.write_str("an unknown line"),
        }
    }
}

/// Why a model cannot be exported.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::{Export, ExportError};
/// use wengert_tensor::Tensor;
/// let params: Params<f32> = Params::seeded(0);
/// let export = Export::new().input("x", Tensor::<f32>::ones([2, 2]));
/// let error = export.model(&params, |_, inputs| vec![inputs.float(0).lgamma()]).unwrap_err();
/// assert!(matches!(&error, ExportError::Operation { name, .. } if name == "lgamma"), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An operation that cannot be said in ONNX's operators; the first of all in the order of recording.
    #[error("operation `{name}`, recorded at {location}, cannot be exported: {reason}")]
    Operation {
        /// The operation's name.
        name: String,
        /// File, line and column where it was recorded.
        location: String,
        /// Why not.
        reason: String,
    },
    /// An operation that depends on the size of the batch in a way that is not a multiple of it, or is another at another
    /// size.
    #[error(
        "operation `{name}`, recorded at {location}, cannot be exported for batches of any size: {reason}"
    )]
    Batch {
        /// The operation's name.
        name: String,
        /// File, line and column where it was recorded.
        location: String,
        /// How it depends on the size.
        reason: String,
    },
    /// The model has no inputs.
    #[error("the model has no inputs: name them, with examples, by `input`, `index` or `mask`")]
    NoInputs,
    /// The model has no outputs.
    #[error("the model gives no outputs")]
    NoOutputs,
    /// An output that is a constant, or not on the tape.
    #[error("output `{name}` does not depend on the inputs")]
    Constant {
        /// The output's name.
        name: String,
    },
    /// An input that is not on the tape, or was computed there.
    #[error("input `{name}` was not entered on the tape")]
    NotEntered {
        /// The input's name.
        name: String,
    },
    /// A variable of the tape that has neither a name nor a value.
    #[error(
        "a variable of shape {shape:?} was entered on the tape at {location}, and is not among the inputs"
    )]
    Unnamed {
        /// Its shape.
        shape: Vec<usize>,
        /// File, line and column where it was entered.
        location: String,
    },
    /// Two inputs, outputs, parameters or buffers of one name.
    #[error("two values are named `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// Names of outputs that are more or fewer than the outputs.
    #[error("{names} names for {outputs} outputs")]
    Outputs {
        /// How many names were given.
        names: usize,
        /// How many outputs there are.
        outputs: usize,
    },
    /// An input that has no batch.
    #[error("input `{name}` of shape {shape:?} has no axis {axis} of examples")]
    NoBatch {
        /// The input's name.
        name: String,
        /// The example's shape.
        shape: Vec<usize>,
        /// The axis that was to be the batch.
        axis: usize,
    },
    /// A version of the operators that is not written.
    #[error("operator set {0} is not written: those from 17 to 23 are")]
    Opset(i64),
    /// A file that cannot be written, or a folder or a device at its path.
    #[error("{}: {source}", text::path(path))]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
