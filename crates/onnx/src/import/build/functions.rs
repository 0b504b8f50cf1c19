//! A model's own functions, whose nodes stand in the place of those that call them.

use wengert_tensor::Float;

use super::super::error::ReadError;
use super::super::graph::{Node, Place};
use super::super::names::Names;
use super::{Builder, domain, opsets};
use crate::proto::{AttributeProto, FunctionProto, Message, NodeProto};

/// Functions within functions.
const DEEPEST: usize = 32;
/// The most bytes, as they would stand in a file, that functions may unfold to beyond their own.
const MOST_UNFOLDED: usize = 64 << 20;

/// What a function is called by: domain, name and overload.
pub(super) type Function<'a> = (&'a str, &'a str, &'a str);

pub(super) fn called_by(function: &FunctionProto) -> Function<'_> {
    (domain(&function.domain), function.name.as_str(), function.overload.as_str())
}

/// How many bytes these functions may unfold to.
pub(super) fn most_unfolded(functions: &[FunctionProto]) -> usize {
    MOST_UNFOLDED.saturating_add(functions.iter().map(Message::length).sum())
}

impl<T: Float> Builder<'_, T> {
    /// The nodes of a function in the place of the node that calls it.
    pub(super) fn call(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        inputs: &[Option<Place>],
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<(), ReadError> {
        if self.depth == DEEPEST {
            return Err(ReadError::graph(format!("functions within functions, more than {DEEPEST} deep")));
        }
        let mut inner = Names::default();
        for (name, place) in function.input.iter().zip(inputs) {
            if let Some(place) = *place {
                inner.bind(name, place)?;
            }
        }
        let given = |name: &str| {
            let mut all = node.attribute.iter().chain(&function.attribute_proto);
            all.find(|attribute| attribute.name == name)
        };
        let mut list = Vec::new();
        for node in &function.node {
            let node = with_attributes(node, &given, function, inputs);
            self.unfolds = self.unfolds.checked_sub(node.length()).ok_or_else(|| {
                ReadError::graph(format!("functions that unfold to more than {MOST_UNFOLDED} bytes"))
            })?;
            list.push(node);
        }
        self.depth += 1;
        let done = self.nodes(&list, &opsets(&function.opset_import), &mut inner, nodes);
        self.depth -= 1;
        done?;
        for (output, name) in node.output.iter().zip(&function.output) {
            if !output.is_empty() {
                names.bind(output, inner.needed(name, "a function's list of outputs")?)?;
            }
        }
        Ok(())
    }
}

/// A function's node with the attributes that the caller gives it, and without the inputs that the caller leaves out.
fn with_attributes<'a>(
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
