//! Why there is no picture.

use std::path::PathBuf;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The name of a file does not say what it is to be.
    #[error("{}: the name of a picture ends in .svg or .png", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written; an older one of the name is still there.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be drawn.
    #[error("drawing: {0}")]
    Drawing(String),
}
