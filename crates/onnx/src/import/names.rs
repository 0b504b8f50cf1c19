//! The names of values, in graphs within graphs and in functions.

use std::collections::HashMap;

use wengert_tensor::text::quoted;

use super::error::ReadError;
use super::graph::Place;
use crate::proto::{AttributeProto, FunctionProto, NodeProto};

/// The places of named values.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) places: HashMap<String, Place>,
    pub(super) outer: Option<&'a Names<'a>>,
}

impl Names<'_> {
    pub(super) fn get(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied().or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn bind(&mut self, name: &str, place: Place) -> Result<(), ReadError> {
        if self.places.insert(name.to_owned(), place).is_some() {
            return Err(ReadError::graph(format!("two values have the name {}", quoted(name))));
        }
        Ok(())
    }

    pub(super) fn needed(&self, name: &str, by: &str) -> Result<Place, ReadError> {
        self.get(name).ok_or_else(|| {
            ReadError::graph(format!(
                "{by} takes {}, which no node makes and no input or initialiser is",
                quoted(name)
            ))
        })
    }
}

/// A function's node with the attributes that the caller gives it, and without the inputs that the caller leaves out.
pub(super) fn with_attributes<'a>(
    node: &NodeProto,
    given: &impl Fn(&str) -> Option<&'a AttributeProto>,
    function: &FunctionProto,
    inputs: &[Option<Place>],
) -> NodeProto {
    let mut node = node.clone();
    let left_out = |name: &String| {
        let at = function.input.iter().position(|input| input == name);
        at.is_some_and(|at| inputs.get(at).copied().flatten().is_none())
    };
    node.input.iter_mut().filter(|name| left_out(name)).for_each(String::clear);
    node.attribute = std::mem::take(&mut node.attribute)
        .into_iter()
        .filter_map(|attribute| {
            if attribute.ref_attr_name.is_empty() {
                return Some(attribute);
            }
            // One that neither the caller nor the function gives is left out.
            given(&attribute.ref_attr_name)
                .map(|value| AttributeProto { name: attribute.name, ..value.clone() })
        })
        .collect();
    node
}
