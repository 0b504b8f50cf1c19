//! The header of a safetensors file: the length of a JSON text in eight bytes, and that text, which says where in the
//! bytes that follow each tensor is.
//!
//! Read here and not by the format's own crate, which refuses a file for a type that it does not know, and keeps every
//! entry of a file: here entries pass by, and only those are kept that somebody wants. What is written is the same to
//! the byte.

use std::borrow::Cow;
use std::fmt::{Formatter, Write};
use std::io::{Error, Read, Seek, SeekFrom};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use wengert_tensor::{Shape, text};

use super::FormatError;
use super::dtype::bits;
use super::entry::{Entry, Name, Part};

/// The format's limit for the length of a header.
const LONGEST: u64 = 100_000_000;
/// Axes of a tensor that are kept: many more than anybody has.
pub(super) const AXES: usize = 1024;
/// The entry that is no tensor.
const METADATA: &str = "__metadata__";

/// The header of a file.
pub(super) struct Header {
    json: Vec<u8>,
    /// Where the tensors' bytes begin.
    pub(super) start: u64,
    /// How many there are.
    bytes: u64,
}

impl Header {
    /// Reads the header of a file of `length` bytes.
    pub(super) fn read(
        file: &mut (impl Read + Seek),
        length: u64,
    ) -> Result<Result<Self, FormatError>, Error> {
        let mut start = [0; 8];
        if length < start.len() as u64 {
            return Ok(Err(FormatError::TooShort { found: length }));
        }
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut start)?;
        let (claimed, limit) = (u64::from_le_bytes(start), LONGEST.min(length - 8));
        if claimed > limit {
            return Ok(Err(FormatError::HeaderLength { claimed, limit }));
        }
        let mut json = vec![0; claimed as usize];
        file.read_exact(&mut json)?;
        Ok(Ok(Header { json, start: 8 + claimed, bytes: length - 8 - claimed }))
    }

    /// Where the bytes of each tensor begin and end, if all of them fill the file and none has too many axes.
    pub(super) fn check(&self) -> Result<Vec<(u64, u64)>, FormatError> {
        let (mut ranges, mut wrong) = (Vec::new(), None);
        self.each(|name, entry| {
            if entry.shape.axes() > AXES && wrong.is_none() {
                wrong =
                    Some(FormatError::Tensor { name: text::shortened(name), reason: "has too many axes" });
            }
            ranges.push(entry.data_offsets);
        })?;
        match wrong {
            Some(wrong) => Err(wrong),
            None => Ok(ranges),
        }
    }

    /// Shows all tensors to `visit`, in the order of the header, and checks that they fill the file.
    pub(super) fn each<'a>(&'a self, mut visit: impl FnMut(&str, Entry<'a>)) -> Result<(), FormatError> {
        let (mut ranges, mut wrong) = (Vec::new(), None);
        let mut checked = |name: &str, part: Part<'a>| match self.checked(part) {
            Err(reason) => {
                wrong = Some(FormatError::Tensor { name: text::shortened(name), reason });
                false
            }
            Ok(entry) => {
                ranges.push(entry.data_offsets);
                visit(name, entry);
                true
            }
        };
        let mut json = self.parser()?;
        let parsed = Entries(&mut checked).deserialize(&mut json).and_then(|()| json.end());
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        // The parser's messages may quote a text of any length.
        parsed.map_err(|error| FormatError::Header { reason: text::line(&error.to_string(), 160) })?;
        ranges.sort_unstable();
        let end = ranges.iter().try_fold(0, |end, &(start, next)| (start == end).then_some(next));
        if end == Some(self.bytes) { Ok(()) } else { Err(FormatError::Gaps) }
    }

    /// What parses it, if it can be a header: else a parser would quote it, whatever its length.
    fn parser(&self) -> Result<serde_json::Deserializer<serde_json::de::SliceRead<'_>>, FormatError> {
        match self.json.first() {
            Some(b'{') => Ok(serde_json::Deserializer::from_slice(&self.json)),
            _ => Err(FormatError::Header { reason: "it does not start with {".into() }),
        }
    }

    /// Shows the texts of the metadata to `visit`, with `None` for what is no text.
    pub(super) fn each_text<'a>(
        &'a self,
        mut visit: impl FnMut(&str, Option<Cow<'a, str>>),
    ) -> Result<(), FormatError> {
        let mut json = self.parser()?;
        (Metadata(&mut visit).deserialize(&mut json))
            .map_err(|error| FormatError::Header { reason: text::line(&error.to_string(), 160) })
    }

    /// The entry, if its bytes are inside the file, and as many as they should be. Of a type that is not known only the
    /// place is checked. Else what is wrong with it.
    fn checked<'a>(&self, part: Part<'a>) -> Result<Entry<'a>, &'static str> {
        let Part::Entry(entry) = part else {
            return Err("has not the type, the shape and the two offsets of a tensor");
        };
        let (start, end) = entry.data_offsets;
        if start > end || end > self.bytes {
            return Err("lies outside the file");
        }
        if let Some(bits) = bits(&entry.dtype) {
            let expected = entry.shape.elements.and_then(|elements| elements.checked_mul(bits));
            if expected.is_none() || expected != (end - start).checked_mul(8) {
                return Err("has not as many bytes as its shape and type say");
            }
        }
        Ok(entry)
    }
}

/// The header of a file with tensors of these names, types, shapes and bytes of an element, one after another: with the
/// eight bytes before it. The texts come into the metadata, after what PyTorch's writer has there.
///
/// # Errors
/// If it is longer than the format allows.
pub(super) fn compose<'a>(
    texts: &[(&str, &str)],
    tensors: impl Iterator<Item = (&'a str, &'a str, &'a Shape, u64)>,
) -> Result<Vec<u8>, FormatError> {
    let mut json = format!("{{\"{METADATA}\":{{\"format\":\"pt\"");
    for (key, value) in texts {
        write!(json, ",{}:{}", quoted(key), quoted(value)).expect("strings can be written to");
    }
    json.push('}');
    let mut end = 0;
    for (name, dtype, shape, bytes) in tensors {
        if shape.len() > AXES {
            return Err(FormatError::Tensor { name: text::shortened(name), reason: "has too many axes" });
        }
        let name = quoted(name);
        let lengths = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let start = end;
        end += shape.count() as u64 * bytes;
        write!(
            json,
            ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":[{lengths}],\"data_offsets\":[{start},{end}]}}"
        )
        .expect("strings can be written to");
    }
    json.push('}');
    // The tensors begin at a multiple of eight bytes.
    let length = json.len().next_multiple_of(8);
    if length as u64 > LONGEST {
        return Err(FormatError::HeaderLength { claimed: length as u64, limit: LONGEST });
    }
    let mut header = (length as u64).to_le_bytes().to_vec();
    header.extend(json.bytes());
    header.resize(8 + length, b' ');
    Ok(header)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("every string can be JSON")
}

/// Whether a parameter of this name can be told from the other things that a header has.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == METADATA
}

/// All entries but the metadata, shown to a function, which stops by `false`.
struct Entries<F>(F);

impl<'de, F: FnMut(&str, Part<'de>) -> bool> DeserializeSeed<'de> for Entries<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, Part<'de>) -> bool> Visitor<'de> for Entries<F> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            if name == METADATA {
                map.next_value::<IgnoredAny>()?;
            } else if !(self.0)(&name, map.next_value()?) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// The metadata's entries, shown to a function.
struct Metadata<F>(F);

impl<'de, F: FnMut(&str, Option<Cow<'de, str>>)> DeserializeSeed<'de> for Metadata<&mut F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, Option<Cow<'de, str>>)> Visitor<'de> for Metadata<&mut F> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            if name == METADATA {
                map.next_value_seed(Texts(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Texts<F>(F);

impl<'de, F: FnMut(&str, Option<Cow<'de, str>>)> DeserializeSeed<'de> for Texts<&mut F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // What is no map is refused without a message that quotes it.
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, Option<Cow<'de, str>>)> Visitor<'de> for Texts<&mut F> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("texts by name")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        no_texts()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        no_texts()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        no_texts()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        no_texts()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        no_texts()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        no_texts()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        no_texts()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(key)) = map.next_key()? {
            match map.next_value()? {
                Part::Text(text) => (self.0)(&key, Some(text)),
                _ => (self.0)(&key, None),
            }
        }
        Ok(())
    }
}

fn no_texts<E: serde::de::Error>() -> Result<(), E> {
    Err(E::custom("the metadata are not texts by name"))
}
