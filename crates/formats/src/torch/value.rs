//! What a file holds, looked at.

use std::fmt::{Debug, Formatter};

use wengert_tensor::{Shape, text};

use super::error::{Error, Problem};
use super::file::File;
use super::layout;
use super::pickle::{Content, Id, Node};

/// Elements that a tensor may have beyond those of its storage to be read whole: 16 million. `expand` makes such tensors, of
/// any size from a single number.
const EXPANDED: usize = 1 << 24;
/// Items that a description shows.
const SHOWN: usize = 8;

/// An object of a file.
///
/// ```
/// use wengert_formats::torch::{File, Value};
/// // torch.save([None, True, 7, 0.5, "a"], …) of PyTorch 1.5.
/// let bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\
///     \x80\x02](N\x88K\x07G\x3f\xe0\0\0\0\0\0\0X\x01\0\0\0ae.\x80\x02].";
/// let file = File::from_bytes(*bytes)?;
/// let items: Vec<Value<'_>> = file.root().items().unwrap().iter().collect();
/// assert!(matches!(items[..], [Value::None, Value::Bool(true), Value::Int(7), Value::Float(0.5), Value::Text("a")]));
/// # Ok::<(), wengert_formats::torch::Error>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number.
    Float(f64),
    /// A complex number's parts.
    Complex(f64, f64),
    /// A text.
    Text(&'a str),
    /// Bytes, or a text of Python 2 that is not UTF-8.
    Bytes(&'a [u8]),
    /// A list, a tuple, a set or a `torch.Size`.
    List(Items<'a>),
    /// A dict of any class.
    Dict(Dict<'a>),
    /// A tensor or a parameter.
    Tensor(StoredTensor<'a>),
    /// What Python has a name for, such as `torch.float32`, or a device such as `cuda:0`.
    Name(&'a str),
    /// A storage that no tensor views.
    Storage,
}

impl<'a> Value<'a> {
    pub(super) fn new(file: &'a File, id: Id) -> Self {
        let heap = &file.heap;
        match heap.node(id) {
            Node::None => Value::None,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(number) => Value::Int((*number).into()),
            Node::Wide(number) => Value::Int(**number),
            Node::Float(number) => Value::Float(*number),
            Node::Complex(parts) => Value::Complex(parts[0], parts[1]),
            Node::Bytes(span) => Value::Bytes(heap.bytes(*span)),
            Node::Text(_) => Value::Text(heap.text(id).unwrap_or_default()),
            Node::List(items) | Node::Set(items) => Value::List(Items { file, items }),
            Node::Tuple(items) => Value::List(Items { file, items }),
            Node::Dict(pairs) => Value::Dict(Dict { file, pairs }),
            Node::Tensor(index) => Value::Tensor(StoredTensor { file, index: *index }),
            Node::Global(global) => Value::Name(global.name()),
            Node::Named(span) => Value::Name(std::str::from_utf8(heap.bytes(*span)).unwrap_or_default()),
            Node::Storage(_) => Value::Storage,
        }
    }

    /// What a dict has under a text: `None` also if it is no dict.
    ///
    /// ```
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let file = torch::File::from_bytes(torch::to_bytes(&params)?)?;
    /// assert!(file.root().get("epoch").is_none());
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.dict()?.get(key)
    }

    /// The whole number that it is, if an `i64` has room for it.
    pub fn int(self) -> Option<i64> {
        match self {
            Value::Int(number) => i64::try_from(number).ok(),
            _ => None,
        }
    }

    /// The number that it is, of whole ones the nearest.
    pub fn float(self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(number),
            Value::Int(number) => Some(number as f64),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The dict that it is.
    pub fn dict(self) -> Option<Dict<'a>> {
        match self {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The items that it has as a list, a tuple or a set.
    pub fn items(self) -> Option<Items<'a>> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The tensor that it is.
    pub fn tensor(self) -> Option<StoredTensor<'a>> {
        match self {
            Value::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }
}

/// One line, which tells of containers what is in them and not what is in that.
impl Debug for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match *self {
            Value::None => f.write_str("None"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Complex(re, im) => write!(f, "({re:?}, {im:?}i)"),
            Value::Text(text) => write!(f, "{:?}", text::shortened(text)),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::List(items) => write!(f, "a list of {}", items.len()),
            Value::Dict(dict) => {
                let keys: Vec<String> = dict.iter().take(SHOWN).map(|(key, _)| format!("{key:?}")).collect();
                let more = if dict.len() > SHOWN { ", …" } else { "" };
                write!(f, "a dict of {}: {}{more}", dict.len(), keys.join(", "))
            }
            Value::Tensor(tensor) => {
                write!(f, "a tensor {} {}", text::shortened(&tensor.shape().to_string()), tensor.dtype())
            }
            Value::Name(name) => f.write_str(&text::shortened(name)),
            Value::Storage => f.write_str("a storage"),
        }
    }
}

/// The items of a list, a tuple or a set.
///
/// ```
/// use wengert_formats::torch::{File, Value};
/// // torch.save([1, 2], …) of PyTorch 1.5.
/// let bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02](K\x01K\x02e.\x80\x02].";
/// let file = File::from_bytes(*bytes)?;
/// let items = file.root().items().unwrap();
/// assert!(items.len() == 2 && !items.is_empty());
/// assert_eq!(items.iter().map(Value::int).collect::<Vec<_>>(), [Some(1), Some(2)]);
/// # Ok::<(), wengert_formats::torch::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    file: &'a File,
    items: &'a [Id],
}

impl<'a> Items<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.items.is_empty()
    }

    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Value<'a>> {
        self.items.iter().map(move |&id| Value::new(self.file, id))
    }
}

/// The entries of a dict.
///
/// ```
/// use wengert_formats::torch::File;
/// // torch.save({"lr": 1, 2: "two"}, …) of PyTorch 1.5.
/// let bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\
///     \x80\x02}(X\x02\0\0\0lrK\x01K\x02X\x03\0\0\0twou.\x80\x02].";
/// let file = File::from_bytes(*bytes)?;
/// let dict = file.root().dict().unwrap();
/// assert!(dict.len() == 2 && !dict.is_empty());
/// assert_eq!(dict.get("lr").and_then(|lr| lr.float()), Some(1.0));
/// let (key, value) = dict.iter().last().unwrap();
/// assert_eq!((key.int(), value.text()), (Some(2), Some("two")));
/// # Ok::<(), wengert_formats::torch::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dict<'a> {
    file: &'a File,
    pairs: &'a [(Id, Id)],
}

impl<'a> Dict<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.pairs.is_empty()
    }

    /// What it has under a text.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        let pair = self.pairs.iter().rev().find(|(own, _)| self.file.heap.text(*own) == Some(key));
        pair.map(|&(_, value)| Value::new(self.file, value))
    }

    /// All keys and values, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (Value<'a>, Value<'a>)> {
        self.pairs.iter().map(move |&(key, value)| (Value::new(self.file, key), Value::new(self.file, value)))
    }
}

/// A tensor of a file, whose elements are still there.
///
/// ```
/// use wengert_formats::torch;
/// use wengert_nn::{Init, Params};
/// let mut params: Params = Params::seeded(0);
/// params.root().param("scale", 2, Init::Ones);
/// let file = torch::File::from_bytes(torch::to_bytes(&params)?)?;
/// let scale = file.root().get("scale").and_then(|value| value.tensor()).unwrap();
/// assert_eq!(scale.bytes()?, [0, 0, 128, 63, 0, 0, 128, 63]);
/// # Ok::<(), torch::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StoredTensor<'a> {
    file: &'a File,
    index: u32,
}

impl StoredTensor<'_> {
    /// Its shape.
    pub fn shape(self) -> Shape {
        let size = &self.file.heap.tensors[self.index as usize].size;
        layout::shape(size).expect("it was checked when the file was opened")
    }

    /// The name of its elements' type, as safetensors has it where it does: `F32`, `BF16`, `I64`, `BOOL`, `F8_E4M3` …; what
    /// cannot be read is `SPARSE`, `QINT8`, `META` …
    pub fn dtype(self) -> &'static str {
        match self.file.heap.tensors[self.index as usize].content {
            Content::Strided { dtype, .. } => dtype.name,
            Content::Foreign(name) => name,
        }
    }

    /// The bytes of its elements, little-endian and in row-major order, whatever its strides are.
    ///
    /// # Errors
    /// [`Problem::Tensor`] if it is of a kind that cannot be read (sparse, quantised, without elements, conjugated or negated
    /// views), or has more than 16 million elements and more than its storage; [`Problem::Io`] if reading fails.
    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        let wrong = |reason: String| {
            let name = self.file.name_of(self.index).unwrap_or_else(|| String::from("a tensor"));
            self.file.error(Problem::Tensor { name, reason })
        };
        let Some(layout) = self.file.layout(self.index) else {
            return Err(wrong(format!("is of a kind that cannot be read: {}", self.dtype())));
        };
        if layout.is_expanded() && layout.count() > EXPANDED {
            return Err(wrong(String::from(
                "is the expansion of a smaller one to more than 16 million elements",
            )));
        }
        let mut bytes = Vec::new();
        let room = bytes.try_reserve_exact(layout.bytes());
        room.map_err(|error| self.file.error(std::io::Error::other(error).into()))?;
        let take = &mut |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        self.file.read_layout(&layout, take).map_err(|error| self.file.error(error.into()))?;
        Ok(bytes)
    }
}
