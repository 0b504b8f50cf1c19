//! From a state to what serde knows.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::brief;
use crate::node::{Found, LIST};
use crate::{Scalar, State, StateError};

/// Reads one value.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) Found<'a>);

impl<'a> Reader<'a> {
    /// A state of this kind.
    fn tree(self, kind: &'static str) -> Result<&'a State, StateError> {
        match self.0 {
            Found::Tree(state) if state.kind == kind => Ok(state),
            Found::Tree(state) => {
                Err(StateError::Kind { expected: kind.to_owned(), found: brief(&state.kind) })
            }
            found => Err(found.refused("a state")),
        }
    }

    fn visit_state<'de, V: Visitor<'de>>(
        self,
        state: &'a State,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StateError> {
        if let Some(name) = names(state).find(|name| !fields.contains(name)) {
            return Err(StateError::Unexpected { kind: brief(&state.kind), name: brief(name) });
        }
        visitor.visit_map(Entries::of(state)).map_err(|error| error.at(&state.kind, ""))
    }
}

fn names(state: &State) -> impl Iterator<Item = &str> {
    let children = state.children.keys();
    state.scalars.keys().chain(state.vectors.keys()).chain(children).map(String::as_str)
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = StateError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        match self.0 {
            Found::Scalar(&Scalar::Count(n)) | Found::Word(n) => visitor.visit_u64(n),
            Found::Scalar(&Scalar::Integer(n)) => visitor.visit_i64(n),
            Found::Scalar(&Scalar::Real(x)) | Found::Double(x) => visitor.visit_f64(x),
            Found::Scalar(&Scalar::Flag(flag)) => visitor.visit_bool(flag),
            Found::Scalar(Scalar::Text(text)) => visitor.visit_str(text),
            Found::Single(x) => visitor.visit_f32(x),
            Found::Scalar(Scalar::None) => visitor.visit_none(),
            Found::Tree(state) if state.kind != LIST || state.len == 0 => {
                visitor.visit_map(Entries::of(state))
            }
            Found::Vector(_) | Found::Tree(_) => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        match self.0 {
            Found::Scalar(&Scalar::Real(x)) => visitor.visit_f32(x as f32),
            Found::Single(x) => visitor.visit_f32(x),
            found => Err(found.refused("of type f32")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        match self.0 {
            Found::Scalar(&Scalar::Real(x)) | Found::Double(x) => visitor.visit_f64(x),
            found => Err(found.refused("of type f64")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        match self.0 {
            Found::Scalar(Scalar::None) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        self.tree(LIST)?.expect(LIST, &[], &[], &[])?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, StateError> {
        self.tree(name)?.expect(name, &[], &[], &[])?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, StateError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        match self.0 {
            Found::Vector(values) => visit_elements(values.len(), |i| Found::element(values, i), visitor),
            Found::Tree(_) => {
                let state = self.tree(LIST)?;
                if names(state).count() != state.len {
                    return Err(self.0.refused("a list of as many elements as it says"));
                }
                visit_elements(state.len, |i| Found::of(state, &i.to_string()), visitor)
            }
            found => Err(found.refused("a list")),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, StateError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, StateError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StateError> {
        visitor.visit_map(Entries::of(self.tree(LIST)?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StateError> {
        self.visit_state(self.tree(name)?, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StateError> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Reader<'_> {
    type Error = StateError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), StateError> {
        let variant = match self.0 {
            Found::Scalar(Scalar::Text(text)) => text,
            Found::Tree(state) => &state.kind,
            found => return Err(found.refused("one of several kinds")),
        };
        Ok((seed.deserialize(StrDeserializer::<StateError>::new(variant))?, self))
    }
}

impl<'a> Reader<'a> {
    /// The state of a variant.
    fn variant(self) -> Result<&'a State, StateError> {
        match self.0 {
            Found::Tree(state) => Ok(state),
            found => Err(found.refused("a state")),
        }
    }

    /// What a variant has that is not made of fields.
    fn content(self) -> Result<Reader<'a>, StateError> {
        let state = self.variant()?;
        state
            .expect(&state.kind, &["0"], &["0"], &[])
            .or_else(|_| state.expect(&state.kind, &[], &[], &["0"]))?;
        let missing = || StateError::Missing { kind: brief(&state.kind), name: "0".to_owned() };
        Found::of(state, "0").map(Reader).ok_or_else(missing)
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = StateError;

    fn unit_variant(self) -> Result<(), StateError> {
        match self.0 {
            Found::Scalar(_) => Ok(()),
            found => Err(found.refused("a text")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, StateError> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, StateError> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StateError> {
        self.visit_state(self.variant()?, fields, visitor)
    }
}

/// The elements of a list.
struct Elements<F> {
    next: usize,
    len: usize,
    element: F,
}

fn visit_elements<'a, 'de, V: Visitor<'de>>(
    len: usize,
    element: impl Fn(usize) -> Option<Found<'a>>,
    visitor: V,
) -> Result<V::Value, StateError> {
    let mut elements = Elements { next: 0, len, element };
    let value = visitor.visit_seq(&mut elements)?;
    // A tuple takes as many as it has.
    if elements.next < len {
        return Err(StateError::value("of the tuple's length", format!("a list of {len}")));
    }
    Ok(value)
}

impl<'a, 'de, F: Fn(usize) -> Option<Found<'a>>> SeqAccess<'de> for &mut Elements<F> {
    type Error = StateError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, StateError> {
        if self.next == self.len {
            return Ok(None);
        }
        let missing = || StateError::Missing { kind: LIST.to_owned(), name: self.next.to_string() };
        let found = (self.element)(self.next).ok_or_else(missing)?;
        self.next += 1;
        seed.deserialize(Reader(found)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

/// The names of a state with what it has under them.
struct Entries<'a, I> {
    kind: &'a str,
    entries: I,
    current: Option<(&'a str, Found<'a>)>,
}

impl<'a> Entries<'a, ()> {
    fn of(state: &'a State) -> Entries<'a, impl Iterator<Item = (&'a str, Found<'a>)>> {
        let scalars = state.scalars.iter().map(|(name, scalar)| (name, Found::Scalar(scalar)));
        let vectors = state.vectors.iter().map(|(name, values)| (name, Found::Vector(values)));
        let children = state.children.iter().map(|(name, child)| (name, Found::Tree(child)));
        let entries = scalars.chain(vectors).chain(children).map(|(name, found)| (name.as_str(), found));
        Entries { kind: &state.kind, entries, current: None }
    }
}

impl<'a, 'de, I: Iterator<Item = (&'a str, Found<'a>)>> MapAccess<'de> for Entries<'a, I> {
    type Error = StateError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, StateError> {
        self.current = self.entries.next();
        self.current.map(|(name, _)| seed.deserialize(StrDeserializer::<StateError>::new(name))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, StateError> {
        let (name, found) = self.current.take().expect("a key came first");
        seed.deserialize(Reader(found)).map_err(|error| error.at(self.kind, name))
    }
}
