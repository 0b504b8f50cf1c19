//! What an operator is given: its operands, attributes and settings.

use wengert_nn::Ctx;
use wengert_tape::{Mask, Var};
use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape};

use super::attributes::Attributes;
use super::error::Problem;
use super::value::{BOOLS, FLOATS, INTS, Ints, Value};

/// An operator's results, of which the last may be left out.
pub(super) type Produced<T> = Result<Vec<Value<T>>, Problem>;

/// What an operator is given.
pub(super) struct Call<'a, T: Float> {
    pub(super) inputs: Vec<Option<Value<T>>>,
    pub(super) attributes: &'a Attributes,
    pub(super) opset: i64,
    /// The number of results that have a name.
    pub(super) outputs: usize,
    /// None while constants are folded.
    pub(super) cx: Option<&'a Ctx<T>>,
    /// The most elements that a result may have.
    pub(super) limit: usize,
}

impl<T: Float> Call<'_, T> {
    pub(super) fn given(&self, input: usize) -> Option<&Value<T>> {
        self.inputs.get(input).and_then(Option::as_ref)
    }

    pub(super) fn value(&self, input: usize) -> Result<&Value<T>, Problem> {
        self.given(input).ok_or(Problem::Missing { input })
    }

    pub(super) fn shape(&self, input: usize) -> Result<&Shape, Problem> {
        Ok(self.value(input)?.shape())
    }

    pub(super) fn kind(&self, input: usize, expected: &'static str) -> Problem {
        Problem::Kind { input, expected, found: self.given(input).map_or("nothing", Value::kind) }
    }

    pub(super) fn float(&self, input: usize) -> Result<&Var<T>, Problem> {
        self.value(input)?.float().ok_or_else(|| self.kind(input, FLOATS))
    }

    pub(super) fn given_float(&self, input: usize) -> Result<Option<&Var<T>>, Problem> {
        self.given(input).map(|_| self.float(input)).transpose()
    }

    pub(super) fn ints(&self, input: usize) -> Result<&Ints<T>, Problem> {
        self.value(input)?.ints().ok_or_else(|| self.kind(input, INTS))
    }

    pub(super) fn mask(&self, input: usize) -> Result<&Mask<T>, Problem> {
        self.value(input)?.mask().ok_or_else(|| self.kind(input, BOOLS))
    }

    /// The whole numbers of an operand, or of the attribute that earlier versions have in its place.
    pub(super) fn list(&self, input: usize, attribute: &'static str) -> Result<Option<Vec<i64>>, Problem> {
        if let Some(values) = self.attributes.ints(attribute) {
            return Ok(Some(values.to_vec()));
        }
        self.given(input).map(|_| Ok(self.ints(input)?.to_vec())).transpose()
    }

    pub(super) fn needed_list(&self, input: usize, attribute: &'static str) -> Result<Vec<i64>, Problem> {
        self.list(input, attribute)?.ok_or(Problem::Missing { input })
    }

    /// One number of an operand, of any kind, or of the attribute that earlier versions have in its place.
    pub(super) fn number(&self, input: usize, attribute: &str) -> Result<Option<f64>, Problem> {
        if let Some(super::attributes::Attribute::Float(value)) = self.attributes.get(attribute) {
            return Ok(Some(*value));
        }
        if let Some(super::attributes::Attribute::Int(value)) = self.attributes.get(attribute) {
            return Ok(Some(*value as f64));
        }
        let Some(value) = self.given(input) else { return Ok(None) };
        match value.to_f64().value().to_vec()[..] {
            [number] => Ok(Some(number)),
            _ => Err(self.unlike(input, "one element")),
        }
    }

    pub(super) fn unlike(&self, input: usize, expected: impl Into<String>) -> Problem {
        let shape = self.given(input).map_or(Shape::scalar(), |value| value.shape().clone());
        Problem::Shape { operand: format!("input {input}"), shape, expected: expected.into() }
    }

    /// An operand with at least that many axes.
    pub(super) fn at_least(&self, input: usize, rank: usize) -> Result<(), Problem> {
        if self.shape(input)?.len() < rank {
            return Err(self.unlike(input, format!("at least {rank} axes")));
        }
        Ok(())
    }

    /// An operand with that many axes.
    pub(super) fn exactly(&self, input: usize, rank: usize) -> Result<(), Problem> {
        if self.shape(input)?.len() != rank {
            return Err(self.unlike(input, format!("{rank} axes")));
        }
        Ok(())
    }

    /// An operand of that shape.
    pub(super) fn of_shape(&self, input: usize, shape: &[usize]) -> Result<(), Problem> {
        if self.shape(input)?[..] != *shape {
            return Err(self.unlike(input, format!("{shape:?}")));
        }
        Ok(())
    }

    /// A shape that results may have, from lengths that were computed or given.
    pub(super) fn size(&self, lengths: &[i64]) -> Result<Shape, Problem> {
        let too_large = || Problem::TooLarge { shape: lengths.to_vec(), limit: self.limit };
        let mut all = 1_usize;
        let mut shape = Vec::with_capacity(lengths.len());
        for &length in lengths {
            let length = usize::try_from(length).map_err(|_| too_large())?;
            all = all.checked_mul(length.max(1)).ok_or_else(too_large)?;
            shape.push(length);
        }
        if all > self.limit { Err(too_large()) } else { Ok(shape.into()) }
    }

    pub(super) fn sized(&self, lengths: impl IntoIterator<Item = usize>) -> Result<Shape, Problem> {
        let lengths: Vec<i64> =
            lengths.into_iter().map(|length| i64::try_from(length).unwrap_or(i64::MAX)).collect();
        self.size(&lengths)
    }

    /// The shape that operands of these shapes have together.
    pub(super) fn broadcast(&self, first: &Shape, second: &Shape) -> Result<Shape, Problem> {
        let fits = broadcasts(first, second)?;
        self.sized(fits.iter().copied())
    }
}

/// The shape that two shapes broadcast to.
pub(super) fn broadcasts(first: &Shape, second: &Shape) -> Result<Shape, Problem> {
    broadcast(first, second).ok_or_else(|| Problem::Shapes {
        what: "do not broadcast",
        first: first.clone(),
        second: second.clone(),
    })
}

/// The position of an axis, which may count from the end.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, Problem> {
    let position = if axis < 0 { i128::from(axis) + rank as i128 } else { i128::from(axis) };
    usize::try_from(position).ok().filter(|&p| p < rank).ok_or(Problem::Axis { axis, rank })
}

/// The positions of several axes, in increasing order.
pub(super) fn axes_of(axes: &[i64], rank: usize) -> Result<Vec<usize>, Problem> {
    let mut found = Vec::new();
    for &axis in axes {
        let position = axis_of(axis, rank)?;
        if found.contains(&position) {
            return Err(Problem::Axis { axis, rank });
        }
        found.push(position);
    }
    found.sort_unstable();
    Ok(found)
}

/// A list of lengths, none of them negative.
pub(super) fn lengths(name: &'static str, values: &[i64]) -> Result<Vec<usize>, Problem> {
    let wrong = |value: i64| Problem::setting(name, format!("{value} is no length"));
    values
        .iter()
        .map(|&v| usize::try_from(v).ok().filter(|&v| v <= 1 << 40).ok_or_else(|| wrong(v)))
        .collect()
}
