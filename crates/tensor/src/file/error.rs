//! Why a file could not be opened or written.

use std::io::{Error, ErrorKind};

/// Why a file could not be opened or written.
///
/// ```
/// use wengert_tensor::file::{AccessError, open};
/// let error = open(&std::env::temp_dir()).unwrap_err();
/// assert!(matches!(error, AccessError::NotAFile { kind: "a folder" }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AccessError {
    /// What stands at the path is no regular file; it is left as it is.
    NotAFile {
        /// What it is: "a folder", "a FIFO", "a device" …
        kind: &'static str,
    },
    /// The operating system failed.
    Io(Error),
}

impl std::fmt::Display for AccessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AccessError::NotAFile { kind } => write!(f, "it is {kind}, not a regular file"),
            AccessError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AccessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AccessError::NotAFile { .. } => None,
            AccessError::Io(error) => Some(error),
        }
    }
}

impl From<Error> for AccessError {
    fn from(error: Error) -> Self {
        AccessError::Io(error)
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotAFile { .. } => Error::new(ErrorKind::InvalidInput, error),
            AccessError::Io(error) => error,
        }
    }
}
