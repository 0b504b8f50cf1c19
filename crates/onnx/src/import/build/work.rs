//! What a node does: an operator, or graphs within it.

use wengert_tensor::Float;
use wengert_tensor::text::{quoted, shortened};

use super::super::attributes::Attributes;
use super::super::error::ReadError;
use super::super::graph::{Node, Place, Stored, Work};
use super::super::names::Names;
use super::super::order::name_of;
use super::{Builder, Opsets, domain};
use crate::proto::{DataType, NodeProto};

/// What becomes of a node.
pub(super) enum Found<T: Float> {
    Work(Work<T>, Attributes),
    /// Its results stand at these places.
    Inlined(Vec<Place>),
    Refused(String),
}

impl<T: Float> Builder<'_, T> {
    pub(super) fn work(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<Place>],
        opset: i64,
        sets: &Opsets,
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<Found<T>, ReadError> {
        if !domain(&node.domain).is_empty() {
            return Ok(Found::Refused("operators of this domain are not known".to_owned()));
        }
        let body = |name: &str| {
            let found = node.attribute.iter().find(|attribute| attribute.name == name);
            found.and_then(|attribute| attribute.g.as_deref()).ok_or_else(|| {
                ReadError::graph(format!(
                    "{} at node {} has no graph `{name}`",
                    shortened(&node.op_type),
                    quoted(name_of(node))
                ))
            })
        };
        let attributes = |known: &str| Attributes::read(&node.attribute, known);
        let work = match node.op_type.as_str() {
            "If" => {
                let (then_branch, else_branch) = (body("then_branch")?, body("else_branch")?);
                // A branch that is never taken need not be known.
                let condition =
                    inputs.first().copied().flatten().and_then(|place| self.constants[place].clone());
                if let Some(Stored::Bool(condition)) =
                    condition.filter(|c| matches!(c, Stored::Bool(t) if t.len() == 1))
                {
                    let branch = if condition.item() { then_branch } else { else_branch };
                    return Ok(Found::Inlined(self.inlined(branch, sets, names, nodes)?));
                }
                let then_branch = self.body(then_branch, sets, names)?;
                let else_branch = self.body(else_branch, sets, names)?;
                Work::If { then_branch, else_branch }
            }
            "Loop" => Work::Loop(self.body(body("body")?, sets, names)?),
            "Scan" if opset < 9 => return Ok(Found::Refused("it is known from opset 9 on".to_owned())),
            "Scan" => Work::Scan(self.body(body("body")?, sets, names)?),
            "SequenceMap" if opset < 17 => {
                return Ok(Found::Refused("it is known from opset 17 on".to_owned()));
            }
            "SequenceMap" => Work::Map(self.body(body("body")?, sets, names)?),
            other => {
                let Some(operator) = self.operators.get(other) else {
                    return Ok(Found::Refused("it is not known".to_owned()));
                };
                let (since, count) = (operator.since, node.input.len());
                if opset < since {
                    return Ok(Found::Refused(format!("it is known from opset {since} on")));
                }
                if count < operator.inputs.0 || count > operator.inputs.1 {
                    let (least, most) = operator.inputs;
                    return Ok(Found::Refused(format!("it has {count} inputs, and takes {least} to {most}")));
                }
                Work::Operator(operator.run)
            }
        };
        let known = match &work {
            Work::Operator(_) => self.operators[node.op_type.as_str()].attributes,
            Work::Scan(_) => {
                "num_scan_inputs:i scan_input_axes:ii scan_input_directions:ii scan_output_axes:ii scan_output_directions:ii directions:ii"
            }
            _ => "",
        };
        let mut attributes = match attributes(known) {
            Ok(attributes) => attributes,
            Err(reason) => return Ok(Found::Refused(reason)),
        };
        attributes.fetch(self.external).map_err(|problem| ReadError::tensor(name_of(node), problem))?;
        let elements = |code: i64| i32::try_from(code).ok().and_then(DataType::from_code);
        if let Some(code) = attributes.given_int("to").filter(|&code| elements(code).is_none()) {
            return Ok(Found::Refused(format!("elements of type {code} are not computed with")));
        }
        Ok(Found::Work(work, attributes))
    }
}
