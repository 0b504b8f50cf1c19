//! What can be wrong with arrays.

use crate::zip::ZipError;

/// What is wrong with an array of NumPy, or with an archive of arrays.
///
/// ```
/// use wengert_formats::FormatsError;
/// use wengert_formats::npy::{self, NumpyError};
/// let error = npy::from_bytes::<f32>(b"\x93NUMPY\x09\x00").unwrap_err();
/// assert!(matches!(error, FormatsError::Numpy { source: NumpyError::Header { .. }, .. }), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NumpyError {
    /// The bytes could not be had or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no array, or its header is not as it should be.
    #[error("not an array of NumPy: {reason}")]
    Header {
        /// What is wrong.
        reason: &'static str,
    },
    /// There are more or fewer bytes than the array has.
    #[error("an array of {expected} bytes in a file with {found}")]
    Length {
        /// What type and shape say.
        expected: u64,
        /// What there is behind the header.
        found: u64,
    },
    /// It is no archive of arrays.
    #[error("not an npz archive: {reason}")]
    Archive {
        /// What is wrong.
        reason: &'static str,
    },
    /// An array of an archive is not as it should be.
    #[error("the array {}: {source}", wengert_tensor::text::quoted(name))]
    Array {
        /// Its name.
        name: String,
        /// What is wrong.
        source: Box<NumpyError>,
    },
}

impl From<ZipError> for NumpyError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => NumpyError::Io(error),
            ZipError::Damaged(reason) | ZipError::Record(reason) => NumpyError::Archive { reason },
        }
    }
}
