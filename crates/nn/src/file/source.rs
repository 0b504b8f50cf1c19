//! What tensors are loaded from, whatever the file's format.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};
use std::path::Path;

use wengert_tensor::Shape;

use super::dtype;

/// A tensor in a file: its name, the type of its elements, and its shape.
///
/// ```
/// use std::io::Cursor;
/// use wengert_nn::tensor_file::{Reader, TensorEntry};
/// use wengert_nn::{Linear, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// Linear::new(params.at("out"), 2, 1);
/// let reader = Reader::new(Cursor::new(params.to_safetensors()?))?;
/// let entry: &TensorEntry<'_> = &reader.tensors()[1];
/// assert_eq!((entry.name(), entry.dtype(), &entry.shape()[..]), ("out.weight", "F64", &[1, 2][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TensorEntry<'a> {
    name: Cow<'a, str>,
    dtype: Cow<'a, str>,
    shape: Shape,
}

impl<'a> TensorEntry<'a> {
    /// A tensor of that name and shape. The type is spelled as in safetensors files: `F64`, `F32`, `F16`, `BF16`, `I64` …
    /// `I8`, `U64` … `U8`, `BOOL`, `C64`.
    ///
    /// ```
    /// use wengert_nn::tensor_file::TensorEntry;
    /// let entry = TensorEntry::new("mask", "BOOL", [3]);
    /// assert_eq!((entry.name(), entry.dtype(), entry.shape().count()), ("mask", "BOOL", 3));
    /// ```
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        dtype: impl Into<Cow<'a, str>>,
        shape: impl Into<Shape>,
    ) -> Self {
        TensorEntry { name: name.into(), dtype: dtype.into(), shape: shape.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its elements, as safetensors files spell it.
    pub fn dtype(&self) -> &str {
        &self.dtype
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bytes of its elements in a safetensors file, or `None` if these have no such type.
    ///
    /// ```
    /// use wengert_nn::tensor_file::TensorEntry;
    /// assert_eq!(TensorEntry::new("w", "BF16", [2, 3]).bytes(), Some(12));
    /// assert_eq!(TensorEntry::new("w", "QINT8", [2, 3]).bytes(), None);
    /// ```
    pub fn bytes(&self) -> Option<u64> {
        let count = self.shape.checked_count()? as u64;
        Some(dtype::bits(&self.dtype)?.checked_mul(count)? / 8)
    }
}

/// Tensors by name in a file of any format, from which [`Params::load_from`](crate::Params::load_from) takes a model.
///
/// A tensor is known by its place, a number that [`each`](Self::each) gives with it. What can be wrong with a file as such is told
/// when it is opened, by each format in its own way.
///
/// ```
/// use std::io::Error;
/// use wengert_nn::tensor_file::{TensorEntry, TensorSource};
/// use wengert_nn::{Init, Loading, Params};
///
/// /// One tensor of ones.
/// struct Ones;
///
/// impl TensorSource for Ones {
///     fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
///         visit(0, &TensorEntry::new("w", "F32", [2]));
///     }
///     fn read(&mut self, _: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
///         (0..2).try_for_each(|_| take(&1f32.to_le_bytes()))
///     }
/// }
///
/// let mut params: Params = Params::seeded(0);
/// params.root().param("w", [2], Init::Zeros);
/// params.load_from(&mut Ones, &Loading::new())?;
/// assert_eq!(params.values(), [1.0, 1.0]);
/// # Ok::<(), wengert_nn::FileError>(())
/// ```
pub trait TensorSource {
    /// Shows all tensors with their places, each time in the same order.
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>));

    /// Hands the elements of the tensor at this place, one of those that [`each`](Self::each) gave, to `take`: little-endian, in row-major order, in pieces of whole
    /// elements (those of fewer than eight bits packed as in safetensors files); for a tensor without elements there may be none.
    ///
    /// # Errors
    /// Those of `take`, and those of the file.
    fn read(&mut self, place: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>;

    /// Writes the elements of the tensor at this place, as [`read`](Self::read) hands them out, to as many bytes. A source that need not have
    /// them elsewhere first does so by itself.
    ///
    /// # Errors
    /// Those of the file, and if the tensor has another number of bytes.
    fn read_whole(&mut self, place: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let mut left = bytes;
        self.read(place, &mut |piece| {
            let (now, rest) =
                std::mem::take(&mut left).split_at_mut_checked(piece.len()).ok_or_else(not_whole)?;
            now.copy_from_slice(piece);
            left = rest;
            Ok(())
        })?;
        if left.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// Whether it is the [checkpoint](super::tensor_file::CHECKPOINT) of a run, in which the model is but a part.
    fn is_checkpoint(&self) -> bool {
        false
    }

    /// The file, for messages.
    fn path(&self) -> Option<&Path> {
        None
    }
}

/// What is said of a tensor of another number of bytes than it must have.
pub(super) fn not_whole() -> Error {
    Error::new(ErrorKind::InvalidData, "not the bytes of a whole tensor")
}

impl<S: TensorSource + ?Sized> TensorSource for Box<S> {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        (**self).each(visit);
    }

    fn read(&mut self, place: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        (**self).read(place, take)
    }

    fn read_whole(&mut self, place: usize, bytes: &mut [u8]) -> Result<(), Error> {
        (**self).read_whole(place, bytes)
    }

    fn is_checkpoint(&self) -> bool {
        (**self).is_checkpoint()
    }

    fn path(&self) -> Option<&Path> {
        (**self).path()
    }
}
