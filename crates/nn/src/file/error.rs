//! What can be wrong with a parameter file.

use std::path::{Path, PathBuf};

use wengert_tensor::file::AccessError;
use wengert_tensor::{Shape, text};

use super::tensor_file::{FileKind, ReadError};

/// Why parameters could not be saved or loaded. The path is that of the file, if it is one and not only its bytes.
///
/// ```
/// use wengert_nn::{FileError, Linear, Params};
/// let mut saved: Params<f64> = Params::seeded(0);
/// Linear::new(saved.at("head"), 2, 1);
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::new(params.at("out"), 2, 1);
/// let error = params.load_safetensors(&saved.to_safetensors()?).unwrap_err();
/// assert!(matches!(&error, FileError::Missing { names, .. } if names[0] == "out.weight"), "{error}");
/// # Ok::<(), FileError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be read or written.
    #[error("{}: {source}", text::path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// What stands at the path is no regular file.
    #[error("{}: it is {kind}, not a regular file", text::path(path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is: "a folder", "a FIFO", "a device" …
        kind: &'static str,
    },
    /// The bytes are not a safetensors file, or only a part of one; or the parameters do not go into one.
    #[error("{}not a safetensors file: {source}", at(path.as_deref()))]
    Format {
        /// The file.
        path: Option<PathBuf>,
        /// What is wrong with them.
        source: FormatError,
    },
    /// Parameters that are not in the file.
    #[error(
        "{}the file lacks {}; {}{}",
        at(path.as_deref()),
        text::list(names, names.len()),
        holds(*held, nearest),
        stripped(prefix.as_deref())
    )]
    Missing {
        /// The file.
        path: Option<PathBuf>,
        /// Their names.
        names: Vec<String>,
        /// The number of tensors in the file.
        held: usize,
        /// The tensors in the file that are most like the first missing ones, and no other parameter's.
        nearest: Vec<StoredTensor>,
        /// What names in the file begin with, such as `module.` or `_orig_mod.`, if more than half of the missing ones are there
        /// behind it.
        prefix: Option<String>,
    },
    /// Tensors of floating-point numbers in the file that are no parameters.
    #[error("{}the file has {}, which the model does not", at(path.as_deref()), text::list(names, *count))]
    Unexpected {
        /// The file.
        path: Option<PathBuf>,
        /// The names of the first few.
        names: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// A tensor of another shape than the parameter of its name.
    #[error(
        "{}{} has shape {} in the file, {} in the model",
        at(path.as_deref()),
        text::quoted(name),
        text::shortened(&found.to_string()),
        text::shortened(&expected.to_string())
    )]
    Shape {
        /// The file.
        path: Option<PathBuf>,
        /// Its name.
        name: String,
        /// Its shape in the file.
        found: Box<Shape>,
        /// The parameter's shape.
        expected: Box<Shape>,
    },
    /// A parameter's tensor is of a type that is no floating-point number of 16, 32 or 64 bits, or a count of one that is no
    /// whole number of 32 or 64.
    #[error(
        "{}{} has elements of type {dtype} in the file, not {expected}",
        at(path.as_deref()),
        text::quoted(name)
    )]
    Dtype {
        /// The file.
        path: Option<PathBuf>,
        /// Its name.
        name: String,
        /// The type's name in the format.
        dtype: String,
        /// The types that it could have.
        expected: &'static str,
    },
    /// A tensor has a number that the type it is wanted in cannot hold: finite and infinite there, beyond `i64` for a count, or
    /// none of the whole numbers that the type has.
    #[error("{}{} has a number in the file that is {}: {number}", at(path.as_deref()), text::quoted(name), not_held(kind))]
    OutOfRange {
        /// The file.
        path: Option<PathBuf>,
        /// Its name.
        name: String,
        /// The type that cannot hold it.
        kind: &'static str,
        /// The number.
        number: String,
    },
    /// It is a file of another kind.
    #[error("{}it is {kind}, not a safetensors file: {}", at(path.as_deref()), kind.advice())]
    OtherKind {
        /// The file.
        path: Option<PathBuf>,
        /// What it is.
        kind: FileKind,
    },
    /// Two tensors of the file have one name in the model.
    #[error("{}{} is there twice: as {} and as {}", at(path.as_deref()), text::quoted(name), text::quoted(&files[0]), text::quoted(&files[1]))]
    Twice {
        /// The file.
        path: Option<PathBuf>,
        /// The name in the model.
        name: String,
        /// The names in the file.
        files: [String; 2],
    },
    /// The model has no parameters and no buffers, so that nothing of the file would be used.
    #[error("{}the model has no parameters yet for the {held} tensors of the file: its layers are made before it is loaded", at(path.as_deref()))]
    NoModel {
        /// The file.
        path: Option<PathBuf>,
        /// The number of tensors in the file.
        held: usize,
    },
}

impl FileError {
    /// What opening or writing a file ended with.
    #[doc(hidden)]
    pub fn access(path: &Path, error: AccessError) -> Self {
        match error {
            AccessError::NotAFile { kind } => FileError::NotAFile { path: path.to_owned(), kind },
            other => FileError::Io { path: path.to_owned(), source: other.into() },
        }
    }

    /// Of a file that begins with these bytes.
    pub(super) fn read(path: Option<&Path>, error: ReadError, head: &[u8]) -> Self {
        match error {
            ReadError::Io(source) => FileError::io(path, source),
            ReadError::Format(_) if FileKind::of(head).is_some_and(|kind| kind != FileKind::Safetensors) => {
                let kind = FileKind::of(head).expect("it was told");
                FileError::OtherKind { path: path.map(Path::to_owned), kind }
            }
            ReadError::Format(source) => FileError::Format { path: path.map(Path::to_owned), source },
        }
    }

    pub(super) fn io(path: Option<&Path>, source: std::io::Error) -> Self {
        FileError::Io { path: path.map(Path::to_owned).unwrap_or_default(), source }
    }
}

/// Why bytes are not a safetensors file.
///
/// ```
/// use wengert_nn::{FileError, FormatError, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// let error = params.load_safetensors(b"short").unwrap_err();
/// assert!(matches!(error, FileError::Format { source: FormatError::TooShort { found: 5 }, .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// There are fewer than the eight bytes with the length of the header.
    #[error("{found} bytes are too few")]
    TooShort {
        /// How many there are.
        found: u64,
    },
    /// The header is longer than the format's limit, or than the file.
    #[error("a header of {claimed} bytes, more than {limit}")]
    HeaderLength {
        /// The length.
        claimed: u64,
        /// What it may be: 100 MB, or what the file has.
        limit: u64,
    },
    /// The header is not the JSON that it should be.
    #[error("the header is not as it should be: {reason}")]
    Header {
        /// What the JSON parser says, shortened.
        reason: String,
    },
    /// A tensor's entry is at odds with the file or with itself.
    #[error("{} {reason}", text::quoted(name))]
    Tensor {
        /// Its name, shortened.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The tensors overlap, or there are bytes that belong to none.
    #[error("the tensors do not lie one after another, or bytes follow them")]
    Gaps,
}

/// A tensor in a file.
///
/// ```
/// use wengert_nn::{FileError, Linear, Params, StoredTensor};
/// let mut saved: Params<f64> = Params::seeded(0);
/// Linear::new(saved.at("head"), 2, 1);
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::new(params.at("haed"), 2, 1);
/// let error = params.load_safetensors(&saved.to_safetensors()?).unwrap_err();
/// let FileError::Missing { nearest, .. } = error else { panic!("{error}") };
/// let StoredTensor { name, shape, dtype, .. } = &nearest[0];
/// assert_eq!((name.as_str(), &shape[..], dtype.as_str()), ("head.weight", &[1, 2][..], "F64"));
/// # Ok::<(), FileError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredTensor {
    /// Its name, shortened.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The name of its elements' type in the format: `F32`, `I64` …
    pub dtype: String,
}

impl std::fmt::Display for StoredTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {} {}", self.name, text::shortened(&self.shape.to_string()), self.dtype)
    }
}

/// What an error says first.
fn at(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", text::path(path)))
}

fn not_held(kind: &str) -> String {
    match kind {
        "f32" | "f64" | "i64" => format!("too large for {kind}"),
        _ => format!("none of {kind}"),
    }
}

fn holds(held: usize, nearest: &[StoredTensor]) -> String {
    let nearest: Vec<String> = nearest.iter().map(StoredTensor::to_string).collect();
    match nearest.len() {
        0 => format!("it holds {held} tensors"),
        _ => format!("it holds {held} tensors, the nearest {}", nearest.join(", ")),
    }
}

/// Advice about what the names in a file begin with.
pub(super) fn stripped(prefix: Option<&str>) -> String {
    prefix.map_or_else(String::new, |prefix| {
        format!("; without {0:?} they would be found: Loading::new().strip({0:?})", text::shortened(prefix))
    })
}
