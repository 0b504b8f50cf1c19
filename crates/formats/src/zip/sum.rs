//! The checksums of records.

use std::io::{BufRead, Error, Read};

/// Bytes of which a checksum is made as they are read.
pub(crate) struct Summed<R> {
    bytes: R,
    sum: crc32fast::Hasher,
}

impl<R> Summed<R> {
    pub(crate) fn new(bytes: R) -> Self {
        Summed { bytes, sum: crc32fast::Hasher::new() }
    }

    /// The checksum of what has been read.
    pub(crate) fn finish(self) -> u32 {
        self.sum.finalize()
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Error> {
        let count = self.bytes.read(to)?;
        self.sum.update(&to[..count]);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Summed<R> {
    fn fill_buf(&mut self) -> Result<&[u8], Error> {
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What is used up is still in the buffer.
        if let Some(used) = self.bytes.fill_buf().ok().and_then(|buffer| buffer.get(..count)) {
            self.sum.update(used);
        }
        self.bytes.consume(count);
    }
}
