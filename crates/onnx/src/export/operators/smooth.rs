//! Activations.

use wengert_tensor::Float;

use super::elementwise::{exp_m1, normal};
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::{AttributeProto, DataType};

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "softplus" => |g, at| Ok(softplus(g, at.x(0))),
        "log_sigmoid" => |g, at| {
            let minus = g.op("Neg", &[at.x(0)]);
            let softplus = softplus(g, &minus);
            Ok(g.op("Neg", &[&softplus]))
        },
        "gelu" => |g, at| {
            if g.opset >= 20 {
                return Ok(g.op("Gelu", &[at.x(0)]));
            }
            let share = normal(g, at.x(0));
            Ok(g.op("Mul", &[at.x(0), &share]))
        },
        "gelu_tanh" => gelu_tanh,
        "silu" => |g, at| {
            let gate = g.op("Sigmoid", &[at.x(0)]);
            Ok(g.op("Mul", &[at.x(0), &gate]))
        },
        "swish" => |g, at| {
            let beta = at.number("beta")?;
            let beta = g.number(beta);
            let scaled = g.op("Mul", &[at.x(0), &beta]);
            let gate = g.op("Sigmoid", &[&scaled]);
            Ok(g.op("Mul", &[at.x(0), &gate]))
        },
        "mish" => |g, at| {
            let softplus = softplus(g, at.x(0));
            let gate = g.op("Tanh", &[&softplus]);
            Ok(g.op("Mul", &[at.x(0), &gate]))
        },
        "elu" => |g, at| {
            let alpha = at.number("alpha")?;
            Ok(bent(g, at.x(0), "Elu", [1.0, alpha, 1.0]))
        },
        "leaky_relu" => |g, at| {
            let slope = at.number("slope")?;
            if g.float == DataType::Float {
                let attributes = vec![AttributeProto::float("alpha", slope as f32)];
                return Ok(g.with("LeakyRelu", &[at.x(0)], attributes));
            }
            let (zero, slope) = (g.number(0.0), g.number(slope));
            let (above, below) = (g.op("Max", &[at.x(0), &zero]), g.op("Min", &[at.x(0), &zero]));
            let scaled = g.op("Mul", &[&below, &slope]);
            Ok(g.op("Add", &[&above, &scaled]))
        },
        "celu" => |g, at| {
            let alpha = at.number("alpha")?;
            Ok(bent(g, at.x(0), "Celu", [1.0, alpha, alpha]))
        },
        "selu" => |g, at| {
            // The constants of Klambauer and others, "Self-normalizing neural networks", 2017.
            let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_3);
            Ok(bent(g, at.x(0), "Selu", [scale, alpha, 1.0]))
        },
        "hardsigmoid" => |g, at| {
            // Not by HardSigmoid, whose slope is in single precision.
            let (three, sixth) = (g.number(3.0), g.number(6.0));
            let (zero, six) = (g.number(0.0), g.number(6.0));
            let moved = g.op("Add", &[at.x(0), &three]);
            let within = g.op("Clip", &[&moved, &zero, &six]);
            Ok(g.op("Div", &[&within, &sixth]))
        },
        "squared_relu" => |g, at| {
            let positive = g.op("Relu", &[at.x(0)]);
            Ok(g.op("Mul", &[&positive, &positive]))
        },
        "tanhshrink" => |g, at| {
            let tanh = g.op("Tanh", &[at.x(0)]);
            Ok(g.op("Sub", &[at.x(0), &tanh]))
        },
        "hardshrink" => |g, at| {
            let (lambda, zero) = (at.number("lambda")?, g.number(0.0));
            let (lambda, size) = (g.number(lambda), g.op("Abs", &[at.x(0)]));
            let small = g.op("LessOrEqual", &[&size, &lambda]);
            Ok(g.op("Where", &[&small, &zero, at.x(0)]))
        },
        "softshrink" => |g, at| {
            let lambda = at.number("lambda")?;
            let (low, high) = (g.number(-lambda), g.number(lambda));
            let within = g.op("Clip", &[at.x(0), &low, &high]);
            Ok(g.op("Sub", &[at.x(0), &within]))
        },
        "threshold" => |g, at| {
            let (threshold, value) = (at.number("threshold")?, at.number("value")?);
            let (threshold, value) = (g.number(threshold), g.number(value));
            let above = g.op("Greater", &[at.x(0), &threshold]);
            Ok(g.op("Where", &[&above, at.x(0), &value]))
        },
        "logit" => |g, at| {
            let one = g.number(1.0);
            let rest = g.op("Sub", &[&one, at.x(0)]);
            let (above, below) = (g.op("Log", &[at.x(0)]), g.op("Log", &[&rest]));
            Ok(g.op("Sub", &[&above, &below]))
        },
        "entr" => entr,
        "huber" => huber,
        _ => return None,
    })
}

/// max(x, 0) + ln(1 + exp(−|x|)), without overflow.
pub(super) fn softplus(g: &mut Graph, x: &str) -> String {
    g.op("Softplus", &[x])
}

/// scale·x above 0 and scale·α·(exp(x/width) − 1) below: an operator with α where that is as exact as the numbers are.
fn bent(g: &mut Graph, x: &str, kind: &str, [scale, alpha, width]: [f64; 3]) -> String {
    if g.float == DataType::Float {
        let alpha =
            if kind == "Selu" { Vec::new() } else { vec![AttributeProto::float("alpha", alpha as f32)] };
        return g.with(kind, &[x], alpha);
    }
    let (zero, scale, alpha, width) = (g.number(0.0), g.number(scale), g.number(alpha), g.number(width));
    let (above, below) = (g.op("Max", &[x, &zero]), g.op("Min", &[x, &zero]));
    let argument = g.op("Div", &[&below, &width]);
    let curve = exp_m1(g, &argument);
    let curve = g.op("Mul", &[&curve, &alpha]);
    let sum = g.op("Add", &[&above, &curve]);
    g.op("Mul", &[&sum, &scale])
}

/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
fn gelu_tanh<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let x = at.x(0);
    // onnxruntime has its constants in single precision.
    if g.opset >= 20 && g.float == DataType::Float {
        return Ok(g.with("Gelu", &[x], vec![AttributeProto::string("approximate", "tanh")]));
    }
    let (cubic, slope) = (g.number(0.044715), g.number(0.797_884_560_802_865_4));
    let (one, half) = (g.number(1.0), g.number(0.5));
    let square = g.op("Mul", &[x, x]);
    let square = g.op("Mul", &[&square, &cubic]);
    let sum = g.op("Add", &[&square, &one]);
    let product = g.op("Mul", &[&sum, x]);
    let argument = g.op("Mul", &[&product, &slope]);
    let tanh = g.op("Tanh", &[&argument]);
    let sum = g.op("Add", &[&tanh, &one]);
    let gate = g.op("Mul", &[&sum, &half]);
    Ok(g.op("Mul", &[x, &gate]))
}

/// −x ln x, 0 at 0 and −∞ below.
fn entr<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let x = at.x(0);
    let (zero, least) = (g.number(0.0), g.number(f64::NEG_INFINITY));
    let logarithm = g.op("Log", &[x]);
    let product = g.op("Mul", &[x, &logarithm]);
    let value = g.op("Neg", &[&product]);
    let (at_zero, below) = (g.op("Equal", &[x, &zero]), g.op("Less", &[x, &zero]));
    let value = g.op("Where", &[&below, &least, &value]);
    Ok(g.op("Where", &[&at_zero, &zero, &value]))
}

/// |c/divisor·(d − c/2)| with c = d between ±δ.
fn huber<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (delta, divisor) = (at.number("delta")?, at.number("divisor")?);
    let (low, high, divisor, half) = (g.number(-delta), g.number(delta), g.number(divisor), g.number(0.5));
    let within = g.op("Clip", &[at.x(0), &low, &high]);
    let scaled = g.op("Div", &[&within, &divisor]);
    let halved = g.op("Mul", &[&within, &half]);
    let rest = g.op("Sub", &[at.x(0), &halved]);
    let product = g.op("Mul", &[&scaled, &rest]);
    Ok(g.op("Abs", &[&product]))
}
