//! The objects of a file's pickles.

use super::super::error::Problem;
use super::chunked::Chunked;
use super::node::{Id, Node, RawStorage, RawTensor, Span};

/// How much larger a growing vector may be for a moment than what is in it: doubled, and copied from.
const GROWTH: usize = 3;
/// What the allocator itself takes for an allocation.
const ALLOCATION: usize = 16;
/// Whole numbers that are made once.
const SMALL: u32 = 256;
const FIRST_SMALL: u32 = 4;

/// All objects, and the memory that they may take.
pub(in super::super) struct Heap {
    nodes: Chunked<Node>,
    texts: Vec<u8>,
    pub(in super::super) tensors: Chunked<RawTensor>,
    pub(in super::super) storages: Chunked<RawStorage>,
    left: u64,
    limit: u64,
}

impl Heap {
    pub(super) const NONE: Id = Id(0);
    pub(super) const EMPTY: Id = Id(3);

    /// With room for objects of so many bytes.
    pub(in super::super) fn new(limit: u64) -> Self {
        let mut nodes = Chunked::new();
        [Node::None, Node::Bool(false), Node::Bool(true), Node::Tuple(Box::new([]))]
            .into_iter()
            .chain((0..SMALL).map(|number| Node::Int(i64::from(number))))
            .for_each(|node| nodes.push(node));
        let (tensors, storages) = (Chunked::new(), Chunked::new());
        Heap { nodes, texts: Vec::new(), tensors, storages, left: limit, limit }
    }

    /// Takes memory for so many bytes.
    pub(in super::super) fn charge(&mut self, bytes: usize) -> Result<(), Problem> {
        self.left = self.left.checked_sub(bytes as u64).ok_or(Problem::Memory { limit: self.limit })?;
        Ok(())
    }

    /// Takes memory for a vector that grows by so many bytes.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        self.charge(bytes.saturating_mul(GROWTH))
    }

    /// A new object, beside whose own size `more` bytes are allocated.
    pub(super) fn add(&mut self, node: Node, more: usize) -> Result<Id, Problem> {
        self.charge(size_of::<Node>() + if more > 0 { more + ALLOCATION } else { 0 })?;
        let id = u32::try_from(self.nodes.len()).map_err(|_| Problem::Memory { limit: self.limit })?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    pub(super) fn bool(value: bool) -> Id {
        Id(1 + u32::from(value))
    }

    pub(super) fn add_int(&mut self, number: i64) -> Result<Id, Problem> {
        match u32::try_from(number) {
            Ok(small) if small < SMALL => Ok(Id(FIRST_SMALL + small)),
            _ => self.add(Node::Int(number), 0),
        }
    }

    pub(super) fn add_tuple(&mut self, items: &[Id]) -> Result<Id, Problem> {
        if items.is_empty() {
            return Ok(Self::EMPTY);
        }
        self.add(Node::Tuple(items.into()), size_of_val(items))
    }

    pub(super) fn add_tensor(&mut self, tensor: RawTensor) -> Result<Id, Problem> {
        // Its shape, and its strides.
        self.charge(size_of::<RawTensor>() + 2 * (size_of_val(&*tensor.size) + ALLOCATION))?;
        self.tensors.push(tensor);
        self.add(Node::Tensor(self.tensors.len() as u32 - 1), 0)
    }

    pub(super) fn add_storage(&mut self, storage: RawStorage) -> Result<Id, Problem> {
        self.charge(size_of::<RawStorage>())?;
        self.storages.push(storage);
        self.add(Node::Storage(self.storages.len() as u32 - 1), 0)
    }

    /// What stands where texts end.
    pub(super) fn texts_end(&self) -> usize {
        self.texts.len()
    }

    /// Appends bytes to the texts.
    pub(super) fn push_text(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.grow(bytes.len())?;
        self.texts.extend_from_slice(bytes);
        match u32::try_from(self.texts.len()) {
            Ok(_) => Ok(()),
            Err(_) => Err(Problem::Memory { limit: self.limit }),
        }
    }

    /// What was appended from there on.
    pub(super) fn span_from(&self, start: usize) -> Span {
        Span { start: start as u32, length: (self.texts.len() - start) as u32 }
    }

    pub(in super::super) fn bytes(&self, span: Span) -> &[u8] {
        &self.texts[span.start as usize..][..span.length as usize]
    }

    pub(in super::super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node {
        self.nodes.get_mut(id.0 as usize)
    }

    /// The text that an object is; Python 2 wrote bytes where it is text.
    pub(in super::super) fn text(&self, id: Id) -> Option<&str> {
        match *self.node(id) {
            Node::Text(span) | Node::Bytes(span) => std::str::from_utf8(self.bytes(span)).ok(),
            _ => None,
        }
    }

    pub(in super::super) fn int(&self, id: Id) -> Option<i64> {
        match *self.node(id) {
            Node::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The whole numbers, none negative, that a tuple or a list has.
    pub(super) fn lengths(&self, id: Id) -> Option<Box<[u64]>> {
        let (Node::Tuple(_) | Node::List(_)) = self.node(id) else { return None };
        self.items(id)?.iter().map(|&id| u64::try_from(self.int(id)?).ok()).collect()
    }

    /// What a tuple, a list or a set has.
    pub(in super::super) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(items) => Some(items),
            Node::List(items) | Node::Set(items) => Some(items),
            _ => None,
        }
    }
}
