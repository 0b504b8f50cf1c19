//! One tensor's entry in a header.

use std::borrow::Cow;
use std::fmt::Formatter;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use wengert_tensor::Shape;

use super::header::AXES;

/// What a header says of a tensor.
pub(super) struct Entry<'a> {
    pub(super) dtype: Cow<'a, str>,
    pub(super) shape: Axes,
    /// Where its bytes begin and end, from the end of the header.
    pub(super) data_offsets: (u64, u64),
}

/// The lengths of the axes.
pub(super) struct Axes {
    /// The first of them.
    lengths: Vec<u64>,
    count: usize,
    /// Their product; `None` if it overflows.
    pub(super) elements: Option<u64>,
}

impl Axes {
    pub(super) fn shape(&self) -> Shape {
        self.lengths.iter().map(|&length| usize::try_from(length).unwrap_or(usize::MAX)).collect()
    }

    pub(super) fn axes(&self) -> usize {
        self.count
    }
}

/// A key of an object.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A JSON value, of which nothing is kept that an entry does not have. That it is not what it should be is no error of
/// the parser's, whose messages would quote it however long it is.
pub(super) enum Part<'a> {
    Number(u64),
    Text(Cow<'a, str>),
    Numbers(Axes),
    Entry(Entry<'a>),
    Other,
}

impl<'de> Deserialize<'de> for Part<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Part<'de>, E> {
        Ok(Part::Number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Part<'de>, E> {
        Ok(Part::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Part<'de>, E> {
        Ok(Part::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part<'de>, A::Error> {
        let mut axes = Axes { lengths: Vec::new(), count: 0, elements: Some(1) };
        let (mut empty, mut all_numbers) = (false, true);
        while let Some(part) = list.next_element()? {
            let Part::Number(length) = part else {
                all_numbers = false;
                continue;
            };
            empty |= length == 0;
            axes.elements = axes.elements.and_then(|elements| elements.checked_mul(length));
            axes.count += 1;
            if axes.lengths.len() < AXES {
                axes.lengths.push(length);
            }
        }
        if empty {
            axes.elements = Some(0);
        }
        Ok(if all_numbers { Part::Numbers(axes) } else { Part::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part<'de>, A::Error> {
        let (mut dtype, mut shape, mut range, mut wrong) = (None, None, None, false);
        while let Some(Name(key)) = map.next_key()? {
            match (&*key, map.next_value()?) {
                ("dtype", Part::Text(text)) if dtype.is_none() => dtype = Some(text),
                ("shape", Part::Numbers(axes)) if shape.is_none() => shape = Some(axes),
                ("data_offsets", Part::Numbers(pair)) if range.is_none() && pair.count == 2 => {
                    range = Some((pair.lengths[0], pair.lengths[1]));
                }
                ("dtype" | "shape" | "data_offsets", _) => wrong = true,
                _ => {}
            }
        }
        Ok(match (dtype, shape, range) {
            (Some(dtype), Some(shape), Some(data_offsets)) if !wrong => {
                Part::Entry(Entry { dtype, shape, data_offsets })
            }
            _ => Part::Other,
        })
    }
}
