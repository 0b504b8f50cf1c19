//! What comes of the classes and functions that a pickle calls.

use std::io::Read;

use super::super::error::Problem;
use super::globals::{Callable, Global};
use super::heap::Heap;
use super::machine::Machine;
use super::node::{Content, Id, Node};

impl<R: Read> Machine<'_, R> {
    /// The result of a function, or a new object of a class.
    pub(super) fn call(&mut self, function: Id, arguments: Id) -> Result<Id, Problem> {
        let Node::Global(global) = *self.heap.node(function) else {
            return Err(self.wrong("it calls what is no function"));
        };
        let Node::Tuple(arguments) = self.heap.node(arguments) else {
            return Err(self.wrong("it calls a function with what are no arguments"));
        };
        // A tensor that is one of a type has the arguments of its function among its own.
        let arguments = arguments.clone();
        if global.is(Callable::FromType) {
            return self.of_type(&arguments);
        }
        self.apply(global, &arguments)
    }

    fn of_type(&mut self, arguments: &[Id]) -> Result<Id, Problem> {
        let [function, class, inner, _state] = *arguments else {
            return Err(self.unexpected("torch._tensor._rebuild_from_type_v2"));
        };
        let (Node::Global(function), Node::Global(class), Node::Tuple(inner)) =
            (self.heap.node(function), self.heap.node(class), self.heap.node(inner))
        else {
            return Err(self.unexpected("torch._tensor._rebuild_from_type_v2"));
        };
        let (function, inner) = (*function, inner.clone());
        if !class.is(Callable::Class) || function.is(Callable::FromType) {
            return Err(self.unexpected("torch._tensor._rebuild_from_type_v2"));
        }
        self.apply(function, &inner)
    }

    fn apply(&mut self, global: Global, arguments: &[Id]) -> Result<Id, Problem> {
        let Global::Named(callable, name) = global else { return Err(self.unexpected(global.name())) };
        let result = match (callable, arguments) {
            (Callable::OrderedDict | Callable::Counter, []) => {
                Some(self.heap.add(Node::Dict(Vec::new()), 0)?)
            }
            (Callable::OrderedDict | Callable::Counter, &[items]) => self.dict(items)?,
            (Callable::Size, []) => Some(Heap::EMPTY),
            (Callable::Size, &[items]) => self.heap.items(items).is_some().then_some(items),
            (Callable::Device, &[kind]) => self.named(kind, None)?,
            (Callable::Device, &[kind, index]) => self.named(kind, Some(index))?,
            (Callable::Layout, &[name]) => self.named(name, None)?,
            (Callable::Encode, &[text, code]) => self.encoded(text, code)?,
            (Callable::ByteArray, []) => {
                let nothing = self.heap.span_from(self.heap.texts_end());
                Some(self.heap.add(Node::Bytes(nothing), 0)?)
            }
            (Callable::ByteArray, &[bytes]) => {
                matches!(self.heap.node(bytes), Node::Bytes(_) | Node::Text(_)).then_some(bytes)
            }
            (Callable::ByteArray, &[text, code]) => self.encoded(text, code)?,
            (Callable::Set, []) => Some(self.heap.add(Node::Set(Vec::new()), 0)?),
            (Callable::Set, &[items]) => self.set(items)?,
            (Callable::Complex, &[re, im]) => match (self.heap.node(re), self.heap.node(im)) {
                (&Node::Float(re), &Node::Float(im)) => {
                    Some(self.heap.add(Node::Complex(Box::new([re, im])), size_of::<[f64; 2]>())?)
                }
                _ => None,
            },
            (Callable::Parameter, &[tensor, _, _]) | (Callable::ParameterWithState, &[tensor, _, _, _]) => {
                matches!(self.heap.node(tensor), Node::Tensor(_)).then_some(tensor)
            }
            (Callable::Class, &[tensor] | &[tensor, _]) => {
                matches!(self.heap.node(tensor), Node::Tensor(_)).then_some(tensor)
            }
            (Callable::OnDevice, &[tensor, dtype, _, _]) => self.on_device(tensor, dtype)?,
            _ => self.tensor(callable, arguments)?,
        };
        result.ok_or_else(|| self.unexpected(name))
    }

    /// A dict of what a dict has, or of pairs, as Python 2 wrote them.
    fn dict(&mut self, items: Id) -> Result<Option<Id>, Problem> {
        let mut all = Vec::new();
        match self.heap.node(items) {
            Node::Dict(pairs) => all.extend(pairs.iter().flat_map(|&(key, value)| [key, value])),
            Node::List(pairs) => {
                for &pair in pairs {
                    let Some(&[key, value]) = self.heap.items(pair) else { return Ok(None) };
                    all.extend([key, value]);
                }
            }
            _ => return Ok(None),
        }
        let dict = self.heap.add(Node::Dict(Vec::new()), 0)?;
        self.put(dict, &all)?;
        Ok(Some(dict))
    }

    fn set(&mut self, items: Id) -> Result<Option<Id>, Problem> {
        let Some(items) = self.heap.items(items).map(<[Id]>::to_vec) else { return Ok(None) };
        let set = self.heap.add(Node::Set(Vec::new()), 0)?;
        self.put(set, &items)?;
        Ok(Some(set))
    }

    /// What is known by a name, and perhaps a number: `cuda:0`.
    fn named(&mut self, name: Id, index: Option<Id>) -> Result<Option<Id>, Problem> {
        let Some(mut text) = self.heap.text(name).map(str::to_owned) else { return Ok(None) };
        match index.map(|index| (self.heap.node(index), self.heap.int(index))) {
            Some((_, Some(number))) => text += &format!(":{number}"),
            Some((Node::None, _)) | None => {}
            Some(_) => return Ok(None),
        }
        let start = self.heap.texts_end();
        self.heap.push_text(text.as_bytes())?;
        let span = self.heap.span_from(start);
        self.heap.add(Node::Named(span), 0).map(Some)
    }

    /// Bytes, as Python 3 writes them for Python 2: characters below 256.
    fn encoded(&mut self, text: Id, code: Id) -> Result<Option<Id>, Problem> {
        let (Some(text), Some("latin1" | "latin-1")) = (self.heap.text(text), self.heap.text(code)) else {
            return Ok(None);
        };
        let Ok(bytes) = text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<Vec<u8>, _>>()
        else {
            return Ok(None);
        };
        let start = self.heap.texts_end();
        self.heap.push_text(&bytes)?;
        let span = self.heap.span_from(start);
        self.heap.add(Node::Bytes(span), 0).map(Some)
    }

    /// A tensor that was on a device which has storages of its own; here it is one like others.
    fn on_device(&mut self, tensor: Id, dtype: Id) -> Result<Option<Id>, Problem> {
        let (&Node::Tensor(index), &Node::Global(Global::Dtype(dtype))) =
            (self.heap.node(tensor), self.heap.node(dtype))
        else {
            return Ok(None);
        };
        let raw = &self.heap.tensors[index as usize];
        match raw.content {
            Content::Strided { dtype: own, .. } if own == dtype => Ok(Some(tensor)),
            _ => self.foreign(raw.size.clone(), "CONVERTED").map(Some),
        }
    }

    pub(super) fn unexpected(&self, name: &str) -> Problem {
        self.wrong(format!("it calls {name} with arguments that PyTorch's does not take"))
    }
}
