//! Tensors whose bytes stand in other files beside the model.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use wengert_tensor::{file, text};

use super::TensorProto;

/// The folder that external data is read from: that of the model, or none if the model was only bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct External {
    folder: Option<PathBuf>,
}

/// Why external data could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExternalError {
    #[error(
        "its numbers stand in the file {}, and there is no folder to look in: read the model by its path",
        text::quoted(location)
    )]
    NoFolder { location: String },
    #[error(
        "its numbers stand in the file {}, which is not below the model's folder",
        text::quoted(location)
    )]
    Outside { location: String },
    #[error("it names no file for its numbers, or `{key}` is no number of bytes")]
    Entry { key: String },
    #[error("{} bytes in the file {}, and its shape needs {expected}", found, text::quoted(location))]
    Length { location: String, found: u64, expected: usize },
    #[error("the file {}: {source}", text::quoted(location))]
    File { location: String, source: std::io::Error },
}

impl External {
    /// The value of `data_location` for a tensor in another file.
    pub(crate) const LOCATION: i32 = 1;

    /// Of a model at `path`.
    pub(crate) fn beside(path: &Path) -> Self {
        External { folder: Some(path.parent().unwrap_or(Path::new("")).to_owned()) }
    }

    /// Whether the tensor's numbers stand in another file.
    pub(crate) fn holds(&self, tensor: &TensorProto) -> bool {
        tensor.data_location == Some(Self::LOCATION)
    }

    /// The `length` bytes of a tensor.
    pub(crate) fn read(&self, tensor: &TensorProto, length: usize) -> Result<Vec<u8>, ExternalError> {
        let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| ExternalError::Entry { key: key.to_owned() }),
        };
        let Some(location) = entry("location").map(str::to_owned) else {
            return Err(ExternalError::Entry { key: "location".to_owned() });
        };
        let offset: u64 = number("offset")?.unwrap_or(0);
        let given: Option<u64> = number("length")?;
        if let Some(found) = given.filter(|&found| found != length as u64) {
            return Err(ExternalError::Length { location, found, expected: length });
        }
        let path = self.path(&location)?;
        let failed = |source: std::io::Error| ExternalError::File { location: location.clone(), source };
        let mut opened = file::open(&path).map_err(|error| failed(error.into()))?;
        // Before memory is taken for what is not there.
        let held = opened.metadata().map_err(failed)?.len().saturating_sub(offset);
        if held < length as u64 {
            return Err(ExternalError::Length { location, found: held, expected: length });
        }
        let mut bytes = vec![0; length];
        fill(&mut opened, offset, &mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// Where a file stands. Neither its name nor links may lead out of the folder.
    fn path(&self, location: &str) -> Result<PathBuf, ExternalError> {
        let Some(folder) = &self.folder else {
            return Err(ExternalError::NoFolder { location: location.to_owned() });
        };
        let outside = || ExternalError::Outside { location: location.to_owned() };
        let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !Path::new(location).components().all(plain) {
            return Err(outside());
        }
        let failed = |source| ExternalError::File { location: location.to_owned(), source };
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = here.canonicalize().map_err(failed)?;
        let path = folder.join(location).canonicalize().map_err(failed)?;
        if path.starts_with(&folder) { Ok(path) } else { Err(outside()) }
    }
}

fn fill(file: &mut File, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}
