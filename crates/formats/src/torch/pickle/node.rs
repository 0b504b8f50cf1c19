//! What a pickle describes.

use super::super::dtype::Dtype;
use super::globals::Global;

/// Which object of a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct Id(pub(super) u32);

/// Where a text is among the heap's.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// An object.
#[derive(Debug)]
pub(in super::super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number that an `i64` has no room for.
    Wide(Box<i128>),
    Float(f64),
    Complex(Box<[f64; 2]>),
    Text(Span),
    Bytes(Span),
    List(Vec<Id>),
    Tuple(Box<[Id]>),
    Set(Vec<Id>),
    /// A dict of any class. A key that is there twice counts by its last value.
    Dict(Vec<(Id, Id)>),
    /// A class or a function, of which nothing is used but that it is this one.
    Global(Global),
    /// What is known by a name: a device, a layout.
    Named(Span),
    Storage(u32),
    Tensor(u32),
}

/// A storage as a pickle names it.
#[derive(Debug)]
pub(in super::super) struct RawStorage {
    /// The key of its bytes.
    pub(in super::super) key: Span,
    /// `None` if it is of bytes whose meaning the tensor says.
    pub(in super::super) dtype: Option<&'static Dtype>,
    /// Elements, or bytes if it has no type.
    pub(in super::super) count: u64,
    /// The part of it that is meant: the first element, and how many.
    pub(in super::super) view: Option<(u64, u64)>,
}

/// A tensor as a pickle describes it; nothing is checked.
#[derive(Debug)]
pub(in super::super) struct RawTensor {
    pub(in super::super) size: Box<[u64]>,
    pub(in super::super) content: Content,
}

/// The elements of a tensor.
#[derive(Debug)]
pub(in super::super) enum Content {
    Strided {
        storage: u32,
        dtype: &'static Dtype,
        offset: u64,
        stride: Box<[u64]>,
    },
    /// Of a kind that is not read, by the name of its type.
    Foreign(&'static str),
}
