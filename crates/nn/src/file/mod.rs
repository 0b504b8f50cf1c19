//! Parameters in safetensors files.

mod dtype;
mod entry;
mod error;
mod header;
mod kind;
mod load;
mod loading;
mod pattern;
mod pieces;
mod prefix;
mod safetensors;
mod source;
pub mod tensor_file;
mod tensors;

pub use error::{FileError, FormatError, StoredTensor};
pub(crate) use header::is_reserved;
pub use loading::{LoadReport, Loading, MisshapenTensor, MissingTensor};

use std::io::{Cursor, Error, Write};
use std::path::Path;

use wengert_tensor::file::write_atomically;
use wengert_tensor::{Float, Shape, Tensor};

use crate::params::Params;

use source::{TensorEntry, TensorSource};
use tensor_file::Safetensors;

impl<T: Float> Params<T> {
    /// Writes all parameters and buffers to a [safetensors](https://github.com/huggingface/safetensors) file, under their
    /// names and in their own element type, to the bit, counts as `I64` without axes. The file appears whole or not at all; symbolic links are
    /// followed, and a file that is there keeps its mode: see [`write_atomically`].
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be written, [`FileError::NotAFile`] if the path leads to a folder, a device or
    /// a FIFO, [`FileError::Format`] if the names take more than the format's limit of 100 MB.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("model.safetensors");
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// params.save(&path)?;
    ///
    /// let mut other: Params = Params::seeded(1);
    /// Linear::new(other.at("out"), 3, 2);
    /// other.load(&path)?;
    /// assert_eq!(other.values(), params.values());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        let buffers = contiguous(self);
        let (counts, tensors) = (self.counts(), sorted(self, &buffers));
        let header = compose(&counts, &tensors, Some(path))?;
        write_atomically(path, |file| Ok(write(&header, &counts, &tensors, file)?))
            .map_err(|error| FileError::access(path, error))
    }

    /// Replaces all parameters and buffers by those in a safetensors file, such as one written by PyTorch, converting
    /// elements of 16, 32 or 64 bits, counts from whole numbers of 32 or 64. Nothing changes on an error. Entries of another
    /// kind that the model does not have, such as the integer `num_batches_tracked` of PyTorch's batch normalisation, are
    /// passed over. Out of a run's [checkpoint](tensor_file::CHECKPOINT) it takes the model.
    ///
    /// Only what the model needs is read: beside the model's size this takes the memory of the file's header.
    ///
    /// # Errors
    /// Every way in which a file can be wrong has its own [`FileError`]: it cannot be read, is no safetensors file (other formats are
    /// told by their first bytes, with what reads them), lacks a
    /// parameter, has a tensor of floating-point numbers that is none, or one of another shape, of a type that is no
    /// floating-point number, or with a number that is too large.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), FileError> {
        self.load_with(path, &Loading::new()).map(drop)
    }

    /// Like [`load`](Params::load), with the names of the file made those of the model, or only a part of it: see
    /// [`Loading`]. Nothing changes on an error.
    ///
    /// # Errors
    /// As [`load`](Params::load); [partially](Loading::partial) neither missing, unexpected nor misshapen tensors are errors.
    ///
    /// ```
    /// use wengert_nn::{Linear, Loading, Params};
    /// let path = std::env::temp_dir().join("wengert-load-with.safetensors");
    /// let mut old: Params<f64> = Params::seeded(0);
    /// Linear::new(old.at("module.out"), 2, 1);
    /// old.save(&path)?;
    /// let mut params: Params<f64> = Params::seeded(1);
    /// Linear::new(params.at("out"), 2, 1);
    /// let report = params.load_with(&path, &Loading::new().strip("module."))?;
    /// assert!(report.is_complete() && params.values() == old.values());
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    pub fn load_with(
        &mut self,
        path: impl AsRef<Path>,
        loading: &Loading<'_>,
    ) -> Result<LoadReport, FileError> {
        self.load_from(&mut Safetensors::open(path)?, loading)
    }

    /// Like [`load_with`](Params::load_with), from a file of any format that somebody can read: see [`TensorSource`].
    ///
    /// # Errors
    /// As [`load_with`](Params::load_with), apart from what is wrong with the file as such.
    pub fn load_from(
        &mut self,
        source: &mut dyn TensorSource,
        loading: &Loading<'_>,
    ) -> Result<LoadReport, FileError> {
        load::load(self, source, loading)
    }

    /// What [`save`](Params::save) writes.
    ///
    /// # Errors
    /// [`FileError::Format`] if the names take more than the format's limit of 100 MB.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// Linear::new(params.root(), 2, 1);
    /// let bytes = params.to_safetensors()?;
    /// let mut other: Params<f64> = Params::seeded(1);
    /// Linear::new(other.root(), 2, 1);
    /// other.load_safetensors(&bytes)?;
    /// assert_eq!(other.values(), params.values());
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    pub fn to_safetensors(&self) -> Result<Vec<u8>, FileError> {
        let buffers = contiguous(self);
        let (counts, tensors) = (self.counts(), sorted(self, &buffers));
        let header = compose(&counts, &tensors, None)?;
        let elements: usize = tensors.iter().map(|(_, _, values)| values.len()).sum();
        let bytes = counts.len() * size_of::<i64>() + elements * size_of::<T>();
        let mut bytes = Vec::with_capacity(header.len() + bytes);
        write(&header, &counts, &tensors, &mut bytes).expect("memory can be written to");
        Ok(bytes)
    }

    /// Like [`load`](Params::load), from bytes.
    ///
    /// # Errors
    /// As [`load`](Params::load), apart from reading.
    pub fn load_safetensors(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.load_safetensors_with(bytes, &Loading::new()).map(drop)
    }

    /// Like [`load_with`](Params::load_with), from bytes.
    ///
    /// # Errors
    /// As [`load_with`](Params::load_with), apart from reading.
    pub fn load_safetensors_with(
        &mut self,
        bytes: &[u8],
        loading: &Loading<'_>,
    ) -> Result<LoadReport, FileError> {
        let mut source =
            Safetensors::new(Cursor::new(bytes)).map_err(|error| FileError::read(None, error, bytes))?;
        self.load_from(&mut source, loading)
    }
}

/// Name, shape and elements.
type Named<'a, T> = (&'a str, &'a Shape, &'a [T]);

fn contiguous<T: Float>(params: &Params<T>) -> Vec<(String, Tensor<T>)> {
    params.buffers().into_iter().map(|(name, buffer)| (name, buffer.contiguous())).collect()
}

/// All parameters and buffers by name, the order of the format's own writer.
fn sorted<'a, T: Float>(params: &'a Params<T>, buffers: &'a [(String, Tensor<T>)]) -> Vec<Named<'a, T>> {
    let buffers = buffers.iter().map(|(name, buffer)| {
        (name.as_str(), buffer.shape(), buffer.as_slice().expect("they were made contiguous"))
    });
    let mut tensors: Vec<_> = params.iter().chain(buffers).collect();
    tensors.sort_unstable_by_key(|&(name, _, _)| name);
    tensors
}

/// Types of longer elements come first, as in the format's own writer, and among those of eight bytes whole numbers.
fn compose<T: Float>(
    counts: &[(String, i64)],
    tensors: &[Named<'_, T>],
    path: Option<&Path>,
) -> Result<Vec<u8>, FileError> {
    let no_axes = load::count_shape();
    let counts =
        sorted_counts(counts).map(|(name, _)| (name, dtype::COUNT, &no_axes, size_of::<i64>() as u64));
    let tensors =
        tensors.iter().map(|&(name, shape, _)| (name, dtype::name_of::<T>(), shape, size_of::<T>() as u64));
    header::compose(&[], counts.chain(tensors))
        .map_err(|source| FileError::Format { path: path.map(Path::to_owned), source })
}

fn sorted_counts(counts: &[(String, i64)]) -> impl Iterator<Item = (&str, i64)> {
    let mut sorted: Vec<_> = counts.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    sorted.sort_unstable();
    sorted.into_iter()
}

fn write<T: Float>(
    header: &[u8],
    counts: &[(String, i64)],
    tensors: &[Named<'_, T>],
    out: &mut impl Write,
) -> Result<(), Error> {
    out.write_all(header)?;
    sorted_counts(counts).try_for_each(|(_, value)| out.write_all(&value.to_le_bytes()))?;
    tensors.iter().try_for_each(|(_, _, values)| dtype::each_piece(values, &mut |bytes| out.write_all(bytes)))
}
