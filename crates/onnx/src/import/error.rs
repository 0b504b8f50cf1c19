//! Why a model cannot be read or run.

use std::path::{Path, PathBuf};

use wengert_tensor::{Shape, text};

use crate::proto::ProtoError;

/// Why a model could not be read. The path is that of the file, if it is one and not only its bytes.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::{Model, ReadError};
/// let mut params: Params<f32> = Params::seeded(0);
/// let error = Model::from_bytes(params.root(), b"no model").unwrap_err();
/// assert!(matches!(error, ReadError::Format { .. }), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error("{}: {source}", text::path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The bytes are no ONNX model.
    #[error("{}not an ONNX model: {}", at(path.as_deref()), short(problem))]
    Format {
        /// The file.
        path: Option<PathBuf>,
        /// What is wrong with them, with the byte.
        problem: String,
    },
    /// Operators that are not known, or not in that version: all that the model has.
    #[error("{}{}", at(path.as_deref()), unsupported(operators))]
    Unsupported {
        /// The file.
        path: Option<PathBuf>,
        /// The nodes with them.
        operators: Vec<UnsupportedOperator>,
    },
    /// The nodes are no graph: a value that no node makes, a cycle, two values of one name.
    #[error("{}{}", at(path.as_deref()), short(problem))]
    Graph {
        /// The file.
        path: Option<PathBuf>,
        /// What is wrong.
        problem: String,
    },
    /// A tensor of the file whose numbers do not fit its shape or its type.
    #[error("{}the tensor {}: {}", at(path.as_deref()), text::quoted(name), short(problem))]
    Tensor {
        /// The file.
        path: Option<PathBuf>,
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An input of a type that is not computed with: text, floating-point numbers of 8 bits and less, a sequence.
    #[error("{}the input {}: {}", at(path.as_deref()), text::quoted(name), short(problem))]
    Input {
        /// The file.
        path: Option<PathBuf>,
        /// Its name.
        name: String,
        /// What it is of.
        problem: String,
    },
    /// An operator on constants that cannot be computed.
    #[error("{}{source}", at(path.as_deref()))]
    Constant {
        /// The file.
        path: Option<PathBuf>,
        /// The node and what is wrong.
        source: NodeError,
    },
}

fn at(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", text::path(path)))
}

/// The most bytes of a problem that a message shows: names, shapes and lists of numbers of a file may be of any length.
const SHOWN: usize = 400;
/// The most operators that a message names.
const LISTED: usize = 16;

fn short(problem: &impl std::fmt::Display) -> String {
    text::line(&problem.to_string(), SHOWN)
}

fn unsupported(operators: &[UnsupportedOperator]) -> String {
    let lines: Vec<String> = operators.iter().take(LISTED).map(ToString::to_string).collect();
    let more = match operators.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("operators that are not supported: {}{more}", lines.join("; "))
}

impl ReadError {
    pub(super) fn format(problem: ProtoError) -> Self {
        ReadError::Format { path: None, problem: problem.to_string() }
    }

    pub(super) fn graph(problem: impl Into<String>) -> Self {
        ReadError::Graph { path: None, problem: problem.into() }
    }

    pub(super) fn tensor(name: &str, problem: impl Into<String>) -> Self {
        ReadError::Tensor { path: None, name: name.to_owned(), problem: problem.into() }
    }

    /// The same of a file.
    pub(super) fn of_file(mut self, of: &Path) -> Self {
        match &mut self {
            ReadError::Io { .. } => {}
            ReadError::Format { path, .. }
            | ReadError::Unsupported { path, .. }
            | ReadError::Graph { path, .. }
            | ReadError::Tensor { path, .. }
            | ReadError::Input { path, .. }
            | ReadError::Constant { path, .. } => *path = Some(of.to_owned()),
        }
        self
    }
}

/// A node whose operator is refused when the model is read.
///
/// ```
/// use wengert_onnx::UnsupportedOperator;
/// fn what(operator: &UnsupportedOperator) -> String { format!("{} {}", operator.operator, operator.opset) }
/// # let _ = what;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedOperator {
    /// The operator, with its domain if that is not ONNX's own.
    pub operator: String,
    /// The node's name, or that of its first output.
    pub node: String,
    /// The version of the operator set.
    pub opset: i64,
    /// Why it is refused.
    pub reason: String,
}

impl std::fmt::Display for UnsupportedOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let UnsupportedOperator { operator, node, opset, reason } = self;
        write!(
            f,
            "{} of opset {opset} at node {}: {}",
            text::quoted(operator),
            text::quoted(node),
            short(reason)
        )
    }
}

/// Why a model could not be run.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::RunError;
/// use wengert_tape::Var;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
/// let mut params: Params<f32> = Params::seeded(0);
/// let model = wengert_onnx::Model::read(params.root(), path)?;
/// let error = params.infer(|cx| model.forward(cx, &[("other", Var::zeros([1]).into())])).unwrap_err();
/// assert!(matches!(error, RunError::UnknownInput { .. }), "{error}");
/// # Ok::<(), wengert_onnx::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// An input of the model was not given.
    #[error("no value is given for the input {}; the inputs are {}", text::quoted(name), text::list(inputs, inputs.len()))]
    MissingInput {
        /// Its name.
        name: String,
        /// The names of all inputs.
        inputs: Vec<String>,
    },
    /// A value was given for an input that the model does not have, or given twice.
    #[error("{} is no input, or is given twice; the inputs are {}", text::quoted(name), text::list(inputs, inputs.len()))]
    UnknownInput {
        /// Its name.
        name: String,
        /// The names of all inputs.
        inputs: Vec<String>,
    },
    /// An input of another kind or shape than the model declares.
    #[error(
        "the input {} is {} in the model, and {} was given",
        text::quoted(name),
        short(expected),
        short(found)
    )]
    Input {
        /// Its name.
        name: String,
        /// What the model declares.
        expected: String,
        /// What was given.
        found: String,
    },
    /// An operator that its operands do not fit.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// An operator that its operands do not fit, with the node.
///
/// ```
/// use wengert_onnx::{NodeError, Problem};
/// fn is_of_shapes(error: &NodeError) -> bool { matches!(*error.problem, Problem::Shapes { .. }) }
/// # let _ = is_of_shapes;
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{operator} at node {}: {}", text::quoted(node), short(problem))]
pub struct NodeError {
    /// The operator.
    pub operator: String,
    /// The node's name, or that of its first output.
    pub node: String,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong with the operands of an operator.
///
/// ```
/// use wengert_onnx::Problem;
/// let problem = Problem::Shapes { what: "do not broadcast", first: [2, 3].into(), second: [4].into() };
/// assert_eq!(problem.to_string(), "shapes [2, 3] and [4] do not broadcast");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Two shapes that do not go together.
    #[error("shapes {first} and {second} {what}")]
    Shapes {
        /// How.
        what: &'static str,
        /// The first operand's.
        first: Shape,
        /// The second operand's.
        second: Shape,
    },
    /// A shape that an operand cannot have.
    #[error("{operand} has shape {shape}, and {expected} is needed")]
    Shape {
        /// Which operand.
        operand: String,
        /// Its shape.
        shape: Shape,
        /// What it should be.
        expected: String,
    },
    /// A position of an axis that there is not.
    #[error("axis {axis} of a shape with {rank} axes, or an axis given twice")]
    Axis {
        /// The axis.
        axis: i64,
        /// The number of axes.
        rank: usize,
    },
    /// Elements of another kind than the operator takes.
    #[error("input {input} holds {found}, and {expected} are needed")]
    Kind {
        /// The position of the operand.
        input: usize,
        /// What is needed.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// An operand that is left out.
    #[error("input {input} is left out")]
    Missing {
        /// Its position.
        input: usize,
    },
    /// A position beyond the axis.
    #[error("the index {index} of {length} positions")]
    Index {
        /// The position.
        index: i64,
        /// The number of positions.
        length: usize,
    },
    /// An attribute, or an operand in its place, that makes no sense.
    #[error("{name}: {problem}")]
    Setting {
        /// Its name in ONNX.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A result with more elements than are allowed.
    #[error("the result of shape {shape:?} would have more than {limit} elements, or a negative length")]
    TooLarge {
        /// Its shape.
        shape: Vec<i64>,
        /// The most that are allowed.
        limit: usize,
    },
    /// Loops and scans that go round more often than there may be elements.
    #[error("loops and scans go round more than {limit} times")]
    TooManyRounds {
        /// The most that are allowed.
        limit: usize,
    },
    /// Whole numbers beyond 2⁵³, which are not held exactly.
    #[error("whole numbers beyond 2⁵³ in magnitude, which are not held exactly")]
    Inexact,
    /// A division of whole numbers by zero, or what is left of one.
    #[error("a division of whole numbers by zero")]
    DivisionByZero,
    /// Something that this operator has in ONNX and not here.
    #[error("{0}")]
    Unsupported(String),
}

impl Problem {
    pub(super) fn setting(name: &'static str, problem: impl Into<String>) -> Self {
        Problem::Setting { name, problem: problem.into() }
    }
}
