//! Files of any kind, told by their first bytes.

use std::io::{BufRead, BufReader, Read, Seek};
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
    let file = wengert_tensor::file::open(path).map_err(|error| no_file(path, error))?;
    any(path, BufReader::new(file), |path| Ok(Box::new(Sharded::open(path)?)))
}

/// Like [`open`], of the file as memory, with the feature `mmap`: the bytes of a tensor that stand in the file as they are wanted are not
/// copied before they become numbers, and the system forgets what it needs the memory for. So a file may be larger than memory, and what
/// is read of it twice is read from the disk once.
///
/// The file must stay as it is as long as it is open: see [`map`](wengert_tensor::file::map).
///
/// ```
/// use wengert_formats::{map, npz};
/// use wengert_nn::tensor_file::read_tensor;
/// use wengert_tensor::Tensor;
/// let path = std::env::temp_dir().join("wengert-map.npz");
/// npz::Arrays::new().with("w", &Tensor::from([[1.0f32, 2.0]])).write(&path)?;
/// assert_eq!(read_tensor::<f64>(&mut map(&path)?, "w")?, Tensor::from([[1.0, 2.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`open`].
#[cfg(feature = "mmap")]
pub fn map(path: impl AsRef<Path>) -> Result<Box<dyn TensorSource>, FormatsError> {
    let path = path.as_ref();
    any(path, mapped(path)?, |path| Ok(Box::new(Sharded::map(path)?)))
}

/// The bytes of a file as memory.
#[cfg(feature = "mmap")]
pub(crate) fn mapped(path: &Path) -> Result<std::io::Cursor<wengert_tensor::file::Mapped>, FormatsError> {
    wengert_tensor::file::map(path).map(std::io::Cursor::new).map_err(|error| no_file(path, error))
}

fn no_file(path: &Path, error: AccessError) -> FormatsError {
    match error {
        AccessError::NotAFile { .. } if path.join(INDEX).is_file() => {
            FormatsError::Folder { path: path.to_owned(), index: path.join(INDEX) }
        }
        error => FormatsError::access(path, error),
    }
}

/// The file at this path, of whatever kind; `index` opens that of a model in several files.
fn any(
    path: &Path,
    mut file: impl BufRead + Seek + Send + 'static,
    index: impl FnOnce(&Path) -> Result<Box<dyn TensorSource>, FormatsError>,
) -> Result<Box<dyn TensorSource>, FormatsError> {
    let mut head = Vec::new();
    let read = (&mut file).take(FileKind::HEAD as u64).read_to_end(&mut head).and_then(|_| file.rewind());
    read.map_err(|error| FormatsError::io(path, error))?;
    Ok(match FileKind::of(&head) {
        Some(FileKind::Safetensors) => Box::new(Safetensors::at(path, file)?),
        Some(FileKind::Json) => index(path)?,
        Some(FileKind::Zip) => {
            let zip = Zip::of(&mut file);
            match zip.as_ref().is_ok_and(has_arrays) {
                true => Box::new(npz::File::at(path, file, zip)?),
                false => Box::new(torch::File::archive(path, Box::new(file), zip)?.state_dict()?),
            }
        }
        Some(FileKind::LegacyTorch) => Box::new(torch::File::at(path, Box::new(file))?.state_dict()?),
        Some(FileKind::Npy) => Box::new(npy::File::at(path, file)?),
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

/// Whether an archive is one of arrays: there is one, or nothing at all, which is NumPy's archive of no arrays. What is wrong with an
/// archive is told by what reads it.
fn has_arrays(zip: &Zip) -> bool {
    let mut entries = zip.entries().peekable();
    entries.peek().is_none() || entries.any(|entry| entry.name.ends_with(npz::SUFFIX.as_bytes()))
}
