//! Files of tensors with texts beside them: [safetensors](https://github.com/huggingface/safetensors) as such, whatever the
//! tensors are.
//!
//! [`Params::save`](crate::Params::save) and [`load`](crate::Params::load) are what models need. This is for what keeps more.
//!
//! ```
//! use std::io::Cursor;
//! use wengert_nn::tensor_file::{NamedTensor, Numbers, Reader, Writer};
//!
//! let tensor = NamedTensor::new("means", [2], Numbers::from(&[0.5f32, f32::NAN][..]));
//! let mut bytes = Vec::new();
//! Writer::new(&[("made by", "hand")], vec![tensor])?.write(&mut bytes)?;
//!
//! let mut reader = Reader::new(Cursor::new(bytes))?;
//! assert_eq!(reader.texts()["made by"], "hand");
//! assert_eq!(reader.tensors()[0].name(), "means");
//! assert_eq!(reader.numbers(0, |_| {})?.unwrap().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Error, Seek, SeekFrom, Write};

use wengert_tensor::{Shape, text};

use super::FormatError;
use super::header::{self, Header};

#[doc(hidden)]
pub use super::dtype::each_piece;
pub use super::kind::FileKind;
#[doc(hidden)]
pub use super::pieces::read_pieces;
pub use super::safetensors::Safetensors;
pub use super::source::{TensorEntry, TensorSource};
pub use super::tensors::read_tensor;

/// The entry of the metadata that marks the file of a whole run: its value is the version of that format.
pub const CHECKPOINT: &str = "wengert.checkpoint";
/// What the names of a model's parameters begin with in the file of a run.
pub const MODEL: &str = "model.";
/// What the names of a model's buffers and counts begin with in the file of a run.
pub const BUFFERS: &str = "buffers.";

/// Numbers that are turned into bytes at a time.
const CHUNK: usize = 1 << 16;

/// The numbers of a tensor, in the types that states have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Numbers<'a> {
    /// Single precision.
    F32(Cow<'a, [f32]>),
    /// Double precision.
    F64(Cow<'a, [f64]>),
    /// Whole numbers of either sign.
    I64(Cow<'a, [i64]>),
    /// Whole numbers.
    U64(Cow<'a, [u64]>),
}

macro_rules! numbers {
    ($($kind:ident($number:ty) $name:literal),*) => {
        impl Numbers<'_> {
            /// How many there are.
            pub fn len(&self) -> usize {
                match self { $(Numbers::$kind(values) => values.len()),* }
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The name of their type in the format.
            pub fn dtype(&self) -> &'static str {
                match self { $(Numbers::$kind(_) => $name),* }
            }

            /// The bytes of one.
            fn width(&self) -> u64 {
                match self { $(Numbers::$kind(_) => size_of::<$number>() as u64),* }
            }

            /// Shows their bytes, in the order of the format, piece by piece.
            ///
            /// # Errors
            /// Those of `take`.
            ///
            /// ```
            /// use wengert_nn::tensor_file::Numbers;
            /// let mut bytes = Vec::new();
            /// Numbers::from(&[1.0f32][..]).each_piece(|piece| Ok(bytes.extend_from_slice(piece)))?;
            /// assert_eq!(bytes, [0, 0, 128, 63]);
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn each_piece(&self, mut take: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
                let mut bytes = vec![0; CHUNK.min(self.len()) * self.width() as usize];
                match self {
                    $(Numbers::$kind(values) => for piece in values.chunks(CHUNK) {
                        let bytes = &mut bytes[..size_of_val(piece)];
                        bytes.as_chunks_mut().0.iter_mut().zip(piece).for_each(|(to, x)| *to = x.to_le_bytes());
                        take(bytes)?;
                    }),*
                }
                Ok(())
            }

            /// None yet, of the type of this name.
            fn none(dtype: &str) -> Option<Numbers<'static>> {
                match dtype {
                    $($name => Some(Numbers::$kind(Cow::Owned(Vec::new()))),)*
                    _ => None,
                }
            }

            fn reserve(&mut self, count: usize) {
                match self { $(Numbers::$kind(values) => values.to_mut().reserve_exact(count)),* }
            }

            /// Appends those of these bytes.
            fn push(&mut self, bytes: &[u8]) {
                match self {
                    $(Numbers::$kind(values) => {
                        values.to_mut().extend(bytes.as_chunks().0.iter().map(|&b| <$number>::from_le_bytes(b)));
                    }),*
                }
            }
        }

        $(impl<'a> From<&'a [$number]> for Numbers<'a> {
            fn from(values: &'a [$number]) -> Self {
                Numbers::$kind(Cow::Borrowed(values))
            }
        })*
    };
}

numbers!(F32(f32) "F32", F64(f64) "F64", I64(i64) "I64", U64(u64) "U64");

/// A tensor that is to be written.
#[derive(Clone, Debug)]
pub struct NamedTensor<'a> {
    name: Cow<'a, str>,
    shape: Shape,
    numbers: Numbers<'a>,
}

impl<'a> NamedTensor<'a> {
    /// A tensor of that name and shape.
    pub fn new(name: impl Into<Cow<'a, str>>, shape: impl Into<Shape>, numbers: Numbers<'a>) -> Self {
        NamedTensor { name: name.into(), shape: shape.into(), numbers }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its numbers.
    pub fn numbers(&self) -> &Numbers<'a> {
        &self.numbers
    }
}

/// What writes a file: see the [module](self).
#[derive(Debug)]
pub struct Writer<'a> {
    header: Vec<u8>,
    tensors: Vec<NamedTensor<'a>>,
}

impl<'a> Writer<'a> {
    /// Of these texts, by keys, and tensors: those of longer elements come first, and then by name.
    ///
    /// # Errors
    /// If a name is there twice or reserved, a shape is not that of as many numbers, or names and texts are longer than
    /// the format allows.
    pub fn new(texts: &[(&str, &str)], mut tensors: Vec<NamedTensor<'a>>) -> Result<Self, FormatError> {
        let wrong = |name: &str, reason| Err(FormatError::Tensor { name: text::shortened(name), reason });
        let mut names = HashSet::new();
        for tensor in &tensors {
            if header::is_reserved(&tensor.name) {
                return wrong(&tensor.name, "is a name that the format keeps for itself");
            }
            if !names.insert(&*tensor.name) {
                return wrong(&tensor.name, "is there twice");
            }
            if tensor.shape.checked_count() != Some(tensor.numbers.len()) {
                return wrong(&tensor.name, "has not as many numbers as its shape says");
            }
        }
        tensors.sort_by(|a, b| (b.numbers.width().cmp(&a.numbers.width())).then_with(|| a.name.cmp(&b.name)));
        let entries = tensors.iter().map(|t| (&*t.name, t.numbers.dtype(), &t.shape, t.numbers.width()));
        Ok(Writer { header: header::compose(texts, entries)?, tensors })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> Result<(), Error> {
        out.write_all(&self.header)?;
        self.tensors.iter().try_for_each(|tensor| tensor.numbers.each_piece(|bytes| out.write_all(bytes)))
    }
}

/// Why a file could not be read.
///
/// ```
/// use std::io::Cursor;
/// use wengert_nn::FormatError;
/// use wengert_nn::tensor_file::{ReadError, Reader};
/// let error = Reader::new(Cursor::new(b"short")).err().unwrap();
/// assert!(matches!(error, ReadError::Format(FormatError::TooShort { found: 5 })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes could not be had.
    #[error(transparent)]
    Io(#[from] Error),
    /// They are not a file of this format.
    #[error("not a safetensors file: {0}")]
    Format(#[from] FormatError),
}

/// What reads a file: see the [module](self).
#[derive(Debug)]
pub struct Reader<R> {
    file: R,
    start: u64,
    texts: BTreeMap<String, String>,
    tensors: Vec<TensorEntry<'static>>,
    /// Where the bytes of each begin and end.
    ranges: Vec<(u64, u64)>,
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads what there is, but no tensor's numbers. The names are in their order.
    ///
    /// # Errors
    /// If the file cannot be read, or is at odds with the format or with itself: tensors must lie one after another and
    /// fill it, with as many bytes as their types and shapes say, no name twice.
    pub fn new(mut file: R) -> Result<Self, ReadError> {
        let length = file.seek(SeekFrom::End(0))?;
        let header = Header::read(&mut file, length)??;
        let ranges = header.check()?;
        let mut tensors = Vec::with_capacity(ranges.len());
        header.each(|name, entry| {
            let dtype = entry.dtype.into_owned();
            tensors.push((TensorEntry::new(name.to_owned(), dtype, entry.shape.shape()), entry.data_offsets));
        })?;
        tensors.sort_unstable_by(|(a, _), (b, _)| a.name().cmp(b.name()));
        if let Some(twice) = tensors.windows(2).find(|pair| pair[0].0.name() == pair[1].0.name()) {
            let name = text::shortened(twice[0].0.name());
            return Err(FormatError::Tensor { name, reason: "is there twice" }.into());
        }
        let (tensors, ranges) = tensors.into_iter().unzip();
        let (mut texts, mut odd) = (BTreeMap::new(), false);
        header.each_text(|key, value| match value {
            Some(value) => odd |= texts.insert(key.to_owned(), value.into_owned()).is_some(),
            None => odd = true,
        })?;
        if odd {
            let reason = "the metadata are no texts by name, each there once".into();
            return Err(FormatError::Header { reason }.into());
        }
        Ok(Reader { file, start: header.start, texts, tensors, ranges })
    }

    /// The texts of the metadata.
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &[TensorEntry<'static>] {
        &self.tensors
    }

    /// The numbers of the tensor at this place in [`tensors`](Reader::tensors), whose bytes are also shown to `seen`;
    /// `None` if they are of a type that [`Numbers`] has not.
    ///
    /// # Errors
    /// If the file cannot be read.
    ///
    /// # Panics
    /// If there are not that many tensors.
    #[track_caller]
    pub fn numbers(
        &mut self,
        index: usize,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<Option<Numbers<'static>>, Error> {
        let count = self.tensors.len();
        let Some(tensor) = self.tensors.get(index) else {
            panic!("tensor_file: tensor {index} of a file with {count}");
        };
        let Some(mut numbers) = Numbers::none(tensor.dtype()) else { return Ok(None) };
        numbers.reserve(tensor.shape().count());
        let (start, end) = self.ranges[index];
        self.file.seek(SeekFrom::Start(self.start + start))?;
        read_pieces(&mut self.file, end - start, &mut |piece| {
            seen(piece);
            numbers.push(piece);
            Ok(())
        })?;
        Ok(Some(numbers))
    }
}
