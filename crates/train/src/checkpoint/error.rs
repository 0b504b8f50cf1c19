//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

use wengert_nn::FormatError;
use wengert_tensor::file::AccessError;
use wengert_tensor::text;

use super::Differences;

/// Why a checkpoint could not be written or read, or when to write one makes no sense.
///
/// ```
/// use wengert_state::State;
/// use wengert_train::checkpoint::{CheckpointError, read, write};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("run.safetensors");
/// write(&path, &State::new("run", 3).with_vector("m", &[1.0f32, 2.0, 3.0]))?;
/// let mut bytes = std::fs::read(&path)?;
/// *bytes.last_mut().unwrap() ^= 1; // a bit of a number
/// std::fs::write(&path, bytes)?;
/// assert!(matches!(read(&path), Err(CheckpointError::Damaged { .. })));
/// std::fs::write(&path, "text")?;
/// assert!(matches!(read(&path), Err(CheckpointError::Format { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file or the folder could not be read or written.
    #[error("{}: {error}", text::path(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// What stands at the path is no regular file.
    #[error("{}: it is {kind}, not a regular file", text::path(path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is: "a folder", "a symbolic link" …
        kind: &'static str,
    },
    /// The bytes are not a safetensors file, or only a part of one; or the state does not go into one.
    #[error("{}: not a safetensors file: {error}", text::path(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: FormatError,
    },
    /// A file of tensors that are not those of a run.
    #[error(
        "{}: a file of tensors, but no checkpoint of a run; `Params::load` reads a model's",
        text::path(path)
    )]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// A file of another version of the format.
    #[error(
        "{}: version {} of the format, written by wengert {}; this is wengert {} and reads version {supported}",
        text::path(path),
        text::shortened(found),
        text::shortened(library),
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The version of the library that wrote it.
        library: String,
        /// The version that is read here.
        supported: u32,
    },
    /// The file is not as it was written.
    #[error("{}: damaged: its checksum is {found}, but must be {expected}", text::path(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The checksum that the file names, shortened.
        expected: String,
        /// The checksum of what it holds.
        found: String,
    },
    /// The file is as it was written, but no state can be made of it; or a state cannot be written.
    #[error("{}: {reason}", text::path(path))]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file of another run.
    #[error("{}: of another run: {differences}", text::path(path))]
    Other {
        /// The file.
        path: PathBuf,
        /// What is different.
        differences: Differences,
    },
    /// The file of a run with other settings.
    #[error(
        "{}: its run had other settings: {differences}; to go on with those that are here: `allow_other_settings`",
        text::path(path)
    )]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is different.
        differences: Differences,
    },
    /// The newest checkpoint cannot be gone on from.
    #[error("{error}; {}", remedy(newest, intact.as_deref()))]
    Newest {
        /// The newest.
        newest: PathBuf,
        /// What is wrong with it.
        error: Box<CheckpointError>,
        /// The newest of those before it that are whole.
        intact: Option<PathBuf>,
    },
    /// The folder has checkpoints already, and the run does not go on from them.
    #[error(
        "{}: it has checkpoints of another run, the newest {}: go on from it, or take another folder",
        text::path(folder),
        text::path(newest)
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// The newest checkpoint in it.
        newest: PathBuf,
    },
    /// A setting of [`Checkpoints`](super::Checkpoints) that makes no sense.
    #[error("checkpoints: {setting} {reason}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The best are to be kept by a value that the run does not have.
    #[error("checkpoints: the run has no value {}{}", text::quoted(name), nearest_text(nearest))]
    Metric {
        /// The name that was asked for.
        name: String,
        /// The names most like it, nearest first.
        nearest: Vec<String>,
    },
}

/// What can be done where the newest checkpoint is not whole.
fn remedy(newest: &Path, intact: Option<&Path>) -> String {
    let name = |path: &Path| text::path(Path::new(path.file_name().unwrap_or_default()));
    match intact {
        Some(intact) => format!(
            "{} is whole: move {} away, and the run goes on from there, with the same bits",
            name(intact),
            name(newest)
        ),
        None => format!("there is none before it that is whole: move {} away to begin anew", name(newest)),
    }
}

fn nearest_text(nearest: &[String]) -> String {
    match nearest.len() {
        0 => "; it has none".to_owned(),
        n => format!("; the nearest are {}", text::list(nearest, n)),
    }
}

impl CheckpointError {
    pub(super) fn io(path: &Path, error: std::io::Error) -> Self {
        CheckpointError::Io { path: path.to_owned(), error }
    }

    /// Whether the file is at fault, so that another one may be whole.
    fn is_damage(&self) -> bool {
        use CheckpointError::{Content, Damaged, Format, NotACheckpoint};
        matches!(self, Format { .. } | Damaged { .. } | Content { .. } | NotACheckpoint { .. })
    }

    /// With the newest of the `older` files that is whole, if it is the file that is at fault.
    pub(crate) fn or_older(self, newest: &Path, older: impl Iterator<Item = PathBuf>) -> Self {
        if !self.is_damage() {
            return self;
        }
        let intact = older.into_iter().find(|path| super::read(path).is_ok());
        CheckpointError::Newest { newest: newest.to_owned(), error: Box::new(self), intact }
    }

    pub(super) fn access(path: &Path, error: AccessError) -> Self {
        match error {
            AccessError::NotAFile { kind } => CheckpointError::NotAFile { path: path.to_owned(), kind },
            other => CheckpointError::io(path, other.into()),
        }
    }

    pub(super) fn content(path: &Path, reason: impl Into<String>) -> Self {
        CheckpointError::Content { path: path.to_owned(), reason: reason.into() }
    }
}
