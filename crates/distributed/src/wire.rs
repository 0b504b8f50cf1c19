//! Numbers as bytes of messages.

use wengert_tensor::{Element, Float};

/// Bytes that are no message of this protocol: of another program, or of another version of this one.
///
/// ```
/// use wengert_distributed::compress::decompress;
/// let error = decompress(&[77], &mut [0.0f32]).unwrap_err();
/// assert_eq!(error.to_string(), "a message makes no sense: there is no compression of number 77");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message makes no sense: {reason}")]
pub struct WireError {
    reason: String,
}

impl WireError {
    pub(crate) fn new(reason: String) -> Self {
        WireError { reason }
    }
}

/// The bytes of numbers, little-endian.
pub(crate) fn bytes<T: Float>(numbers: &[T]) -> Vec<u8> {
    let mut bytes = vec![0; size_of_val(numbers)];
    for (bytes, number) in bytes.chunks_exact_mut(size_of::<T>()).zip(numbers) {
        bytes.copy_from_slice(number.to_le_bytes().as_ref());
    }
    bytes
}

/// The numbers of these bytes.
pub(crate) fn numbers<T: Float>(bytes: &[u8]) -> impl Iterator<Item = T> {
    let number = |bytes| T::from_le_bytes(T::Bytes::try_from(bytes).expect("the chunks have the width of T"));
    bytes.chunks_exact(size_of::<T>()).map(number)
}

/// A message that is being written; numbers are little-endian.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) -> &mut Self {
        self.raw(&[byte])
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn count(&mut self, count: u64) -> &mut Self {
        self.raw(&count.to_le_bytes())
    }

    /// The number of bytes and the bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len() as u64).raw(bytes)
    }

    /// Their number, their width and the numbers.
    pub(crate) fn floats<T: Float>(&mut self, values: &[T]) -> &mut Self {
        self.count(values.len() as u64).byte(size_of::<T>() as u8);
        self.raw(&bytes(values))
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// A message that is being read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(|| {
            WireError::new(format!("{} bytes are left where {len} should be", self.0.len()))
        })?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.raw(1)?[0])
    }

    pub(crate) fn count(&mut self) -> Result<u64, WireError> {
        let bytes = self.raw(8)?;
        Ok(u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes were taken")))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.count()?;
        self.raw(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// A count that has to be this length.
    pub(crate) fn expect_len(&mut self, len: usize) -> Result<(), WireError> {
        match self.count()? {
            found if found == len as u64 => Ok(()),
            found => Err(WireError::new(format!("{found} numbers where {len} should be"))),
        }
    }

    pub(crate) fn floats<T: Float>(&mut self, out: &mut [T]) -> Result<(), WireError> {
        self.expect_len(out.len())?;
        let width = usize::from(self.byte()?);
        if width != size_of::<T>() {
            let (found, here) = (8 * width, <T as Element>::NAME);
            return Err(WireError::new(format!("numbers of {found} bits where {here} should be")));
        }
        let bytes = self.raw(size_of_val(out))?;
        out.iter_mut().zip(numbers(bytes)).for_each(|(out, number)| *out = number);
        Ok(())
    }

    /// The number of bytes that were not read yet.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    /// That there is nothing more.
    pub(crate) fn end(self) -> Result<(), WireError> {
        match self.0 {
            [] => Ok(()),
            rest => Err(WireError::new(format!("{} bytes too many", rest.len()))),
        }
    }
}
