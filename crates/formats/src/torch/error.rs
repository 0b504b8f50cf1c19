//! What can be wrong with a file of PyTorch.

use std::path::{Path, PathBuf};

use wengert_tensor::file::AccessError;
use wengert_tensor::text;

/// Why a file of PyTorch could not be read or written: the file, if it is one and not only its bytes, and the [`Problem`].
///
/// ```
/// use wengert_formats::torch::{File, Problem};
/// let error = File::from_bytes(*b"ustar, or what?").unwrap_err();
/// assert!(matches!(error.problem(), Problem::OtherKind { .. }), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", at(path.as_deref()))]
pub struct Error {
    path: Option<PathBuf>,
    #[source]
    problem: Problem,
}

impl Error {
    /// The file.
    ///
    /// ```
    /// let error = wengert_formats::torch::File::open("no/such/file.pt").unwrap_err();
    /// assert_eq!(error.path(), Some("no/such/file.pt".as_ref()));
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is wrong with it.
    ///
    /// ```
    /// use wengert_formats::torch::{File, Problem};
    /// let error = File::open("no/such/file.pt").unwrap_err();
    /// assert!(matches!(error.problem(), Problem::Io(_)), "{error}");
    /// ```
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    pub(super) fn new(path: Option<&Path>, problem: Problem) -> Self {
        Error { path: path.map(Path::to_owned), problem }
    }
}

/// What is wrong with a file of PyTorch.
///
/// ```
/// use wengert_formats::torch::{File, Problem};
/// // The pickle of a function that Python would call when it reads the file.
/// let pickle = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02cos\nsystem\n.";
/// let error = File::from_bytes(*pickle).unwrap_err();
/// assert!(matches!(error.problem(), Problem::Refused { name } if name == "os.system"), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// What stands at the path is no regular file.
    #[error("it is {kind}, not a regular file")]
    NotAFile {
        /// What it is: "a folder", "a FIFO", "a device" …
        kind: &'static str,
    },
    /// It is no file of `torch.save`, but one of another kind.
    #[error("it is {kind}, not what torch.save writes{}", hint(advice))]
    OtherKind {
        /// What it is.
        kind: String,
        /// What can be done about it, or nothing.
        advice: &'static str,
    },
    /// The zip archive is not as it should be.
    #[error("the archive is damaged: {reason}")]
    Archive {
        /// What is wrong.
        reason: &'static str,
    },
    /// A record of the archive is missing or not as it should be.
    #[error("the archive's record {} {reason}", text::quoted(record))]
    Record {
        /// Its name in the archive.
        record: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The pickle is not as it should be.
    #[error("the pickle is wrong at its byte {at}: {reason}")]
    Pickle {
        /// Where, counted from the pickle's start.
        at: u64,
        /// What is wrong.
        reason: String,
    },
    /// The pickle asks for a class or a function that is none of those that tensors and plain containers are made of.
    /// PyTorch itself refuses it with `weights_only=True`.
    #[error(
        "the pickle asks for {}, which is no part of a state dict: save model.state_dict(), and plain numbers beside it",
        text::quoted(name)
    )]
    Refused {
        /// Its module and name.
        name: String,
    },
    /// A tensor is at odds with the file or with itself, or is of a kind that cannot be read.
    #[error("{} {reason}", text::quoted(name))]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// What the pickle describes would take more memory than a file of this size is given.
    #[error("the pickle describes so many objects that they would take more than {limit} bytes")]
    Memory {
        /// The limit.
        limit: u64,
    },
    /// There is no dict of tensors.
    #[error("it has no state dict: {found}")]
    NoStateDict {
        /// What it has instead.
        found: String,
    },
    /// There is more than one dict of tensors.
    #[error(
        "it has several state dicts: {}; name one, as in `file.state_dict_at(&[\"{}\"])`",
        text::list(keys, keys.len()),
        keys.first().map_or(String::new(), |key| text::shortened(key))
    )]
    Ambiguous {
        /// Their keys.
        keys: Vec<String>,
    },
    /// There is no such key.
    #[error("there is no key {}; there are {}", text::quoted(key), text::list(keys, *count))]
    NoKey {
        /// The key that was asked for.
        key: String,
        /// The first of those that are there.
        keys: Vec<String>,
        /// How many there are.
        count: usize,
    },
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        // What was found while reading comes back as it was.
        error.downcast().unwrap_or_else(Problem::Io)
    }
}

impl From<Problem> for std::io::Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Io(error) => error,
            problem => std::io::Error::new(std::io::ErrorKind::InvalidData, problem),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotAFile { kind } => Problem::NotAFile { kind },
            other => Problem::Io(other.into()),
        }
    }
}

fn at(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", text::path(path)))
}

fn hint(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!("; {advice}") }
}
