//! The bytes of a table, counted: how many there may be, and on which lines they stand.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result};

/// Passes bytes on, up to a limit, and remembers where the lines with something on them start. (The parser's own
/// line numbers do not count the blank lines before a record.)
pub(super) struct Source<R> {
    reader: R,
    left: u64,
    offset: u64,
    line: u64,
    at_start: bool,
    /// Offsets and numbers of lines that were read and not yet asked for.
    starts: VecDeque<(u64, u64)>,
}

impl<R> Source<R> {
    pub(super) fn new(reader: R, limit: u64) -> Self {
        Source { reader, left: limit, offset: 0, line: 1, at_start: true, starts: VecDeque::new() }
    }

    /// The number of the first line with something on it that starts at `offset` or later. Earlier ones are
    /// forgotten.
    pub(super) fn line_from(&mut self, offset: u64) -> u64 {
        while self.starts.front().is_some_and(|&(start, _)| start < offset) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |&(_, line)| line)
    }
}

impl<R: Read> Read for Source<R> {
    /// Gives an error of kind [`ErrorKind::FileTooLarge`] if there are more bytes than the limit.
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.left == 0 && !out.is_empty() {
            return match self.reader.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(Error::from(ErrorKind::FileTooLarge)),
            };
        }
        let allowed = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        let n = self.reader.read(&mut out[..allowed])?;
        for (i, &byte) in out[..n].iter().enumerate() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.at_start = true;
                }
                b'\r' => {}
                _ if self.at_start => {
                    self.starts.push_back((self.offset + i as u64, self.line));
                    self.at_start = false;
                }
                _ => {}
            }
        }
        self.left -= n as u64;
        self.offset += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_with_the_blank_ones() {
        let mut source = Source::new(&b"a\n\n\r\nb\r\nc"[..], 100);
        let mut out = Vec::new();
        source.read_to_end(&mut out).unwrap();
        assert_eq!([0, 1, 2, 5, 6, 7].map(|offset| source.line_from(offset)), [1, 4, 4, 4, 5, 5]);
    }
}
