//! Reading, with memory that grows with the data and not with the header's claim.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use super::header::fill;
use super::{Header, Idx, IdxElement, IdxError};
use crate::DataError;
use crate::gzip::{Follows, Gzip};

/// Bytes that an array may have unless another limit is given: 4 GiB.
pub const LIMIT: usize = if usize::BITS > 32 { 4 << 30 } else { 1 << 30 };

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;
/// Bytes that are reserved before any data were seen.
const FIRST_RESERVATION: usize = CHUNK;

impl<T: IdxElement> Idx<T> {
    /// Reads a file, compressed by gzip or not (its first bytes tell), of at most [`LIMIT`] bytes. Compressed data may
    /// be in several members and be padded with zeros.
    ///
    /// # Errors
    /// [`DataError::Idx`] with the path: every way in which a file can be wrong has its own [`IdxError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::read_checked(path.as_ref(), |_| Ok(()))
    }

    /// Like [`read`](Idx::read), for a header that `check` likes: before anything is read that follows it.
    pub(crate) fn read_checked(
        path: &Path,
        check: impl FnOnce(&Header) -> Result<(), IdxError>,
    ) -> Result<Self, DataError> {
        let read = || {
            let file = File::open(path).map_err(|e| match e.kind() {
                ErrorKind::NotFound => IdxError::NotFound,
                _ => IdxError::Io(e),
            })?;
            let named_gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
            read_any(BufReader::with_capacity(CHUNK, file), LIMIT, check).map_err(|e| match e {
                IdxError::WrongMagic { found } if named_gzip => IdxError::NotGzip { found },
                other => other,
            })
        };
        read().map_err(|source| DataError::Idx { path: path.into(), source })
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
    pub fn read_from(reader: impl BufRead, limit: usize) -> Result<Self, IdxError> {
        read_any(reader, limit, |_| Ok(()))
    }
}

fn read_any<T: IdxElement>(
    mut reader: impl BufRead,
    limit: usize,
    check: impl FnOnce(&Header) -> Result<(), IdxError>,
) -> Result<Idx<T>, IdxError> {
    let start = reader.fill_buf().map_err(IdxError::Io)?;
    if start.is_empty() {
        return Err(IdxError::EmptyFile);
    }
    // Zero bytes start a plain file, so the first byte decides even if the buffer holds no second one.
    if start.first() == Some(&0x1f) && start.get(1).is_none_or(|&b| b == 0x8b) {
        read_plain(&mut Gzip::new(reader), limit, check).map_err(|e| match e {
            IdxError::Io(e) => match e.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(&Follows(first)) => IdxError::AfterGzip { first },
                None if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
                    IdxError::CorruptGzip(e)
                }
                None => IdxError::Io(e),
            },
            other => other,
        })
    } else {
        read_plain(&mut reader, limit, check)
    }
}

fn read_plain<T: IdxElement>(
    reader: &mut impl Read,
    limit: usize,
    check: impl FnOnce(&Header) -> Result<(), IdxError>,
) -> Result<Idx<T>, IdxError> {
    let header = Header::read_from(reader)?;
    if header.element_type != T::TYPE {
        return Err(IdxError::WrongElementType { expected: T::TYPE, found: header.element_type });
    }
    check(&header)?;
    let expected = header.bytes();
    if expected > limit {
        return Err(IdxError::TooLarge { claimed: expected, limit });
    }
    let count = expected / T::TYPE.size();
    let mut data: Vec<T> = Vec::with_capacity(count.min(FIRST_RESERVATION / T::TYPE.size()));
    let mut chunk = vec![0; CHUNK.min(expected)];
    let mut left = expected;
    while left > 0 {
        let wanted = left.min(chunk.len());
        let found = fill(reader, &mut chunk[..wanted])?;
        if found < wanted {
            return Err(IdxError::Truncated { expected, found: expected - left + found });
        }
        if data.capacity() - data.len() < wanted / T::TYPE.size() {
            // By doubling, but never past what is needed in the end.
            data.reserve_exact((count - data.len()).min(data.len().max(wanted)));
        }
        T::decode(&chunk[..wanted], &mut data);
        left -= wanted;
    }
    // Going on to the end also lets gzip compare its checksum.
    loop {
        return match reader.read(&mut [0]) {
            Ok(0) => Ok(Idx { data, shape: header.shape }),
            Ok(_) => Err(IdxError::TrailingBytes { expected }),
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                Err(IdxError::CorruptGzip(std::io::Error::new(e.kind(), "it breaks off before its checksum")))
            }
            Err(e) => Err(IdxError::Io(e)),
        };
    }
}
