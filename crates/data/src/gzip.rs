//! Reading gzip files: one member after another, and what may follow them.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use flate2::bufread::GzDecoder;

/// The decompressed bytes of all members. Zeros may follow the last member, or stand between two, as tapes and some
/// file systems pad their blocks; anything else is an error, as it is for Python's `gzip` (the program of that name
/// warns, and ignores it): it may well be the rest of the data.
pub(crate) struct Gzip<R> {
    /// `None` after the end.
    member: Option<GzDecoder<R>>,
}

/// What follows the compressed data is neither padding nor another member; it starts with this byte. Inside an
/// [`Error`] of kind [`ErrorKind::InvalidData`].
#[derive(Debug, thiserror::Error)]
#[error("something follows the compressed data")]
pub(crate) struct Follows(pub(crate) u8);

impl<R: BufRead> Gzip<R> {
    pub(crate) fn new(reader: R) -> Self {
        Gzip { member: Some(GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        // A member may be empty, so its end is not the end.
        while let Some(mut member) = self.member.take() {
            match member.read(out) {
                Ok(0) => {
                    let mut reader = member.into_inner();
                    match first_after_zeros(&mut reader)? {
                        None => return Ok(0),
                        Some(0x1f) => self.member = Some(GzDecoder::new(reader)),
                        Some(other) => return Err(Error::new(ErrorKind::InvalidData, Follows(other))),
                    }
                }
                result => {
                    self.member = Some(member);
                    return result;
                }
            }
        }
        Ok(0)
    }
}

/// The next byte that is not zero, which stays unread.
fn first_after_zeros(reader: &mut impl BufRead) -> Result<Option<u8>> {
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(None);
        }
        match buffer.iter().position(|&b| b != 0) {
            Some(at) => {
                let first = buffer[at];
                reader.consume(at);
                return Ok(Some(first));
            }
            None => {
                let zeros = buffer.len();
                reader.consume(zeros);
            }
        }
    }
}
