//! Storages, which a pickle names and which stand beside it.

use std::io::Read;

use super::super::error::Problem;
use super::globals::{Callable, Global};
use super::machine::Machine;
use super::node::{Id, Node, RawStorage, Span};

impl<R: Read> Machine<'_, R> {
    /// The storage of `("storage", type, key, location, count)`, and in old files of a view of it.
    pub(super) fn persistent(&mut self, id: Id) -> Result<Id, Problem> {
        let Node::Tuple(parts) = self.heap.node(id) else {
            return Err(self.wrong("it names something outside that is no storage"));
        };
        let (class, key, count, view) = match **parts {
            [what, class, key, _, count] if self.heap.text(what) == Some("storage") => {
                (class, key, count, None)
            }
            [what, class, key, _, count, view] if self.heap.text(what) == Some("storage") => {
                (class, key, count, Some(view))
            }
            [what, ..] if self.heap.text(what) == Some("module") => {
                return Err(self.wrong("it is a whole module, of which only the state dict can be read"));
            }
            _ => return Err(self.wrong("it names something outside that is no storage")),
        };
        let dtype = match *self.heap.node(class) {
            Node::Global(Global::Storage(dtype)) => Some(dtype),
            Node::Global(global) if global.is(Callable::UntypedStorage) => None,
            _ => return Err(self.wrong("a storage of no type")),
        };
        let number = |id: Id| self.heap.int(id).and_then(|number| u64::try_from(number).ok());
        let view = match view.map(|view| (self.heap.node(view), self.heap.items(view))) {
            None | Some((Node::None, _)) => Some(None),
            Some((_, Some(&[_, offset, size]))) => number(offset).zip(number(size)).map(Some),
            _ => None,
        };
        let key = match *self.heap.node(key) {
            Node::Text(key) | Node::Bytes(key) => Some(key),
            _ => None,
        };
        let (Some(key), Some(count), Some(view)) = (key, number(count), view) else {
            return Err(self.wrong("a storage without a key or a size"));
        };
        let key: Span = key;
        self.heap.add_storage(RawStorage { key, dtype, count, view })
    }
}
