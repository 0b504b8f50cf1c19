//! From what serde knows to a state.

use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::node::{LIST, List, Node};
use crate::{Scalar, State, StateError};

/// Writes one value.
pub(crate) struct Writer;

type Written = Result<Node, StateError>;

fn scalar(scalar: Scalar) -> Written {
    Ok(Node::Scalar(scalar))
}

impl Serializer for Writer {
    type Ok = Node;
    type Error = StateError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Variant;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    /// So that numbers within are not made texts.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, v: bool) -> Written {
        scalar(Scalar::Flag(v))
    }
    fn serialize_i8(self, v: i8) -> Written {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Written {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Written {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Written {
        scalar(Scalar::Integer(v))
    }
    fn serialize_u8(self, v: u8) -> Written {
        self.serialize_u64(v.into())
    }
    fn serialize_u16(self, v: u16) -> Written {
        self.serialize_u64(v.into())
    }
    fn serialize_u32(self, v: u32) -> Written {
        self.serialize_u64(v.into())
    }
    fn serialize_u64(self, v: u64) -> Written {
        scalar(Scalar::Count(v))
    }
    fn serialize_f32(self, v: f32) -> Written {
        Ok(Node::Single(v))
    }
    fn serialize_f64(self, v: f64) -> Written {
        scalar(Scalar::Real(v))
    }
    fn serialize_char(self, v: char) -> Written {
        scalar(Scalar::Text(v.to_string()))
    }
    fn serialize_str(self, v: &str) -> Written {
        scalar(Scalar::Text(v.to_owned()))
    }
    fn serialize_bytes(self, v: &[u8]) -> Written {
        self.collect_seq(v)
    }
    fn serialize_none(self) -> Written {
        scalar(Scalar::None)
    }
    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Written {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Written {
        Ok(Node::Tree(State::new(LIST, 0)))
    }
    fn serialize_unit_struct(self, name: &'static str) -> Written {
        Ok(Node::Tree(State::new(name, 0)))
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<V: Serialize + ?Sized>(self, _: &'static str, value: &V) -> Written {
        value.serialize(self)
    }
    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &V,
    ) -> Written {
        let mut state = State::new(variant, 1);
        value.serialize(Writer)?.put("0", &mut state);
        Ok(Node::Tree(state))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<List, StateError> {
        Ok(List::new())
    }
    fn serialize_tuple(self, _: usize) -> Result<List, StateError> {
        Ok(List::new())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, StateError> {
        Ok(List::new())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Variant, StateError> {
        Ok(Variant(variant, List::new()))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries, StateError> {
        Ok(Entries { state: State::new(LIST, 0), key: String::new() })
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields, StateError> {
        Ok(Fields(State::new(name, 0)))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, StateError> {
        Ok(Fields(State::new(variant, 0)))
    }
}

impl SerializeSeq for List {
    type Ok = Node;
    type Error = StateError;

    fn serialize_element<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), StateError> {
        self.push(value.serialize(Writer)?);
        Ok(())
    }
    fn end(self) -> Written {
        Ok(self.finish())
    }
}

impl SerializeTuple for List {
    type Ok = Node;
    type Error = StateError;

    fn serialize_element<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), StateError> {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Written {
        Ok(self.finish())
    }
}

impl SerializeTupleStruct for List {
    type Ok = Node;
    type Error = StateError;

    fn serialize_field<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), StateError> {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Written {
        Ok(self.finish())
    }
}

/// A variant with a list.
pub(crate) struct Variant(&'static str, List);

impl SerializeTupleVariant for Variant {
    type Ok = Node;
    type Error = StateError;

    fn serialize_field<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), StateError> {
        SerializeSeq::serialize_element(&mut self.1, value)
    }
    fn end(self) -> Written {
        let mut state = State::new(self.0, 1);
        self.1.finish().put("0", &mut state);
        Ok(Node::Tree(state))
    }
}

/// A structure.
pub(crate) struct Fields(State);

impl SerializeStruct for Fields {
    type Ok = Node;
    type Error = StateError;

    fn serialize_field<V: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &V,
    ) -> Result<(), StateError> {
        value.serialize(Writer).map_err(|error| error.at(&self.0.kind, key))?.put(key, &mut self.0);
        Ok(())
    }
    fn end(self) -> Written {
        Ok(Node::Tree(self.0))
    }
}

impl SerializeStructVariant for Fields {
    type Ok = Node;
    type Error = StateError;

    fn serialize_field<V: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &V,
    ) -> Result<(), StateError> {
        SerializeStruct::serialize_field(self, key, value)
    }
    fn end(self) -> Written {
        Ok(Node::Tree(self.0))
    }
}

/// A map, whose keys are texts.
pub(crate) struct Entries {
    state: State,
    key: String,
}

impl SerializeMap for Entries {
    type Ok = Node;
    type Error = StateError;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), StateError> {
        self.key = match key.serialize(Writer)? {
            Node::Scalar(Scalar::Text(text)) => text,
            _ => return Err(StateError::custom("keys of maps must be texts")),
        };
        Ok(())
    }
    fn serialize_value<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), StateError> {
        value.serialize(Writer).map_err(|error| error.at(LIST, &self.key))?.put(&self.key, &mut self.state);
        Ok(())
    }
    fn end(self) -> Written {
        Ok(Node::Tree(self.state))
    }
}
