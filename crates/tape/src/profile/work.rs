//! How many floating-point operations an operation takes, by its name and shapes.

use wengert_tensor::Shape;

use crate::describe::{Attribute, Attributes};

/// What moves numbers, compares or counts them, or makes them of none.
const MOVES: &[&str] = &[
    "reshape",
    "permute",
    "slice",
    "flip",
    "pad",
    "cat",
    "broadcast_to",
    "embed",
    "embedding",
    "embedding_rows",
    "gather",
    "index_select",
    "diagonal",
    "overwritten",
    "repeat",
    "one_hot",
    "checkpoint",
    "masked_fill",
    "starts",
    "select_where",
    "permutation",
    "max_unpool",
    "max_unpool_gradient",
    "roll",
    "unfold",
    "tril",
    "triu",
    "flat_positions",
    "topk",
    "sort",
];

/// Of one application to floating-point operands of these shapes. Matrix products are 2mnk; factorisations have the leading
/// term that Golub and Van Loan, "Matrix Computations", give; what is not known takes one for each element of the largest
/// operand.
pub(super) fn flops(name: &str, attributes: &Attributes, inputs: &[&Shape], output: &Shape) -> u64 {
    let out = count(output);
    let largest = inputs.iter().map(|shape| count(shape)).max().unwrap_or(0).max(out);
    let (base, part) = parted(name);
    match base {
        "matmul" | "linear" | "conv2d" | "conv3d" => product(base, part, attributes, inputs, output),
        "attention" => attention(part, inputs),
        "cdist" | "pdist" | "pair_dots" => 3 * out * last(inputs.first()),
        "softmax" | "log_softmax" | "softmax_cross_entropy" | "logsumexp" | "attention_statistics" => {
            5 * largest
        }
        "layer_norm" | "group_norm" | "batch_norm" | "instance_norm" | "rms_norm" => {
            if part == Part::Value {
                8 * largest
            } else {
                14 * largest
            }
        }
        "gru_gates" | "lstm_gates" => 3 * largest,
        // The products of the state, and the gates, of which the derivatives have no exponentials.
        "gru_sequence" | "lstm_sequence" => sequence(part, inputs),
        "linear_recurrence" => 2 * largest,
        "fft" | "ifft" => transform(largest / 2, inputs.first().map_or(0, |s| from_end(s, 2))),
        "rfft" | "irfft" => {
            transform(largest, whole(attributes, "n").unwrap_or_else(|| last(inputs.first()))) / 2
        }
        "cholesky"
        | "lu_pivoted"
        | "lu_factors"
        | "det"
        | "logabsdet"
        | "sign_of_det"
        | "solve"
        | "solve_triangular"
        | "qr"
        | "svd"
        | "eigh"
        | "pinv"
        | "matrix_exp"
        | "symmetric_function"
        | "between_eigenvalues" => matrices(base, inputs),
        _ if MOVES.contains(&name) => 0,
        _ => largest,
    }
}

/// Which loop of an operation it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Value,
    Tangent,
    Gradient,
    /// Of the first operand, added in place.
    Left,
    /// Of the second.
    Right,
}

fn parted(name: &str) -> (&str, Part) {
    let parts = [
        ("_tangent", Part::Tangent),
        ("_tangent_along", Part::Tangent),
        ("_gradients", Part::Gradient),
        ("_gradients_along", Part::Gradient),
        ("_gradient", Part::Gradient),
        ("_add_left", Part::Left),
        ("_add_right", Part::Right),
    ];
    let found = parts.iter().find_map(|&(ending, part)| Some((name.strip_suffix(ending)?, part)));
    found.unwrap_or((name, Part::Value))
}

/// A bilinear operation whose value, and each of whose derivatives, is sums of products.
fn product(base: &str, part: Part, attributes: &Attributes, inputs: &[&Shape], output: &Shape) -> u64 {
    let of = |i: usize| inputs.get(i).map_or(0, |shape| count(shape));
    if base.starts_with("conv") {
        let weight = whole_shape(attributes, "weight");
        let channels = weight.first().copied().unwrap_or(0).max(1);
        let weights: u64 = weight.iter().product();
        let other_than = |name: &str| {
            let known: u64 = whole_shape(attributes, name).iter().product();
            if of(0) == known { of(1) } else { of(0) }
        };
        // The elements of what the convolution gives, whichever of the three shapes that is.
        let given = match (part, attributes.get("part")) {
            (Part::Left | Part::Right, _) => of(1),
            (_, Some(Attribute::Text(of))) if of == "image_gradient" => other_than("weight"),
            (_, Some(Attribute::Text(of))) if of == "weight_gradient" => other_than("image"),
            _ => count(output),
        };
        let bias = if inputs.len() == 3 && part == Part::Value { given } else { 0 };
        return times(part) * 2 * given * (weights / channels) + bias;
    }
    match part {
        // To what they are added, the cotangent, and the other operand.
        Part::Left => 2 * of(1) * inputs.first().map_or(0, |into| from_end(into, 1)),
        Part::Right if base == "linear" => 2 * of(1) * last(inputs.first()),
        Part::Right => 2 * of(1) * inputs.first().map_or(0, |into| from_end(into, 2)),
        _ => {
            let bias = if inputs.len() == 3 { count(output) } else { 0 };
            times(part) * 2 * count(output) * last(inputs.first()) + bias
        }
    }
}

/// A tangent is that of either operand, added.
fn times(part: Part) -> u64 {
    if part == Part::Tangent { 2 } else { 1 }
}

/// Scores and sums of values, and of gradients five such products (Dao et al., "FlashAttention", 2022); 5 for each score's
/// softmax. Queries are `[…, length, width]`.
fn attention(part: Part, inputs: &[&Shape]) -> u64 {
    let [query, key, ..] = inputs else { return 0 };
    let scores = count(query) / from_end(query, 1).max(1) * from_end(key, 2);
    let products = match part {
        Part::Value => 2,
        Part::Tangent => 4,
        _ => 5,
    };
    products * 2 * scores * from_end(query, 1) + 5 * scores
}

/// The products of the state of all steps, `[steps, batch, gates · hidden]` of the inputs beside them; and the gates, of whose
/// derivatives the exponentials are kept.
fn sequence(part: Part, inputs: &[&Shape]) -> u64 {
    let (weight, by_step) = if part == Part::Value { (1, 0) } else { (0, 4) };
    let (Some(weight), Some(by_step)) = (inputs.get(weight), inputs.get(by_step)) else { return 0 };
    let rows = count(by_step) / last(Some(by_step)).max(1);
    2 * rows * count(weight) + 3 * count(by_step)
}

/// n log n, as every textbook has it: 5 of them for complex numbers (`elements` in transforms of the length `n`).
fn transform(elements: u64, n: u64) -> u64 {
    (5.0 * elements as f64 * (n.max(1) as f64).log2()) as u64
}

fn matrices(base: &str, inputs: &[&Shape]) -> u64 {
    let Some(a) = inputs.first() else { return 0 };
    let (m, n) = (from_end(a, 2), from_end(a, 1));
    let batch = count(a).checked_div(m * n).unwrap_or(0);
    let (long, short) = (m.max(n), m.min(n));
    let columns = inputs.get(1).map_or(0, |b| count(b).checked_div(batch * n).unwrap_or(0));
    batch
        * match base {
            "cholesky" => n * n * n / 3,
            "solve" => 2 * n * n * n / 3 + 2 * n * n * columns,
            "solve_triangular" => n * n * columns,
            "qr" => 2 * long * short * short - 2 * short * short * short / 3,
            "svd" | "pinv" => 4 * long * long * short + 8 * long * short * short + 9 * short * short * short,
            "eigh" | "symmetric_function" => 9 * n * n * n,
            // A Padé approximant of degree 13: six products and a system.
            "matrix_exp" => 6 * 2 * n * n * n + 8 * n * n * n / 3,
            _ => 2 * n * n * n / 3,
        }
}

fn count(shape: &Shape) -> u64 {
    shape.count() as u64
}

/// The length of an axis, by its number from behind.
fn from_end(shape: &Shape, axis: usize) -> u64 {
    shape.len().checked_sub(axis).map_or(1, |i| shape[i] as u64)
}

fn last(shape: Option<&&Shape>) -> u64 {
    shape.map_or(0, |shape| from_end(shape, 1))
}

fn whole(attributes: &Attributes, name: &str) -> Option<u64> {
    match attributes.get(name) {
        Some(Attribute::Integer(n)) => u64::try_from(*n).ok(),
        _ => None,
    }
}

fn whole_shape(attributes: &Attributes, name: &str) -> Vec<u64> {
    match attributes.get(name) {
        Some(Attribute::Integers(lengths)) => lengths.iter().map(|&n| n as u64).collect(),
        _ => Vec::new(),
    }
}
