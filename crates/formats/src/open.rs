//! Files of any kind, told by their first bytes.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use wengert_nn::tensor_file::{FileKind, Safetensors, TensorSource};
use wengert_nn::{LoadReport, Loading, Params};
use wengert_tensor::Float;
use wengert_tensor::file::AccessError;

use crate::error::FormatsError;
use crate::sharded::Sharded;
use crate::zip::Zip;
use crate::{npy, npz, torch};

/// What the index of a model in several files is called in its folder.
const INDEX: &str = "model.safetensors.index.json";

/// Opens a file of tensors, whatever its name: safetensors, the index of several such files, a state dict of PyTorch (of version 0.1.10
/// or later, possibly in a dict under a usual key: see [`torch`]), an array of NumPy, or an archive of those.
///
/// ```
/// use wengert_formats::{npz, open};
/// use wengert_nn::tensor_file::read_tensor;
/// use wengert_tensor::Tensor;
/// let path = std::env::temp_dir().join("wengert-open.pt"); // the name says nothing
/// npz::Arrays::new().with("w", &Tensor::from([[1.0f32, 2.0]])).write(&path)?;
/// let mut source = open(&path)?;
/// assert_eq!(read_tensor::<f64>(&mut source, "w")?, Tensor::from([[1.0, 2.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FormatsError::OtherKind`] for a file that is something else, [`FormatsError::Unknown`] if nobody knows what,
/// [`FormatsError::Folder`] for a folder with the index of a model, and those of the format.
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn TensorSource>, FormatsError> {
    let path = path.as_ref();
    let mut file = match wengert_tensor::file::open(path) {
        Ok(file) => file,
        Err(AccessError::NotAFile { .. }) if path.join(INDEX).is_file() => {
            return Err(FormatsError::Folder { path: path.to_owned(), index: path.join(INDEX) });
        }
        Err(error) => return Err(FormatsError::access(path, error)),
    };
    let mut head = Vec::new();
    let io = |error| FormatsError::io(path, error);
    (&mut file).take(FileKind::HEAD as u64).read_to_end(&mut head).map_err(io)?;
    Ok(match FileKind::of(&head) {
        Some(FileKind::Safetensors) => Box::new(Safetensors::open(path)?),
        Some(FileKind::Json) => Box::new(Sharded::open(path)?),
        Some(FileKind::Zip) if has_arrays(file).map_err(io)? => Box::new(npz::File::open(path)?),
        Some(FileKind::Zip | FileKind::LegacyTorch) => Box::new(torch::File::open(path)?.state_dict()?),
        Some(FileKind::Npy) => Box::new(npy::File::open(path)?),
        Some(kind) => return Err(FormatsError::OtherKind { path: path.to_owned(), kind }),
        None => return Err(FormatsError::Unknown { path: path.to_owned() }),
    })
}

/// Loads a model from a file of any kind that [`open`] knows: see [`Params::load_from`].
///
/// ```
/// use wengert_formats::{load, npz};
/// use wengert_nn::{Linear, Loading, Params};
/// let path = std::env::temp_dir().join("wengert-load.npz");
/// let mut saved: Params = Params::seeded(0);
/// Linear::new(saved.at("out"), 3, 2);
/// npz::save(&saved, &path)?;
/// let mut params: Params = Params::seeded(1);
/// Linear::new(params.at("out"), 3, 2);
/// load(&mut params, &path, &Loading::new())?;
/// assert_eq!(params.values(), saved.values());
/// # Ok::<(), wengert_formats::FormatsError>(())
/// ```
///
/// # Errors
/// As [`open`], and those of [`Params::load_with`]. Nothing changes on an error.
pub fn load<T: Float>(
    params: &mut Params<T>,
    path: impl AsRef<Path>,
    loading: &Loading<'_>,
) -> Result<LoadReport, FormatsError> {
    Ok(params.load_from(&mut open(path)?, loading)?)
}

/// Whether an archive is one of arrays: there is one, or nothing at all, which is NumPy's archive of no arrays. What is wrong with the archive is told by what reads it.
fn has_arrays(mut file: File) -> Result<bool, std::io::Error> {
    let length = file.metadata()?.len();
    file.rewind()?;
    let Ok(zip) = Zip::read(&mut BufReader::new(file), length) else { return Ok(false) };
    let mut entries = zip.entries().peekable();
    Ok(entries.peek().is_none() || entries.any(|entry| entry.name.ends_with(npz::SUFFIX.as_bytes())))
}
