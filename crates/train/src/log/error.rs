//! Why a log is not what it should be.

use std::path::PathBuf;

/// Why a log is not what it should be.
///
/// ```
/// use wengert_train::{JsonLines, LogError};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// std::fs::write(&path, "Not to be lost.")?;
/// let error = JsonLines::create(&path).unwrap_err();
/// assert!(matches!(error, LogError::Foreign { .. }));
/// assert_eq!(std::fs::read_to_string(&path)?, "Not to be lost.");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file or its folder cannot be made, read or cut.
    #[error("log {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file holds something else, which a new run would erase.
    #[error("log {}: there is a file of this name that is no such log, and it is left as it is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Some of the log is not in the file.
    #[error("log {}: {error}; {events} events are not in the file", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// How many.
        events: u64,
        /// Why, when it happened first.
        error: std::io::Error,
    },
}
