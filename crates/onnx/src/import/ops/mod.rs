//! The operators: a file for each family, and a table of them all.

/// The same for a value of any kind: floating-point numbers are recorded, and whole numbers and truth values are constants.
macro_rules! arranged {
    ($value:expr, |$x:ident| $body:expr) => {
        match $value {
            Value::Float($x) => Value::Float($body),
            Value::Int(ints) => {
                let $x = &ints.numbers;
                Value::Int(ints.with($body))
            }
            mask => {
                let $x = &mask.to_f64();
                truth(&$body)
            }
        }
    };
}

/// The same for two values of one kind, floating-point or whole numbers.
macro_rules! of_numbers {
    ($call:expr, $a:expr, $b:expr, |$x:ident, $y:ident| $body:expr) => {
        match ($a, $b) {
            (Value::Float($x), Value::Float($y)) => Value::Float($body),
            (Value::Int(ints), Value::Int(other)) => {
                let ($x, $y) = (&ints.numbers, &other.numbers);
                Value::Int(ints.with($body))
            }
            (Value::Bool(_), _) => return Err($call.kind(0, "numbers")),
            (a, _) => return Err($call.kind(1, a.kind())),
        }
    };
}

mod activation;
mod arithmetic;
mod attention;
mod cast;
mod compare;
mod conv;
mod create;
mod deform;
mod detect;
mod elementwise;
mod fold;
mod gather;
mod grid;
mod matmul;
mod normalise;
mod order;
mod pad;
mod pool;
mod quantize;
mod random;
mod recurrent;
mod reduce;
mod resize;
mod scatter;
mod sequence;
mod shape;
mod softmax;
mod spectrum;
pub(super) mod structure;
mod unique;
mod window;

use wengert_tensor::Float;

use super::graph::Run;

/// An operator of ONNX's own domain.
pub(super) struct Operator<T: Float> {
    pub(super) name: &'static str,
    /// The first operator set from which on it is known.
    pub(super) since: i64,
    /// The least and the most number of inputs.
    pub(super) inputs: (usize, usize),
    /// Its attributes with their kinds, as [`Attributes::read`](super::attributes::Attributes::read) takes them.
    pub(super) attributes: &'static str,
    pub(super) run: Run<T>,
}

/// Any number of inputs.
const ANY: usize = usize::MAX;

/// A row of a family's table.
fn operator<T: Float>(
    name: &'static str,
    since: i64,
    inputs: (usize, usize),
    attributes: &'static str,
    run: Run<T>,
) -> Operator<T> {
    Operator { name, since, inputs, attributes, run }
}

/// All operators.
pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    [
        activation::table(),
        arithmetic::table(),
        attention::table(),
        cast::table(),
        compare::table(),
        conv::table(),
        create::table(),
        deform::table(),
        detect::table(),
        elementwise::table(),
        fold::table(),
        gather::table(),
        grid::table(),
        matmul::table(),
        normalise::table(),
        order::table(),
        pad::table(),
        pool::table(),
        quantize::table(),
        random::table(),
        recurrent::table(),
        reduce::table(),
        resize::table(),
        scatter::table(),
        sequence::table(),
        shape::table(),
        softmax::table(),
        spectrum::table(),
        structure::table(),
        unique::table(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether an operator takes a sequence at that position, and not only tensors.
pub(super) fn takes_sequence(operator: &str, input: usize) -> bool {
    input == 0
        && matches!(
            operator,
            "SequenceAt"
                | "SequenceInsert"
                | "SequenceErase"
                | "SequenceLength"
                | "ConcatFromSequence"
                | "Identity"
        )
}

/// What an initialiser is to the operator that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Trained,
    /// A buffer, such as the running mean or variance of a normalisation.
    Statistic,
    /// It says how something is computed.
    Setting,
}

/// What an operator takes at that position.
pub(super) fn role(operator: &str, input: usize) -> Role {
    let is_setting = match operator {
        "BatchNormalization" if input == 3 || input == 4 => return Role::Statistic,
        "Clip" | "Dropout" | "Upsample" | "Resize" => input >= 1,
        "Pad" | "OneHot" => input == 2,
        "Range" | "If" | "Loop" | "Shape" | "Size" => true,
        "Reshape" | "Expand" | "Tile" | "Squeeze" | "Unsqueeze" | "Slice" => input >= 1,
        _ => false,
    };
    if is_setting { Role::Setting } else { Role::Trained }
}

/// Whether an operator's results are computed when the model is read, if all that it takes are constants: not those that draw
/// random numbers, nor those whose work may be much larger than what they take.
pub(super) fn is_folded(operator: &str) -> bool {
    !matches!(
        operator,
        "Dropout"
            | "Conv"
            | "ConvTranspose"
            | "Einsum"
            | "MatMul"
            | "Gemm"
            | "LSTM"
            | "GRU"
            | "RNN"
            | "Attention"
            | "DFT"
            | "STFT"
            | "DeformConv"
            | "NonMaxSuppression"
            | "RoiAlign"
            | "MatMulInteger"
            | "ConvInteger"
            | "QLinearMatMul"
            | "QLinearConv"
    ) && !operator.starts_with("Random")
        && operator != "Bernoulli"
        && operator != "Multinomial"
}
