//! Reading, with memory that grows with the data and not with the header's claim.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::{Header, Idx, IdxElement, IdxError};

/// Bytes that an array may have unless another limit is given: 4 GiB.
pub const LIMIT: usize = if usize::BITS > 32 { 4 << 30 } else { 1 << 30 };

/// Bytes that are reserved before any data were seen.
const FIRST_RESERVATION: usize = 1 << 20;

impl<T: IdxElement> Idx<T> {
    /// Reads a file, compressed by gzip or not (its first bytes tell), of at most [`LIMIT`] bytes.
    ///
    /// # Errors
    /// Every way in which a file can be wrong has its own [`IdxError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IdxError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => IdxError::NotFound,
            _ => IdxError::Io(e),
        })?;
        let named_gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        Self::read_from(BufReader::with_capacity(1 << 16, file), LIMIT).map_err(|e| match e {
            IdxError::WrongMagic { found } if named_gzip => IdxError::NotGzip { found },
            other => other,
        })
    }

    /// Reads an array of at most `limit` bytes, compressed by gzip or not, and checks that nothing follows it.
    ///
    /// # Errors
    /// Every way in which the bytes can be wrong has its own [`IdxError`].
    ///
    /// ```
    /// use wengert_data::idx::{Idx, IdxError};
    /// let claims_4e9_labels = [0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    /// let error = Idx::<u8>::read_from(&claims_4e9_labels[..], 1 << 20).unwrap_err();
    /// assert!(matches!(error, IdxError::TooLarge { claimed: 0xffff_ffff, .. }));
    /// ```
    pub fn read_from(mut reader: impl BufRead, limit: usize) -> Result<Self, IdxError> {
        let start = reader.fill_buf().map_err(IdxError::Io)?;
        if start.is_empty() {
            return Err(IdxError::EmptyFile);
        }
        // Zero bytes start a plain file, so the first byte decides even if the buffer holds no second one.
        if start.first() == Some(&0x1f) && start.get(1).is_none_or(|&b| b == 0x8b) {
            read_plain(&mut MultiGzDecoder::new(reader), limit).map_err(|e| match e {
                IdxError::Io(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                    IdxError::CorruptGzip(e)
                }
                other => other,
            })
        } else {
            read_plain(&mut reader, limit)
        }
    }
}

fn read_plain<T: IdxElement>(reader: &mut impl Read, limit: usize) -> Result<Idx<T>, IdxError> {
    let header = Header::read_from(reader)?;
    if header.element_type != T::TYPE {
        return Err(IdxError::WrongElementType { expected: T::TYPE, found: header.element_type });
    }
    let expected = header.bytes();
    if expected > limit {
        return Err(IdxError::TooLarge { claimed: expected, limit });
    }
    let mut bytes = Vec::with_capacity(expected.min(FIRST_RESERVATION));
    match reader.by_ref().take(expected as u64).read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {}
        Err(e) => return Err(IdxError::Io(e)),
    }
    if bytes.len() < expected {
        return Err(IdxError::Truncated { expected, found: bytes.len() });
    }
    // Going on to the end also lets gzip compare its checksum.
    match reader.read(&mut [0]) {
        Ok(0) => Ok(Idx { data: T::decode(bytes), shape: header.shape }),
        Ok(_) => Err(IdxError::TrailingBytes { expected }),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            Err(IdxError::CorruptGzip(std::io::Error::new(e.kind(), "the checksum at its end is missing")))
        }
        Err(e) => Err(IdxError::Io(e)),
    }
}
