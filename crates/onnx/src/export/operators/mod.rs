//! Which of ONNX's operators an operation is: one function for each name, by families.

mod attention;
mod compare;
mod elementwise;
mod grid;
mod index;
mod linear;
mod loss;
mod normalise;
mod order;
mod pairs;
mod pool;
mod products;
mod ranks;
mod recurrent;
mod recurrent_layers;
mod reduce;
mod refused;
mod scatter;
mod shape;
mod smooth;
mod spectrum;

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::graph::Graph;
use super::length::{Length, Quantity, Sizes, Value};
use super::program::Operation;

pub(super) use refused::reason;

/// An operand that has been written.
pub(super) struct Operand<'a> {
    pub(super) name: &'a str,
    pub(super) shape: &'a [Length],
    pub(super) kind: Kind,
}

/// An operation that is to be written, with its operands.
pub(super) struct At<'a, T: Float> {
    pub(super) operation: &'a Operation<T>,
    pub(super) operands: Vec<Operand<'a>>,
    pub(super) sizes: &'a Sizes,
}

/// Writes an operation, and gives the name of its value or the reason why it cannot be written.
pub(super) type Rule<T> = fn(&mut Graph, &At<'_, T>) -> Result<String, String>;

/// How the operations of that name are written.
pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    elementwise::rule(name)
        .or_else(|| smooth::rule(name))
        .or_else(|| pairs::rule(name))
        .or_else(|| compare::rule(name))
        .or_else(|| products::rule(name))
        .or_else(|| pool::rule(name))
        .or_else(|| linear::rule(name))
        .or_else(|| normalise::rule(name))
        .or_else(|| reduce::rule(name))
        .or_else(|| shape::rule(name))
        .or_else(|| index::rule(name))
        .or_else(|| grid::rule(name))
        .or_else(|| spectrum::rule(name))
        .or_else(|| scatter::rule(name))
        .or_else(|| order::rule(name))
        .or_else(|| ranks::rule(name))
        .or_else(|| attention::rule(name))
        .or_else(|| recurrent::rule(name))
        .or_else(|| recurrent_layers::rule(name))
        .or_else(|| loss::rule(name))
}

/// Writes an operation, and gives the name of its value.
///
/// # Errors
/// The reason why it cannot be written.
pub(super) fn write<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let name = &at.operation.name;
    // Parts of derivatives have the names of their functions.
    if at.text("part") == Some("slope") {
        return Err("it is the slope of a function, part of a derivative".into());
    }
    let Some(rule) = rule::<T>(name) else {
        return Err(reason(name).unwrap_or("it is not among the operations that are written").to_owned());
    };
    rule(g, at)
}

impl<T: Float> At<'_, T> {
    /// The name of an operand.
    pub(super) fn x(&self, i: usize) -> &str {
        self.operands[i].name
    }

    /// The shape of an operand.
    pub(super) fn shape(&self, i: usize) -> &[Length] {
        self.operands[i].shape
    }

    pub(super) fn rank(&self, i: usize) -> usize {
        self.shape(i).len()
    }

    /// The shape of the result.
    pub(super) fn out(&self) -> &[Length] {
        &self.operation.shape
    }

    /// How many operands there are.
    pub(super) fn count(&self) -> usize {
        self.operands.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.operation.attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Flag(true)))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn length(&self, name: &str) -> Option<Length> {
        match self.get(name) {
            Some(Value::Integer(length)) => Some(*length),
            _ => None,
        }
    }

    /// A whole number that does not depend on the size of the batch.
    pub(super) fn int(&self, name: &str) -> Result<i64, String> {
        self.length(name)
            .and_then(Length::known)
            .ok_or_else(|| format!("its {name} depends on the size of the batch"))
    }

    pub(super) fn axis(&self) -> Result<usize, String> {
        self.int("axis").map(|axis| axis as usize)
    }

    pub(super) fn ints(&self, name: &str) -> Result<Vec<i64>, String> {
        match self.get(name) {
            Some(Value::Integers(list)) => {
                list.iter().map(|length| length.known()).collect::<Option<Vec<i64>>>()
            }
            _ => None,
        }
        .ok_or_else(|| format!("its {name} depends on the size of the batch"))
    }

    pub(super) fn quantity(&self, name: &str) -> Option<Quantity> {
        match self.get(name) {
            Some(Value::Number(quantity)) => Some(*quantity),
            // Whole numbers are written as such by some.
            Some(Value::Integer(length)) => Some(Quantity::Of(*length)),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<f64, String> {
        match self.quantity(name) {
            Some(Quantity::Fixed(x)) => Ok(x),
            Some(Quantity::Of(Length { fixed, each: 0 })) => Ok(fixed as f64),
            _ => Err(format!("its {name} depends on the size of the batch")),
        }
    }

    /// The axes that the attribute `axes` names, of the first operand, in ascending order.
    pub(super) fn axes(&self) -> Vec<usize> {
        let rank = self.rank(0);
        let text = self.text("axes").unwrap_or("all");
        if text == "all" {
            return (0..rank).collect();
        }
        let numbers =
            text.trim_matches(|c| c == '[' || c == ']').split(',').filter_map(|n| n.trim().parse().ok());
        let mut axes: Vec<usize> =
            numbers.map(|n: i64| if n < 0 { n + rank as i64 } else { n } as usize).collect();
        axes.sort_unstable();
        axes
    }

    /// The lengths at the size of the first recording.
    pub(super) fn at_first(&self, shape: &[Length]) -> Vec<usize> {
        let size = self.sizes.0.first().map_or(0, |&size| size as i64);
        shape.iter().map(|length| (length.fixed + length.each * size) as usize).collect()
    }

    /// One length of an operand's shape, if it is the same for all batches.
    pub(super) fn dim(&self, i: usize, axis: usize) -> Result<usize, String> {
        self.shape(i)[axis]
            .known()
            .map(|length| length as usize)
            .ok_or_else(|| format!("axis {axis} is as long as the batch"))
    }
}
