//! Protobuf's wire format: tags, varints, fixed and length-delimited values.

use super::ProtoError;

/// Messages within messages that are read; protobuf's own readers have the same limit.
const DEEPEST: usize = 100;
/// What a message may take in memory beyond twice its bytes: the parts of graphs are larger in memory than in the file,
/// and weights, which are most of a file, are not.
const PARTS: usize = 64 << 20;

/// The value of a field.
#[derive(Clone, Copy)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Delimited(&'a [u8]),
    Fixed32([u8; 4]),
}

/// How much a message may still hold, shared by all that is read of it.
pub(crate) struct Limits {
    depth: usize,
    memory: usize,
    all: usize,
}

impl Limits {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let all = bytes.len().saturating_mul(2).saturating_add(PARTS);
        Limits { depth: 0, memory: all, all }
    }

    /// Counts memory that is about to be used.
    pub(super) fn charge(&mut self, at: usize, bytes: usize) -> Result<(), ProtoError> {
        match self.memory.checked_sub(bytes) {
            Some(left) => self.memory = left,
            None => return Err(ProtoError::Memory { at, limit: self.all }),
        }
        Ok(())
    }

    pub(super) fn nested<R>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<R, ProtoError>,
    ) -> Result<R, ProtoError> {
        if self.depth == DEEPEST {
            return Err(ProtoError::Depth { at, limit: DEEPEST });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

/// The fields of a message, in their order.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    /// Where the rest of the message stands in the file.
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8], at: usize) -> Self {
        Fields { bytes, at }
    }

    /// The next field's number, where its value begins, and the value; `None` at the message's end. Groups, which ONNX has
    /// never had, are passed over.
    pub(super) fn next(&mut self) -> Result<Option<(u32, usize, Wire<'a>)>, ProtoError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|&number| number != 0 && number < 1 << 29);
        let Some(number) = number else { return Err(ProtoError::Tag { at: start, tag }) };
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed()?),
            2 => {
                let length = self.varint()?;
                let at = self.at;
                let length = usize::try_from(length).map_err(|_| ProtoError::Truncated { at })?;
                return Ok(Some((number, at, Wire::Delimited(self.take(length)?))));
            }
            5 => Wire::Fixed32(self.fixed()?),
            _ => return Err(ProtoError::Tag { at: start, tag }),
        };
        Ok(Some((number, start, value)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn varint(&mut self) -> Result<u64, ProtoError> {
        let mut value = 0;
        for (i, &byte) in self.bytes.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has one bit left.
            if i == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * i);
            if byte < 0x80 {
                self.take(i + 1)?;
                return Ok(value);
            }
        }
        let at = self.at;
        Err(if self.bytes.len() < 10 { ProtoError::Truncated { at } } else { ProtoError::Varint { at } })
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ProtoError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| ProtoError::Truncated { at })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ProtoError> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or(ProtoError::Truncated { at: self.at })?;
        self.bytes = rest;
        self.at += length;
        Ok(taken)
    }
}

/// What takes the bytes of a message, or counts them: a message within another is preceded by its length.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The number of bytes that would be written.
#[derive(Default)]
pub(super) struct Length(pub(super) usize);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

pub(super) fn put_varint(mut value: u64, out: &mut impl Sink) {
    let (mut bytes, mut length) = ([0; 10], 0);
    loop {
        bytes[length] = value as u8 & 0x7f;
        value >>= 7;
        if value == 0 {
            break;
        }
        bytes[length] |= 0x80;
        length += 1;
    }
    out.put(&bytes[..=length]);
}

/// Puts a field's number with its wire type.
pub(super) fn put_tag(number: u32, wire_type: u64, out: &mut impl Sink) {
    put_varint(u64::from(number) << 3 | wire_type, out);
}

/// Puts a length-delimited field.
pub(super) fn put_delimited(number: u32, bytes: &[u8], out: &mut impl Sink) {
    put_tag(number, 2, out);
    put_varint(bytes.len() as u64, out);
    out.put(bytes);
}
