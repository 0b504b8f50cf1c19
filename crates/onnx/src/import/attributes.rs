//! A node's attributes, checked by the list that its operator has of them.

use wengert_tensor::text::quoted;

use crate::proto::{AttributeProto, External, TensorProto};

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Float(f64),
    Int(i64),
    Text(String),
    Tensor(Box<TensorProto>),
    Floats(Vec<f64>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
}

/// The kinds that operators' lists have: a letter, twice for a list.
fn letter(attribute: &Attribute) -> &'static str {
    match attribute {
        Attribute::Float(_) => "f",
        Attribute::Int(_) => "i",
        Attribute::Text(_) => "s",
        Attribute::Tensor(_) => "t",
        Attribute::Floats(_) => "ff",
        Attribute::Ints(_) => "ii",
        Attribute::Texts(_) => "ss",
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(Vec<(String, Attribute)>);

impl Attributes {
    /// Reads a node's attributes. `known` lists the operator's, as in `"axis:i perm:ii"`; subgraphs, which are no values, are
    /// passed over.
    pub(super) fn read(given: &[AttributeProto], known: &str) -> Result<Self, String> {
        let mut read = Vec::new();
        for attribute in given.iter().filter(|attribute| attribute.g.is_none()) {
            let (name, shown) = (&attribute.name, quoted(&attribute.name));
            let Some(value) = value(attribute) else {
                return Err(format!("its attribute {shown} has no value, or one of a kind that is not read"));
            };
            let Some(kind) = known.split(' ').find_map(|entry| entry.strip_prefix(name)?.strip_prefix(':'))
            else {
                return Err(format!("its attribute {shown} is not known"));
            };
            // A list without elements looks like any other.
            let empty = matches!(&value, Attribute::Ints(list) if list.is_empty()) && kind.len() == 2;
            if kind != letter(&value) && !empty {
                return Err(format!("its attribute {shown} is of another kind than it should be"));
            }
            if read.iter().any(|(other, _)| other == name) {
                return Err(format!("its attribute {shown} is given twice"));
            }
            read.push((name.clone(), value));
        }
        Ok(Attributes(read))
    }

    /// Reads the numbers of tensors that stand in other files.
    pub(super) fn fetch(&mut self, external: &External) -> Result<(), String> {
        for (name, value) in &mut self.0 {
            if let Attribute::Tensor(tensor) = value {
                tensor.fetch(external).map_err(|error| format!("its attribute {}: {error}", quoted(name)))?;
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.given_int(name).unwrap_or(default)
    }

    pub(super) fn given_int(&self, name: &str) -> Option<i64> {
        if let Some(&Attribute::Int(value)) = self.get(name) { Some(value) } else { None }
    }

    pub(super) fn float(&self, name: &str, default: f64) -> f64 {
        if let Some(&Attribute::Float(value)) = self.get(name) { value } else { default }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Attribute::Text(value)) = self.get(name) { Some(value) } else { None }
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        if let Some(Attribute::Ints(values)) = self.get(name) { Some(values) } else { None }
    }

    pub(super) fn floats(&self, name: &str) -> Option<&[f64]> {
        if let Some(Attribute::Floats(values)) = self.get(name) { Some(values) } else { None }
    }

    pub(super) fn texts(&self, name: &str) -> Option<&[String]> {
        if let Some(Attribute::Texts(values)) = self.get(name) { Some(values) } else { None }
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&TensorProto> {
        if let Some(Attribute::Tensor(value)) = self.get(name) { Some(value) } else { None }
    }
}

fn value(attribute: &AttributeProto) -> Option<Attribute> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    // Files of the first versions do not name the kind.
    let kind = attribute.kind.filter(|&kind| kind != 0).or_else(|| {
        let present = [
            (attribute.f.is_some(), AttributeProto::FLOAT),
            (attribute.i.is_some(), AttributeProto::INT),
            (attribute.s.is_some(), AttributeProto::STRING),
            (attribute.t.is_some(), AttributeProto::TENSOR),
            (!attribute.floats.is_empty(), AttributeProto::FLOATS),
            (!attribute.ints.is_empty(), AttributeProto::INTS),
            (!attribute.strings.is_empty(), AttributeProto::STRINGS),
        ];
        present.iter().find(|(is, _)| *is).map(|&(_, kind)| kind)
    })?;
    Some(match kind {
        // Writers of the third protobuf leave out zeros.
        AttributeProto::FLOAT => Attribute::Float(f64::from(attribute.f.unwrap_or(0.0))),
        AttributeProto::INT => Attribute::Int(attribute.i.unwrap_or(0)),
        AttributeProto::STRING => Attribute::Text(text(attribute.s.as_deref().unwrap_or(&[]))?),
        AttributeProto::TENSOR => Attribute::Tensor(attribute.t.clone()?),
        AttributeProto::FLOATS => Attribute::Floats(attribute.floats.iter().map(|&x| f64::from(x)).collect()),
        AttributeProto::INTS => Attribute::Ints(attribute.ints.clone()),
        AttributeProto::STRINGS => {
            Attribute::Texts(attribute.strings.iter().map(|bytes| text(bytes)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
