//! What can be wrong with files of other tools.

use std::path::{Path, PathBuf};

use wengert_nn::FileError;
use wengert_nn::tensor_file::FileKind;
use wengert_tensor::file::AccessError;
use wengert_tensor::text;

use crate::npy::NumpyError;
use crate::sharded::IndexError;
use crate::torch;

/// Why a file of another tool could not be read or written.
///
/// ```
/// use wengert_formats::{FormatsError, open};
/// let path = std::env::temp_dir().join("wengert-formats-error.npy"); // its name counts for nothing
/// std::fs::write(&path, b"\x89HDF\r\n\x1a\n")?;
/// let error = open(&path).err().unwrap();
/// assert!(matches!(error, FormatsError::OtherKind { .. }), "{error}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatsError {
    /// A safetensors file, or what the model makes of one of any format.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of PyTorch.
    #[error(transparent)]
    Torch(#[from] torch::Error),
    /// An array, or an archive of arrays, of NumPy.
    #[error("{}{source}", at(path.as_deref()))]
    Numpy {
        /// The file, if it is one and not only its bytes.
        path: Option<PathBuf>,
        /// What is wrong with it.
        source: NumpyError,
    },
    /// The index of a model in several files.
    #[error("{}: {source}", text::path(path))]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        source: IndexError,
    },
    /// A folder with the index of a model in several files, which is what is to be opened.
    #[error("{}: it is a folder; its model is opened by its index, {}", text::path(path), text::path(index))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The index.
        index: PathBuf,
    },
    /// A file of a kind that is known and not read.
    #[error("{}: it is {kind}, which is not read here: {}", text::path(path), kind.advice())]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: FileKind,
    },
    /// A file whose first bytes are those of no kind that is known.
    #[error(
        "{}: no file of weights that is known: neither safetensors or an index of such files, nor PyTorch's, nor npy or npz",
        text::path(path)
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

impl FormatsError {
    pub(crate) fn access(path: &Path, error: AccessError) -> Self {
        FileError::access(path, error).into()
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        FileError::Io { path: path.to_owned(), source }.into()
    }

    /// What is wrong with bytes, or with the file whose they are.
    pub(crate) fn numpy(path: Option<&Path>, source: NumpyError) -> Self {
        match (path, source) {
            (Some(path), NumpyError::Io(source)) => FormatsError::io(path, source),
            (path, source) => FormatsError::Numpy { path: path.map(Path::to_owned), source },
        }
    }
}

fn at(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", text::path(path)))
}
