//! The header of an IDX file.

use std::io::Read;

use wengert_tensor::Shape;

use super::{ElementType, IdxError};

/// What an IDX file says of its contents: read by [`Header::read_from`] to learn the element type of a file
/// that is not known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type of the elements.
    pub element_type: ElementType,
    /// Lengths of the dimensions.
    pub shape: Shape,
}

impl Header {
    /// Reads a header from uncompressed bytes, and no byte more.
    ///
    /// # Errors
    /// Every way in which a header can be wrong: see [`IdxError`].
    ///
    /// ```
    /// use wengert_data::idx::{ElementType, Header};
    /// let mut file: &[u8] = &[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9];
    /// let header = Header::read_from(&mut file)?;
    /// assert_eq!((header.element_type, &header.shape[..]), (ElementType::U8, &[1, 3][..]));
    /// assert_eq!(file, [7, 8, 9]);
    /// # Ok::<(), wengert_data::idx::IdxError>(())
    /// ```
    pub fn read_from(reader: &mut impl Read) -> Result<Self, IdxError> {
        let mut start = [0; 4];
        let found = fill(reader, &mut start)?;
        if found < start.len() {
            return Err(IdxError::TruncatedHeader { expected: start.len(), found });
        }
        let [a, b, code, dimensions] = start;
        if (a, b) != (0, 0) {
            return Err(IdxError::WrongMagic { found: [a, b] });
        }
        let element_type = ElementType::from_code(code).ok_or(IdxError::UnknownElementType { code })?;
        // At most 255 dimensions, so this buffer is small whatever the file says.
        let mut lengths = vec![0; 4 * usize::from(dimensions)];
        let found = fill(reader, &mut lengths)?;
        if found < lengths.len() {
            return Err(IdxError::TruncatedHeader { expected: 4 + lengths.len(), found: 4 + found });
        }
        let lengths = lengths.as_chunks().0.iter().map(|&b| u32::from_be_bytes(b));
        let shape: Shape = lengths.clone().map(|n| n as usize).collect();
        let bytes = shape.checked_count().and_then(|n| n.checked_mul(element_type.size()));
        if bytes.is_none_or(|n| isize::try_from(n).is_err()) {
            return Err(IdxError::Overflow { dimensions: lengths.collect() });
        }
        Ok(Header { element_type, shape })
    }

    /// Bytes of all elements.
    pub fn bytes(&self) -> usize {
        self.shape.count() * self.element_type.size()
    }
}

/// Reads until `out` is full or the data end, and says how many bytes there were. A compressed stream that
/// breaks off counts as ended.
pub(super) fn fill(reader: &mut impl Read, out: &mut [u8]) -> Result<usize, IdxError> {
    let mut done = 0;
    while done < out.len() {
        match reader.read(&mut out[done..]) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(e) => return Err(IdxError::Io(e)),
        }
    }
    Ok(done)
}
