//! The bytes of a pickle, one after the other.

use std::io::{Error, ErrorKind, Read};

use super::super::error::Problem;
use super::heap::Heap;

/// Bytes of a text that are read at a time, so that memory grows with what is there and not with what is claimed.
const PIECE: usize = 1 << 12;
/// The longest name of a module, a class or a function.
const LINE: usize = 512;

/// What is read from, and how far.
pub(in super::super) struct Input<R> {
    from: R,
    at: u64,
}

impl<R: Read> Input<R> {
    pub(in super::super) fn new(from: R) -> Self {
        Input { from, at: 0 }
    }

    /// The bytes that were read.
    pub(in super::super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn wrong(&self, reason: impl Into<String>) -> Problem {
        Problem::Pickle { at: self.at, reason: reason.into() }
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Appends that many bytes to the heap's texts.
    pub(super) fn text(&mut self, length: u64, heap: &mut Heap) -> Result<(), Problem> {
        let mut piece = [0; PIECE];
        let mut left = length;
        while left > 0 {
            let part = &mut piece[..left.min(PIECE as u64) as usize];
            self.fill(part)?;
            heap.push_text(part)?;
            left -= part.len() as u64;
        }
        Ok(())
    }

    /// What stands before the next end of a line.
    pub(super) fn line(&mut self) -> Result<String, Problem> {
        let mut line = Vec::new();
        loop {
            match self.bytes()? {
                [b'\n'] => break,
                [_] if line.len() == LINE => return Err(self.wrong("a name without an end")),
                [byte] => line.push(byte),
            }
        }
        String::from_utf8(line).map_err(|_| self.wrong("a name that is no text"))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Problem> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.wrong("it ends there"),
            _ => Problem::Io(Error::new(error.kind(), error)),
        })?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}
