//! Recurrent layers: sequences that a recording holds as one operation, and those whose steps it holds one by one, are found and
//! written as one operator.

use std::collections::HashMap;

use wengert_tensor::Float;

use super::length::{Length, Value};
use super::program::{Operation, Program, Source};

/// The name of an operation that stands for all steps of an LSTM; its value is the output at each step.
pub(super) const LSTM: &str = "lstm_layer";
/// The same of a GRU.
pub(super) const GRU: &str = "gru_layer";
/// What an LSTM's cells hold behind the last step.
pub(super) const LAST_CELL: &str = "last_cell";
/// Whether what the cells hold at the end stands behind the outputs.
pub(super) const AND_CELL: &str = "and_cell";
/// The output of one step.
pub(super) const ONE_STEP: &str = "one_step";
/// The outputs of all.
pub(super) const ALL_STEPS: &str = "all_steps";

/// The steps of one layer in one direction.
struct Chain {
    /// The operations of the gates, in the order in which the sequence is read.
    gates: Vec<usize>,
    /// The products of the state with its weights.
    products: Vec<usize>,
    /// The product of the whole sequence with the weights.
    input: usize,
    reverse: bool,
}

/// Writes chains of gates as layers.
pub(super) fn fuse<T: Float>(program: &mut Program<T>) {
    let mut at = 0;
    while at < program.steps.len() {
        let name = program.steps[at].name.as_str();
        if name == "lstm_sequence" || name == "gru_sequence" {
            whole(program, at);
        } else if name == "lstm_gates" || name == "gru_gates" {
            let readers = readers(program);
            if let Some(chain) = chain(program, &readers, at) {
                replace(program, &readers, &chain);
            }
        }
        at += 1;
    }
}

/// Writes a sequence that is one operation as a layer, if its products are those of inputs with weights.
fn whole<T: Float>(program: &mut Program<T>, at: usize) {
    let steps = &program.steps;
    let input = &steps[steps[at].inputs[0]];
    if input.name != "linear" || input.shape.len() != 3 {
        return;
    }
    let is_lstm = steps[at].name == "lstm_sequence";
    let (products, own) = (&input.inputs, &steps[at].inputs);
    let state_bias = own.get(3).copied().filter(|_| !is_lstm && has(&steps[at], "biased"));
    let biases = [products.get(2).copied(), state_bias];
    let states = if is_lstm { 2..4 } else { 2..3 };
    let mut inputs = vec![products[0], products[1], own[1]];
    inputs.extend_from_slice(&own[states]);
    inputs.extend(biases.iter().flatten());
    let mut attributes = layer_attributes(has(&steps[at], "reverse"), &biases);
    attributes.push((AND_CELL, Value::Flag(is_lstm)));
    let layer = &mut program.steps[at];
    layer.name = if is_lstm { LSTM } else { GRU }.to_owned();
    (layer.attributes, layer.inputs) = (attributes, inputs);
}

fn has<T: Float>(step: &Operation<T>, flag: &'static str) -> bool {
    step.attributes.contains(&(flag, Value::Flag(true)))
}

fn layer_attributes(reverse: bool, biases: &[Option<usize>; 2]) -> Vec<(&'static str, Value)> {
    vec![
        ("reverse", Value::Flag(reverse)),
        ("input_bias", Value::Flag(biases[0].is_some())),
        ("state_bias", Value::Flag(biases[1].is_some())),
    ]
}

/// For each step those that read it; the program's outputs are read by nobody, and so stand as `usize::MAX`.
fn readers<T: Float>(program: &Program<T>) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); program.steps.len()];
    for (i, step) in program.steps.iter().enumerate() {
        step.inputs.iter().for_each(|&input| readers[input].push(i));
    }
    program.outputs.iter().for_each(|&output| readers[output].push(usize::MAX));
    readers
}

/// The step of the sequence that an operation's input of gates is, and the operation of which it is a part.
fn part_of_sequence<T: Float>(program: &Program<T>, gates: usize) -> Option<(usize, i64)> {
    let whole = program.steps[gates].inputs[0];
    let (reshape, slice) = (&program.steps[whole], &program.steps[*program.steps[whole].inputs.first()?]);
    if reshape.name != "reshape"
        || slice.name != "slice"
        || slice.attributes.first() != Some(&("axis", Value::Integer(0i64.into())))
    {
        return None;
    }
    let Some((_, Value::Text(range))) = slice.attributes.get(1) else { return None };
    let (start, end) = range.split_once(':')?;
    let (start, end): (i64, i64) = (start.parse().ok()?, end.parse().ok()?);
    (end == start + 1 && start >= 0).then_some((slice.inputs[0], start))
}

/// The chain that begins with these gates.
fn chain<T: Float>(program: &Program<T>, readers: &[Vec<usize>], first: usize) -> Option<Chain> {
    let steps = &program.steps;
    let name = &steps[first].name;
    let (input, start) = part_of_sequence(program, first)?;
    let length = steps[input].shape.first()?.known()?;
    if steps[input].name != "linear" || steps[input].shape.len() != 3 || length < 2 {
        return None;
    }
    let reverse = start != 0;
    let product =
        |gates: usize| Some(steps[gates].inputs[1]).filter(|&product| steps[product].name == "linear");
    let weights = &steps[product(first)?].inputs[1..];
    let mut chain = Chain { gates: vec![first], products: vec![product(first)?], input, reverse };
    if start != if reverse { length - 1 } else { 0 } {
        return None;
    }
    // The state before the first step must be the same for the product and for the gates of a GRU.
    let same = |a: usize, b: usize| a == b || same_constant(&steps[a], &steps[b]);
    if name == "gru_gates" && !same(steps[product(first)?].inputs[0], steps[first].inputs[2]) {
        return None;
    }
    for k in 1..length {
        let before = chain.gates[k as usize - 1];
        let wanted = if reverse { length - 1 - k } else { k };
        let hidden = hidden_of(program, readers, before);
        let reads_state = |gates: usize| -> Option<usize> {
            if steps[gates].name != *name {
                return None;
            }
            let product = product(gates)?;
            let fits = part_of_sequence(program, gates) == Some((input, wanted))
                && steps[product].inputs[1..] == *weights
                && hidden.contains(&steps[product].inputs[0])
                && cell_fits(program, before, &hidden, gates);
            fits.then_some(product)
        };
        let candidates = hidden.iter().flat_map(|&state| &readers[state]).filter(|&&r| r != usize::MAX);
        let next = candidates.flat_map(|&product| &readers[product]).copied().filter(|&r| r != usize::MAX);
        let (gates, product) = next.filter_map(|gates| Some((gates, reads_state(gates)?))).next()?;
        chain.gates.push(gates);
        chain.products.push(product);
    }
    consistent(program, readers, &chain).then_some(chain)
}

fn same_constant<T: Float>(a: &Operation<T>, b: &Operation<T>) -> bool {
    use super::constant::Constant;
    match (&a.source, &b.source) {
        (Source::Constant(Constant::Spread(x)), Source::Constant(Constant::Spread(y))) => {
            x == y && a.shape == b.shape
        }
        _ => false,
    }
}

/// The steps that are the output of gates: those themselves, or the first half of what an LSTM's give.
fn hidden_of<T: Float>(program: &Program<T>, readers: &[Vec<usize>], gates: usize) -> Vec<usize> {
    if program.steps[gates].name == "gru_gates" {
        return vec![gates];
    }
    readers[gates].iter().copied().filter(|&r| half(program, gates, r) == Some(0)).collect()
}

/// Which half of what an LSTM's gates give a step is.
fn half<T: Float>(program: &Program<T>, gates: usize, reader: usize) -> Option<usize> {
    let step = program.steps.get(reader).filter(|step| step.name == "slice")?;
    let axis = program.steps[gates].shape.len() as i64 - 1;
    let hidden = step.shape.last()?.known()?;
    let whole = program.steps[gates].shape.last()?.known()?;
    if step.attributes.first() != Some(&("axis", Value::Integer(axis.into()))) || 2 * hidden != whole {
        return None;
    }
    let Some((_, Value::Text(range))) = step.attributes.get(1) else { return None };
    let start: i64 = match range.split_once(':')?.0 {
        "" => 0,
        start => start.parse().ok()?,
    };
    [0, hidden].iter().position(|&half| half == start)
}

/// Whether gates read what the ones before gave besides the output.
fn cell_fits<T: Float>(program: &Program<T>, before: usize, hidden: &[usize], gates: usize) -> bool {
    let state = program.steps[gates].inputs[2];
    match program.steps[gates].name.as_str() {
        "gru_gates" => hidden.contains(&state),
        _ => program.steps[state].inputs.first() == Some(&before) && half(program, before, state) == Some(1),
    }
}

/// Whether nothing else reads what is no longer computed.
fn consistent<T: Float>(program: &Program<T>, readers: &[Vec<usize>], chain: &Chain) -> bool {
    let last = chain.gates.len() - 1;
    let only = |read: &[usize], by: usize| read.iter().all(|&r| r == by);
    let products =
        chain.products.iter().zip(&chain.gates).all(|(&product, &gates)| only(&readers[product], gates));
    let is_lstm = program.steps[chain.gates[0]].name == "lstm_gates";
    let states = chain.gates.iter().enumerate().all(|(k, &gates)| {
        !is_lstm
            || readers[gates].iter().all(|&reader| match half(program, gates, reader) {
                Some(0) => true,
                Some(_) => k == last || only(&readers[reader], chain.gates[k + 1]),
                None => false,
            })
    });
    products && states
}

/// Puts the layer in the place of the first product of the state, and what reads it in the places of the gates.
fn replace<T: Float>(program: &mut Program<T>, readers: &[Vec<usize>], chain: &Chain) {
    let (first, product) = (chain.gates[0], chain.products[0]);
    let is_lstm = program.steps[first].name == "lstm_gates";
    // An LSTM's cell may be made behind the product; the gates themselves are read only in halves.
    let place = if is_lstm { first } else { product };
    let steps = &program.steps;
    let (input, state) = (&steps[chain.input].inputs, &steps[product].inputs);
    let hidden = state_length(&steps[first], is_lstm);
    let mut inputs = vec![input[0], input[1], state[1], state[0]];
    if is_lstm {
        inputs.push(steps[first].inputs[2]);
    }
    let biases = [input.get(2).copied(), state.get(2).copied()];
    inputs.extend(biases.iter().flatten());
    let attributes = layer_attributes(chain.reverse, &biases);
    let rows = steps[first].shape[0];
    let count = chain.gates.len();
    let layer = &mut program.steps[place];
    layer.name = if is_lstm { LSTM } else { GRU }.to_owned();
    (layer.attributes, layer.inputs, layer.shape) = (attributes, inputs, vec![count.into(), rows, hidden]);
    // Which step of the sequence each value is.
    let mut outputs: HashMap<usize, usize> = HashMap::new();
    for (k, &gates) in chain.gates.iter().enumerate() {
        let position = if chain.reverse { count - 1 - k } else { k };
        if !is_lstm {
            one_step(&mut program.steps[gates], place, position);
            outputs.insert(gates, position);
            continue;
        }
        for &reader in &readers[gates] {
            // The layer's place is that of the first gates, whose halves are read from it.
            let is_output = half_by_range(&program.steps[reader], hidden);
            if is_output {
                one_step(&mut program.steps[reader], place, position);
                outputs.insert(reader, position);
            } else if k + 1 == count {
                let step = &mut program.steps[reader];
                (step.name, step.attributes, step.inputs) = (LAST_CELL.to_owned(), Vec::new(), vec![place]);
            }
        }
    }
    all_steps(program, readers, &outputs, place, count);
}

fn state_length<T: Float>(gates: &Operation<T>, is_lstm: bool) -> Length {
    let width = gates.shape.last().copied().unwrap_or(0i64.into());
    if is_lstm { Length::from(width.fixed / 2) } else { width }
}

/// Whether a half of what an LSTM's gates gave is the first.
fn half_by_range<T: Float>(step: &Operation<T>, hidden: Length) -> bool {
    let start = format!("{}:", hidden.fixed);
    !matches!(step.attributes.get(1), Some((_, Value::Text(range))) if range.starts_with(&start))
}

fn one_step<T: Float>(step: &mut Operation<T>, layer: usize, position: usize) {
    let at = ("at", Value::Integer(position.into()));
    (step.name, step.attributes, step.inputs) = (ONE_STEP.to_owned(), vec![at], vec![layer]);
}

/// What joins the outputs of all steps in their order is the layer's value.
fn all_steps<T: Float>(
    program: &mut Program<T>,
    readers: &[Vec<usize>],
    outputs: &HashMap<usize, usize>,
    layer: usize,
    count: usize,
) {
    let joined: Vec<usize> = outputs
        .keys()
        .flat_map(|&output| &readers[output])
        .filter(|&&reader| reader != usize::MAX)
        .flat_map(|&reader| &readers[reader])
        .copied()
        .filter(|&reader| reader != usize::MAX)
        .collect();
    for join in joined {
        let step = &program.steps[join];
        let in_order = step.name == "cat"
            && step.attributes.first() == Some(&("axis", Value::Integer(0i64.into())))
            && step.inputs.len() == count
            && step.shape == program.steps[layer].shape
            && step.inputs.iter().enumerate().all(|(k, &input)| {
                let part = &program.steps[input];
                part.name == "reshape" && outputs.get(&part.inputs[0]) == Some(&k)
            });
        if in_order {
            let step = &mut program.steps[join];
            (step.name, step.attributes, step.inputs) = (ALL_STEPS.to_owned(), Vec::new(), vec![layer]);
        }
    }
}
