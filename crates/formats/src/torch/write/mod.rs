//! Writing state dicts.

pub(super) mod pickle;

use std::collections::HashSet;
use std::io::{Error as IoError, Write};
use std::path::Path;

use wengert_nn::Params;
use wengert_nn::tensor_file::{NamedTensor, Numbers, each_piece};
use wengert_tensor::file::write_atomically;
use wengert_tensor::{ElementKind, Float, text};

use super::dtype::Dtype;
use super::error::{Error, Problem};
use pickle::Object;

use crate::zip::ZipWriter;

/// The folder of all records, which is what PyTorch calls it when it does not write to a path.
const FOLDER: &str = "archive/";
/// What stands in the archive beside pickle and storages.
const RECORDS: [(&str, &[u8]); 3] =
    [(".format_version", b"1"), (".storage_alignment", b"64"), ("byteorder", b"little")];

/// Writes all parameters, buffers and counts of a model as a state dict that `torch.load(path, weights_only=True)` reads and
/// `load_state_dict` takes, of PyTorch 1.6 and later. The file appears whole or not at all; see [`write_atomically`].
///
/// # Errors
/// [`Problem::Io`] if the file cannot be written, [`Problem::NotAFile`] if the path leads to a folder, a device or a FIFO.
///
/// ```
/// use wengert_formats::torch;
/// use wengert_nn::{Linear, Loading, Params};
/// let path = std::env::temp_dir().join("wengert-torch-save.pt");
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// torch::save(&params, &path)?;
///
/// let mut other: Params = Params::seeded(1);
/// Linear::new(other.at("out"), 3, 2);
/// other.load_from(&mut torch::File::open(&path)?.state_dict()?, &Loading::new())?;
/// assert_eq!(other.values(), params.values());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<T: Float>(params: &Params<T>, path: impl AsRef<Path>) -> Result<(), Error> {
    with_tensors(params, |tensors| to_file(&tensors, path.as_ref()))
}

/// What [`save`] writes.
///
/// # Errors
/// None but those of a name that is longer than archives can have.
///
/// ```
/// use wengert_formats::torch;
/// let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
/// assert!(torch::to_bytes(&params)?.starts_with(b"PK"));
/// # Ok::<(), torch::Error>(())
/// ```
pub fn to_bytes<T: Float>(params: &Params<T>) -> Result<Vec<u8>, Error> {
    with_tensors(params, |tensors| {
        let mut bytes = Vec::new();
        write(&tensors, &mut bytes).map_err(|problem| Error::new(None, problem))?;
        Ok(bytes)
    })
}

/// Writes tensors under their names, as [`save`] does: of types `F32`, `F64` and `I64`.
///
/// # Errors
/// As [`save`]; [`Problem::Tensor`] if a name is there twice, a shape is not that of as many numbers, or PyTorch has no storage
/// for the type.
///
/// ```
/// use wengert_formats::torch;
/// use wengert_nn::tensor_file::{NamedTensor, Numbers, each_piece};
/// let path = std::env::temp_dir().join("wengert-torch-tensors.pt");
/// let ids = NamedTensor::new("ids", [2], Numbers::from(&[1i64, 2][..]));
/// torch::save_tensors(&[ids], &path)?;
/// let file = torch::File::open(&path)?;
/// assert_eq!(file.root().get("ids").and_then(|ids| ids.tensor()).unwrap().dtype(), "I64");
/// # Ok::<(), torch::Error>(())
/// ```
pub fn save_tensors(tensors: &[NamedTensor<'_>], path: impl AsRef<Path>) -> Result<(), Error> {
    let path = path.as_ref();
    let tensors = tensors.iter().map(|tensor| {
        let dtype = match tensor.numbers() {
            Numbers::F32(_) | Numbers::F64(_) | Numbers::I64(_) => Dtype::of_name(tensor.numbers().dtype()),
            _ => None,
        };
        let wrong = |reason: &str| {
            let (name, reason) = (text::shortened(tensor.name()), reason.to_owned());
            Error::new(Some(path), Problem::Tensor { name, reason })
        };
        let dtype = dtype.ok_or_else(|| wrong("has elements of a type for which PyTorch has no storage"))?;
        if tensor.shape().checked_count() != Some(tensor.numbers().len()) {
            return Err(wrong("has not as many numbers as its shape says"));
        }
        Ok(Stored {
            name: tensor.name(),
            shape: tensor.shape(),
            dtype,
            count: tensor.numbers().len(),
            bytes: Box::new(move |take| tensor.numbers().each_piece(take)),
        })
    });
    to_file(&tensors.collect::<Result<Vec<_>, _>>()?, path)
}

/// Shows bytes to a function, piece by piece, until it fails.
pub(super) type Pieces<'a> =
    Box<dyn Fn(&mut dyn FnMut(&[u8]) -> Result<(), IoError>) -> Result<(), IoError> + 'a>;

/// A tensor that is to be written.
pub(super) struct Stored<'a> {
    pub(super) name: &'a str,
    pub(super) shape: &'a [usize],
    pub(super) dtype: &'static Dtype,
    pub(super) count: usize,
    pub(super) bytes: Pieces<'a>,
}

impl<'a> Stored<'a> {
    /// Of these values.
    pub(super) fn of<T: Float>(name: &'a str, shape: &'a [usize], values: &'a [T]) -> Self {
        let dtype = Dtype::of_name(match T::KIND {
            ElementKind::F64 => "F64",
            _ => "F32",
        });
        let (dtype, count) = (dtype.expect("it is in the list"), values.len());
        Stored { name, shape, dtype, count, bytes: Box::new(move |take| each_piece(values, take)) }
    }
}

/// Shows all tensors of a model.
pub(super) fn with_tensors<T: Float, R>(params: &Params<T>, write: impl FnOnce(Vec<Stored<'_>>) -> R) -> R {
    let (buffers, counts) = (params.buffers(), params.counts());
    let buffers: Vec<_> = buffers.iter().map(|(name, buffer)| (name, buffer.contiguous())).collect();
    let buffers = buffers.iter().map(|(name, buffer)| {
        (name.as_str(), buffer.shape(), buffer.as_slice().expect("they were made contiguous"))
    });
    let tensors = params.iter().chain(buffers).map(|(name, shape, values)| Stored::of(name, shape, values));
    let counts = counts.iter().map(|(name, count)| Stored {
        name,
        shape: &[],
        dtype: Dtype::of_name("I64").expect("it is in the list"),
        count: 1,
        bytes: Box::new(move |take| take(&count.to_le_bytes())),
    });
    write(tensors.chain(counts).collect())
}

fn to_file(tensors: &[Stored<'_>], path: &Path) -> Result<(), Error> {
    write_atomically(path, |file| write(tensors, file)).map_err(|problem| Error::new(Some(path), problem))
}

fn write(tensors: &[Stored<'_>], out: &mut impl Write) -> Result<(), Problem> {
    let mut names = HashSet::new();
    if let Some(twice) = tensors.iter().find(|tensor| !names.insert(tensor.name)) {
        let (name, reason) = (text::shortened(twice.name), String::from("is there twice"));
        return Err(Problem::Tensor { name, reason });
    }
    archive(&Object::StateDict(tensors.len()), tensors, out)
}

/// Writes an object, and the tensors in it.
pub(super) fn archive(
    object: &Object<'_>,
    tensors: &[Stored<'_>],
    out: &mut impl Write,
) -> Result<(), Problem> {
    let mut archive = ZipWriter::new(out, FOLDER);
    archive.add("data.pkl", &pickle::pickle(object, tensors))?;
    RECORDS.into_iter().try_for_each(|(name, bytes)| archive.add(name, bytes))?;
    for (key, tensor) in tensors.iter().enumerate() {
        archive.add_pieces(&format!("data/{key}"), &tensor.bytes)?;
    }
    archive.add("version", b"3\n")?;
    Ok(archive.finish()?)
}
