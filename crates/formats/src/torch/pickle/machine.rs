//! The instructions of pickles.

use std::collections::BTreeMap;
use std::io::Read;

use super::super::error::Problem;
use super::globals::Global;
use super::heap::Heap;
use super::input::Input;
use super::node::{Id, Node};

/// The highest protocol there is.
const HIGHEST: u8 = 5;
/// Bytes of the longest whole number that is read.
const LONGEST: usize = 16;
/// Memory for what is remembered under a number.
const REMEMBERED: usize = 32;

/// What runs a pickle.
pub(in super::super) struct Machine<'a, R> {
    pub(super) heap: &'a mut Heap,
    pub(super) input: &'a mut Input<R>,
    stack: Vec<Id>,
    /// Where the stack stood at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
    /// The longest that the stack and the marks have been.
    longest: usize,
    most_marks: usize,
}

impl<'a, R: Read> Machine<'a, R> {
    /// Runs a pickle to its end: the object that it describes.
    pub(in super::super) fn run(heap: &'a mut Heap, input: &'a mut Input<R>) -> Result<Id, Problem> {
        let (stack, marks, memo) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut machine = Machine { heap, input, stack, marks, memo, longest: 0, most_marks: 0 };
        loop {
            let [code] = machine.input.bytes()?;
            if code == b'.' {
                return machine.pop();
            }
            machine.step(code)?;
        }
    }

    fn step(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            // PROTO, FRAME
            0x80 => match self.input.bytes()? {
                [protocol] if protocol > HIGHEST => {
                    return Err(self.wrong(format!("protocol {protocol} of pickle is not known")));
                }
                _ => {}
            },
            0x95 => drop(self.input.bytes::<8>()?),
            // MARK, POP, POP_MARK, DUP
            b'(' => {
                if self.marks.len() == self.most_marks {
                    self.heap.grow(size_of::<usize>())?;
                    self.most_marks += 1;
                }
                self.marks.push(self.stack.len());
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.push(top)?;
            }
            // NONE, NEWFALSE, NEWTRUE
            b'N' => self.push(Heap::NONE)?,
            0x88 => self.push(Heap::bool(true))?,
            0x89 => self.push(Heap::bool(false))?,
            _ if self.number(code)? || self.text(code)? || self.container(code)? => {}
            // BINGET, LONG_BINGET, BINPUT, LONG_BINPUT, MEMOIZE
            b'h' | b'j' => {
                let place = self.index(code == b'h')?;
                let id = self.memo.get(&place).copied();
                let id = id.ok_or_else(|| self.wrong("what it refers to was not remembered"))?;
                self.push(id)?;
            }
            b'q' | b'r' => {
                let place = self.index(code == b'q')?;
                self.remember(place)?;
            }
            0x94 => {
                let place = self.memo.len() as u32;
                self.remember(place)?;
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id| self.heap.text(id).map(str::to_owned);
                let (Some(module), Some(name)) = (text(module), text(name)) else {
                    return Err(self.wrong("the name of a class is no text"));
                };
                self.global(&module, &name)?;
            }
            // REDUCE, NEWOBJ, BUILD, BINPERSID
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let result = self.call(function, arguments)?;
                self.push(result)?;
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                self.build(object, state)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let result = self.persistent(id)?;
                self.push(result)?;
            }
            _ => return Err(self.wrong(format!("no state dict needs its instruction {code:#04x}"))),
        }
        Ok(())
    }

    /// An instruction that has a number in it.
    fn number(&mut self, code: u8) -> Result<bool, Problem> {
        let id = match code {
            // BININT, BININT1, BININT2, BINFLOAT, LONG1, LONG4
            b'J' => self.input.bytes().map(i32::from_le_bytes).and_then(|n| self.heap.add_int(n.into()))?,
            b'K' => self.input.bytes().map(u8::from_le_bytes).and_then(|n| self.heap.add_int(n.into()))?,
            b'M' => self.input.bytes().map(u16::from_le_bytes).and_then(|n| self.heap.add_int(n.into()))?,
            b'G' => {
                let number = f64::from_be_bytes(self.input.bytes()?);
                self.heap.add(Node::Float(number), 0)?
            }
            0x8a | 0x8b => {
                let length = match code {
                    0x8a => self.input.bytes().map(u8::from_le_bytes)?.into(),
                    _ => self.input.bytes().map(u32::from_le_bytes)?,
                };
                self.long(length as usize)?
            }
            _ => return Ok(false),
        };
        self.push(id)?;
        Ok(true)
    }

    /// A whole number of that many bytes.
    fn long(&mut self, length: usize) -> Result<Id, Problem> {
        if length > LONGEST {
            return Err(self.wrong("a whole number of more than 128 bits"));
        }
        let mut bytes = [0; LONGEST];
        for byte in &mut bytes[..length] {
            [*byte] = self.input.bytes()?;
        }
        if length > 0 && bytes[length - 1] >> 7 == 1 {
            bytes[length..].fill(0xff);
        }
        let number = i128::from_le_bytes(bytes);
        match i64::try_from(number) {
            Ok(number) => self.heap.add_int(number),
            Err(_) => self.heap.add(Node::Wide(Box::new(number)), LONGEST),
        }
    }

    /// An instruction that has a text or bytes in it.
    fn text(&mut self, code: u8) -> Result<bool, Problem> {
        let length = match code {
            // SHORT_BINSTRING, SHORT_BINUNICODE, SHORT_BINBYTES
            b'U' | 0x8c | b'C' => self.input.bytes().map(u8::from_le_bytes)?.into(),
            // BINSTRING, BINUNICODE, BINBYTES
            b'T' | b'X' | b'B' => self.input.bytes().map(u32::from_le_bytes)?.into(),
            // BINUNICODE8, BINBYTES8, BYTEARRAY8
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.input.bytes()?),
            _ => return Ok(false),
        };
        let start = self.heap.texts_end();
        self.input.text(length, self.heap)?;
        let span = self.heap.span_from(start);
        let is_text = std::str::from_utf8(self.heap.bytes(span)).is_ok();
        let node = match code {
            b'X' | 0x8c | 0x8d if !is_text => return Err(self.wrong("a text that is none")),
            b'X' | 0x8c | 0x8d => Node::Text(span),
            // Python 2's strings, of which most are texts.
            b'U' | b'T' if is_text => Node::Text(span),
            _ => Node::Bytes(span),
        };
        let id = self.heap.add(node, 0)?;
        self.push(id)?;
        Ok(true)
    }

    /// An instruction that makes a container, or puts something into one.
    fn container(&mut self, code: u8) -> Result<bool, Problem> {
        match code {
            // EMPTY_LIST, EMPTY_DICT, EMPTY_SET, EMPTY_TUPLE
            b']' => self.heap.add(Node::List(Vec::new()), 0).and_then(|id| self.push(id))?,
            b'}' => self.heap.add(Node::Dict(Vec::new()), 0).and_then(|id| self.push(id))?,
            0x8f => self.heap.add(Node::Set(Vec::new()), 0).and_then(|id| self.push(id))?,
            b')' => self.push(Heap::EMPTY)?,
            // TUPLE1, TUPLE2, TUPLE3, TUPLE
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let from = self.stack.len().checked_sub(count).filter(|&from| from >= self.floor());
                let from = from.ok_or_else(|| self.nothing())?;
                self.tuple(from)?;
            }
            b't' => {
                let from = self.pop_mark_place()?;
                self.tuple(from)?;
            }
            // LIST, DICT, FROZENSET
            b'l' | b'd' | 0x91 => {
                let items = self.pop_mark()?;
                let node = match code {
                    b'l' => Node::List(Vec::new()),
                    b'd' => Node::Dict(Vec::new()),
                    _ => Node::Set(Vec::new()),
                };
                let id = self.heap.add(node, 0)?;
                self.put(id, &items)?;
                self.push(id)?;
            }
            // APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS
            b'a' | b's' => {
                let mut items = vec![self.pop()?];
                if code == b's' {
                    items.insert(0, self.pop()?);
                }
                self.put_into_top(code == b's', &items)?;
            }
            b'e' | b'u' | 0x90 => {
                let items = self.pop_mark()?;
                self.put_into_top(code == b'u', &items)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Makes a tuple of what the stack has from there on.
    fn tuple(&mut self, from: usize) -> Result<(), Problem> {
        let id = self.heap.add_tuple(&self.stack[from..])?;
        self.stack.truncate(from);
        self.push(id)
    }

    fn put_into_top(&mut self, pairs: bool, items: &[Id]) -> Result<(), Problem> {
        let top = self.top()?;
        if pairs != matches!(self.heap.node(top), Node::Dict(_)) {
            return Err(self.wrong("it puts something into what is no container for it"));
        }
        self.put(top, items)
    }

    /// Puts items into a list or a set, or keys and values into a dict.
    pub(super) fn put(&mut self, container: Id, items: &[Id]) -> Result<(), Problem> {
        self.heap.grow(size_of_val(items))?;
        match self.heap.node_mut(container) {
            Node::List(own) | Node::Set(own) => own.extend_from_slice(items),
            Node::Dict(own) => {
                let (pairs, rest) = items.as_chunks();
                if !rest.is_empty() {
                    return Err(self.wrong("a key without a value"));
                }
                own.extend(pairs.iter().map(|&[key, value]| (key, value)));
            }
            _ => return Err(self.wrong("it puts something into what is no container")),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Problem> {
        let id = self.heap.add(Node::Global(Global::find(module, name)?), 0)?;
        self.push(id)
    }

    fn index(&mut self, short: bool) -> Result<u32, Problem> {
        match short {
            true => self.input.bytes().map(u8::from_le_bytes).map(u32::from),
            false => self.input.bytes().map(u32::from_le_bytes),
        }
    }

    fn remember(&mut self, place: u32) -> Result<(), Problem> {
        let top = self.top()?;
        if self.memo.insert(place, top).is_none() {
            self.heap.charge(REMEMBERED)?;
        }
        Ok(())
    }

    fn push(&mut self, id: Id) -> Result<(), Problem> {
        if self.stack.len() == self.longest {
            self.heap.grow(size_of::<Id>())?;
            self.longest += 1;
        }
        self.stack.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, Problem> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn top(&self) -> Result<Id, Problem> {
        let top = self.stack[self.floor()..].last().copied();
        top.ok_or_else(|| self.nothing())
    }

    /// Where the part of the stack begins that may be taken from.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop_mark_place(&mut self) -> Result<usize, Problem> {
        self.marks.pop().ok_or_else(|| self.wrong("it needs a mark that is not there"))
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, Problem> {
        let place = self.pop_mark_place()?;
        Ok(self.stack.split_off(place))
    }

    fn nothing(&self) -> Problem {
        self.wrong("it needs something from the stack that is not there")
    }

    pub(super) fn wrong(&self, reason: impl Into<String>) -> Problem {
        self.input.wrong(reason)
    }
}
