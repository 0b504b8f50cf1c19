//! Recurrent layers: a sequence whose products are those of inputs with weights is written with them as one operator.

use wengert_tensor::Float;

use super::length::Value;
use super::program::{Operation, Program};

/// The name of an operation that stands for an LSTM; its value is the output at each step, and behind them what the cells hold at
/// the end.
pub(super) const LSTM: &str = "lstm_layer";
/// The same of a GRU, which has no cells.
pub(super) const GRU: &str = "gru_layer";

/// Writes sequences as layers.
pub(super) fn fuse<T: Float>(program: &mut Program<T>) {
    for at in 0..program.steps.len() {
        if matches!(program.steps[at].name.as_str(), "lstm_sequence" | "gru_sequence") {
            with_inputs(program, at);
        }
    }
}

/// Writes a sequence as a layer, if its products are those of inputs with weights.
fn with_inputs<T: Float>(program: &mut Program<T>, at: usize) {
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
    let attributes = vec![
        ("reverse", Value::Flag(has(&steps[at], "reverse"))),
        ("input_bias", Value::Flag(biases[0].is_some())),
        ("state_bias", Value::Flag(biases[1].is_some())),
    ];
    let layer = &mut program.steps[at];
    layer.name = if is_lstm { LSTM } else { GRU }.to_owned();
    (layer.attributes, layer.inputs) = (attributes, inputs);
}

fn has<T: Float>(step: &Operation<T>, flag: &'static str) -> bool {
    step.attributes.contains(&(flag, Value::Flag(true)))
}
