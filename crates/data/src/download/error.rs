//! What can go wrong with a download.

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// No mirror gave the file.
    #[error("{file} cannot be downloaded: {}", failures.join("; "))]
    Failed {
        /// The file's name.
        file: String,
        /// What each attempt came to, in order.
        failures: Vec<String>,
    },
}
