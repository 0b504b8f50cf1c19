//! Operators with graphs of their own: If, Loop, Scan and SequenceMap. What their nodes compute is recorded as if it stood in the model.

use wengert_tensor::Float;

use super::call::axis_of;
use super::error::{NodeError, Problem};
use super::graph::{Graph, Node};
use super::ops::structure::{concat, pick, unsqueezed};
use super::run::Frame;
use super::value::{SEQUENCE, Sequence, Value};

type Inputs<T> = Vec<Option<Value<T>>>;
type Results<T> = Result<Vec<Value<T>>, NodeError>;

fn truth<T: Float>(inputs: &Inputs<T>, input: usize) -> Result<bool, Problem> {
    let value = inputs.get(input).and_then(Option::as_ref).ok_or(Problem::Missing { input })?;
    match value.to_f64().value().to_vec()[..] {
        [number] => Ok(number != 0.0),
        _ => Err(Problem::Shape {
            operand: format!("input {input}"),
            shape: value.shape().clone(),
            expected: "one element".to_owned(),
        }),
    }
}

fn outputs<T: Float>(frame: &mut Frame<'_, T>, graph: &Graph<T>) -> Results<T> {
    frame.run(graph)?;
    Ok(graph.outputs.iter().map(|&place| frame.get(place).clone()).collect())
}

/// The results of one of two graphs.
pub(super) fn choose<T: Float>(
    frame: &mut Frame<'_, T>,
    inputs: Inputs<T>,
    then_branch: &Graph<T>,
    else_branch: &Graph<T>,
    failed: impl Fn(Problem) -> NodeError,
) -> Results<T> {
    let branch = if truth(&inputs, 0).map_err(failed)? { then_branch } else { else_branch };
    outputs(frame, branch)
}

/// Runs a graph of (iteration, condition, what is carried …) → (condition, what is carried …, what is collected …).
pub(super) fn repeat<T: Float>(
    frame: &mut Frame<'_, T>,
    mut inputs: Inputs<T>,
    body: &Graph<T>,
    failed: impl Fn(Problem) -> NodeError,
) -> Results<T> {
    let times = match inputs.first().and_then(Option::as_ref) {
        Some(value) => value.to_f64().value().to_vec().first().copied().unwrap_or(0.0),
        None => f64::INFINITY,
    };
    let mut goes_on =
        inputs.get(1).and_then(Option::as_ref).is_none() || truth(&inputs, 1).map_err(&failed)?;
    let mut carried: Vec<Value<T>> = Vec::new();
    for (input, value) in inputs.drain(..).enumerate().skip(2) {
        carried.push(value.ok_or_else(|| failed(Problem::Missing { input }))?);
    }
    let count = carried.len();
    if body.inputs.len() != count + 2 || body.outputs.len() < count + 1 {
        return Err(failed(Problem::Unsupported(format!(
            "a body with {} inputs and {} outputs, and {count} values are carried",
            body.inputs.len(),
            body.outputs.len()
        ))));
    }
    let mut collected = Collected::new(body.outputs.len() - count - 1, frame.limit);
    let mut iteration = 0_i64;
    while goes_on && (iteration as f64) < times {
        frame.round().map_err(&failed)?;
        let number = Value::from_ints(&[iteration], wengert_tensor::Shape::scalar());
        frame.values[body.inputs[0]] = number.ok();
        frame.values[body.inputs[1]] = Some(wengert_tensor::Tensor::scalar(true).into());
        for (&place, value) in body.inputs[2..].iter().zip(carried.drain(..)) {
            frame.values[place] = Some(value);
        }
        let mut results = outputs(frame, body)?;
        goes_on = truth(&vec![Some(results[0].clone())], 0).map_err(&failed)?;
        collected.push(results.drain(count + 1..)).map_err(&failed)?;
        carried = results.split_off(1);
        iteration += 1;
    }
    for list in collected.lists {
        carried.push(stacked(&list, 0, frame.limit).map_err(&failed)?);
    }
    Ok(carried)
}

/// Runs a graph of (what is carried …, a slice of each sequence …) → (what is carried …, what is collected …).
pub(super) fn scan<T: Float>(
    frame: &mut Frame<'_, T>,
    node: &Node<T>,
    inputs: Inputs<T>,
    body: &Graph<T>,
    failed: impl Fn(Problem) -> NodeError,
) -> Results<T> {
    let attributes = &node.attributes;
    let sequences = attributes.int("num_scan_inputs", 0);
    let Some(count) = usize::try_from(sequences).ok().filter(|&n| n > 0 && n <= inputs.len()) else {
        return Err(failed(Problem::setting(
            "num_scan_inputs",
            format!("{sequences} of {} inputs", inputs.len()),
        )));
    };
    let states = inputs.len() - count;
    if body.inputs.len() != inputs.len() || body.outputs.len() < states {
        return Err(failed(Problem::Unsupported("a body with another number of inputs".to_owned())));
    }
    let setting =
        |name: &str, i: usize| attributes.ints(name).and_then(|list| list.get(i)).copied().unwrap_or(0);
    let mut values = Vec::new();
    for (input, value) in inputs.into_iter().enumerate() {
        values.push(value.ok_or_else(|| failed(Problem::Missing { input }))?);
    }
    let sequences = values.split_off(states);
    let mut axes = Vec::new();
    let mut length = None;
    for (i, sequence) in sequences.iter().enumerate() {
        let axis = axis_of(setting("scan_input_axes", i), sequence.shape().len()).map_err(&failed)?;
        let here = sequence.shape()[axis];
        if *length.get_or_insert(here) != here {
            let shape = sequence.shape().clone();
            let first = sequences[0].shape().clone();
            return Err(failed(Problem::Shapes { what: "are scanned together", first, second: shape }));
        }
        axes.push(axis);
    }
    let length = length.unwrap_or(0);
    let mut carried = values;
    let mut collected = Collected::new(body.outputs.len() - states, frame.limit);
    for step in 0..length {
        frame.round().map_err(&failed)?;
        for (&place, value) in body.inputs.iter().zip(carried.drain(..)) {
            frame.values[place] = Some(value);
        }
        for (i, (sequence, &axis)) in sequences.iter().zip(&axes).enumerate() {
            let at = if setting("scan_input_directions", i) == 1 { length - 1 - step } else { step };
            frame.values[body.inputs[states + i]] = Some(pick(sequence, axis, at));
        }
        let mut results = outputs(frame, body)?;
        collected.push(results.drain(states..)).map_err(&failed)?;
        carried = results;
    }
    for (i, mut list) in collected.lists.into_iter().enumerate() {
        if setting("scan_output_directions", i) == 1 {
            list.reverse();
        }
        let rank = list.first().map_or(1, |value| value.shape().len() + 1);
        let axis = axis_of(setting("scan_output_axes", i), rank).map_err(&failed)?;
        carried.push(stacked(&list, axis, frame.limit).map_err(&failed)?);
    }
    Ok(carried)
}

/// Runs a graph of (an element, what goes with it …) → (what becomes of it …) for each element of a sequence: elements of others at
/// the same place, or a tensor for all.
pub(super) fn map<T: Float>(
    frame: &mut Frame<'_, T>,
    inputs: Inputs<T>,
    body: &Graph<T>,
    failed: impl Fn(Problem) -> NodeError,
) -> Results<T> {
    let mut values = Vec::new();
    for (input, value) in inputs.into_iter().enumerate() {
        values.push(value.ok_or_else(|| failed(Problem::Missing { input }))?);
    }
    let first = values.first().ok_or_else(|| failed(Problem::Missing { input: 0 }))?;
    let Some(length) = first.sequence().map(<[Value<T>]>::len) else {
        return Err(failed(Problem::Kind { input: 0, expected: SEQUENCE, found: first.kind() }));
    };
    if body.inputs.len() != values.len() {
        return Err(failed(Problem::Unsupported("a body with another number of inputs".to_owned())));
    }
    if let Some(other) = values.iter().filter_map(Value::sequence).find(|list| list.len() != length) {
        let problem = format!("sequences of {length} and of {} values", other.len());
        return Err(failed(Problem::Unsupported(problem)));
    }
    let mut collected = Collected::new(body.outputs.len(), frame.limit);
    for at in 0..length {
        frame.round().map_err(&failed)?;
        for (&place, value) in body.inputs.iter().zip(&values) {
            let element = value.sequence().map_or(value, |list| &list[at]);
            frame.values[place] = Some(element.clone());
        }
        collected.push(outputs(frame, body)?.into_iter()).map_err(&failed)?;
    }
    Ok(collected.lists.into_iter().map(|list| Value::Sequence(Sequence::new(list))).collect())
}

/// What a body gives to be put together at the end, no more of it than a value may have elements.
struct Collected<T: Float> {
    lists: Vec<Vec<Value<T>>>,
    elements: Vec<usize>,
    limit: usize,
}

impl<T: Float> Collected<T> {
    fn new(count: usize, limit: usize) -> Self {
        Collected { lists: vec![Vec::new(); count], elements: vec![0; count], limit }
    }

    fn push(&mut self, values: impl Iterator<Item = Value<T>>) -> Result<(), Problem> {
        for ((list, elements), value) in self.lists.iter_mut().zip(&mut self.elements).zip(values) {
            if value.sequence().is_some() {
                return Err(Problem::Unsupported("a loop that collects sequences".to_owned()));
            }
            *elements += value.shape().count();
            if *elements > self.limit {
                let lengths = value.shape().iter().map(|&n| n as i64);
                let shape = std::iter::once(list.len() as i64 + 1).chain(lengths).collect();
                return Err(Problem::TooLarge { shape, limit: self.limit });
            }
            list.push(value);
        }
        Ok(())
    }
}

/// Values one after the other along a new axis.
fn stacked<T: Float>(list: &[Value<T>], axis: usize, limit: usize) -> Result<Value<T>, Problem> {
    if list.is_empty() {
        return Err(Problem::Unsupported(
            "no iteration, so that the shape of what is collected is not known".to_owned(),
        ));
    }
    let list: Vec<Value<T>> = list.iter().map(|value| unsqueezed(value, axis)).collect();
    concat(&list.iter().collect::<Vec<_>>(), axis, limit)
}
