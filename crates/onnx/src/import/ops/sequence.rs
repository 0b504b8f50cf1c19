//! Sequences: made of values, taken apart, and joined.

use wengert_tensor::Float;

use super::super::call::{Call, Produced, axis_of, lengths};
use super::super::error::Problem;
use super::super::value::{SEQUENCE, Sequence, Value};
use super::structure::{concat, parts, pick, unsqueezed};
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("SequenceConstruct", 11, (1, super::ANY), "", |call| {
            let values = (0..call.inputs.len()).map(|i| call.value(i).cloned());
            sequence(call, values.collect::<Result<_, _>>()?)
        }),
        operator("SequenceEmpty", 11, (0, 0), "dtype:i", |call| sequence(call, Vec::new())),
        operator("SequenceAt", 11, (2, 2), "", |call| {
            let values = given(call)?;
            Ok(vec![values[place(call, 1, values.len(), 0)?].clone()])
        }),
        operator("SequenceInsert", 11, (2, 3), "", |call| {
            let mut values = given(call)?.to_vec();
            // Behind the last is a place, too.
            let at = place(call, 2, values.len(), 1)?;
            values.insert(at, call.value(1)?.clone());
            sequence(call, values)
        }),
        operator("SequenceErase", 11, (1, 2), "", |call| {
            let mut values = given(call)?.to_vec();
            values.remove(place(call, 1, values.len(), 0)?);
            sequence(call, values)
        }),
        operator("SequenceLength", 11, (1, 1), "", |call| {
            let length = given(call)?.len() as i64;
            Ok(vec![Value::from_ints(&[length], wengert_tensor::Shape::scalar())?])
        }),
        operator("ConcatFromSequence", 11, (1, 1), "axis:i new_axis:i", concat_from_sequence),
        operator("SplitToSequence", 11, (1, 2), "axis:i keepdims:i", split_to_sequence),
    ]
}

fn given<'a, T: Float>(call: &'a Call<'_, T>) -> Result<&'a [Value<T>], Problem> {
    call.value(0)?.sequence().ok_or_else(|| call.kind(0, SEQUENCE))
}

/// Values as a sequence, which holds no more elements than any other value.
fn sequence<T: Float>(call: &Call<'_, T>, values: Vec<Value<T>>) -> Produced<T> {
    let all = values.iter().fold(0_usize, |all, value| all.saturating_add(value.shape().count().max(1)));
    call.sized([all])?;
    Ok(vec![Value::Sequence(Sequence::new(values))])
}

/// The place that an operand names among so many values, which may count from the end; the last if it is left out. `behind` more
/// places may be named.
fn place<T: Float>(call: &Call<'_, T>, input: usize, length: usize, behind: usize) -> Result<usize, Problem> {
    let last = (length + behind) as i64 - 1;
    let index = call.number(input, "")?.map_or(last, |number| number as i64);
    let at = if index < 0 { index.saturating_add(length as i64) } else { index };
    usize::try_from(at).ok().filter(|_| at <= last).ok_or(Problem::Index { index, length })
}

fn concat_from_sequence<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let values = given(call)?;
    let Some(first) = values.first() else {
        return Err(Problem::Unsupported("a sequence of no values, which have no shape".to_owned()));
    };
    let new = call.attributes.int("new_axis", 0) != 0;
    let Some(axis) = call.attributes.given_int("axis") else {
        return Err(Problem::setting("axis", "missing"));
    };
    let axis = axis_of(axis, first.shape().len() + usize::from(new))?;
    let values: Vec<Value<T>> =
        values.iter().map(|value| if new { with_axis(value, axis) } else { value.clone() }).collect();
    Ok(vec![concat(&values.iter().collect::<Vec<_>>(), axis, call.limit)?])
}

/// With a new axis where it can have one; what has too few axes differs from the first, and is refused for that.
fn with_axis<T: Float>(value: &Value<T>, axis: usize) -> Value<T> {
    if axis <= value.shape().len() { unsqueezed(value, axis) } else { value.clone() }
}

fn split_to_sequence<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let axis = axis_of(call.attributes.int("axis", 0), value.shape().len())?;
    let length = value.shape()[axis];
    let Some(split) = call.given(1) else {
        let keeps = call.attributes.int("keepdims", 1) != 0;
        let one = |i: usize| {
            let value = pick(value, axis, i);
            if keeps { unsqueezed(&value, axis) } else { value }
        };
        return sequence(call, (0..length).map(one).collect());
    };
    let given = lengths("split", &call.ints(1)?.to_vec())?;
    let sizes = match given[..] {
        // Parts of one length, the last of what is left.
        [each] if split.shape().is_empty() => {
            if each == 0 {
                return Err(Problem::setting("split", "parts of no positions"));
            }
            (0..length).step_by(each).map(|from| each.min(length - from)).collect()
        }
        _ => given,
    };
    sequence(call, parts(value, axis, &sizes)?)
}
