//! What can go wrong with a download.

use wengert_tensor::text;

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The file could not be written, or what has its name is no file.
    #[error("cannot write {}: {source}", text::path(path))]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The name is not that of a file, but of a path or of nothing.
    #[error("{} is not the name of a file", text::quoted(name))]
    InvalidName {
        /// The name.
        name: String,
    },
    /// No mirror gave the file.
    #[error("{} cannot be downloaded: {}", text::shortened(file), summary(failures))]
    Failed {
        /// The file's name.
        file: String,
        /// What each attempt came to, in order.
        failures: Vec<String>,
    },
}

/// The last few attempts.
fn summary(failures: &[String]) -> String {
    const SHOWN: usize = 6;
    let earlier = failures.len().saturating_sub(SHOWN);
    let last = failures[earlier..].join("; ");
    if earlier == 0 { last } else { format!("{earlier} attempts like these; {last}") }
}
