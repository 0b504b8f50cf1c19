//! Functions of one number that ONNX has, or that are made of few of its operators.

use std::f64::consts::{LOG2_E, LOG10_E, PI};

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::{Graph, NONE};

/// The operator of the same meaning.
fn same(name: &str) -> Option<&'static str> {
    Some(match name {
        "exp" => "Exp",
        "ln" => "Log",
        "sqrt" => "Sqrt",
        "recip" => "Reciprocal",
        "abs" => "Abs",
        "sign" => "Sign",
        "neg" => "Neg",
        "sin" => "Sin",
        "cos" => "Cos",
        "tan" => "Tan",
        "sinh" => "Sinh",
        "cosh" => "Cosh",
        "tanh" => "Tanh",
        "asin" => "Asin",
        "acos" => "Acos",
        "atan" => "Atan",
        "asinh" => "Asinh",
        "acosh" => "Acosh",
        "atanh" => "Atanh",
        "sigmoid" => "Sigmoid",
        "erf" => "Erf",
        "floor" => "Floor",
        "ceil" => "Ceil",
        "round" => "Round",
        "relu" => "Relu",
        "softsign" => "Softsign",
        "hardswish" => "HardSwish",
        _ => return None,
    })
}

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    if same(name).is_some() {
        return Some(operator);
    }
    Some(match name {
        "rsqrt" => |g, at| {
            let root = g.op("Sqrt", &[at.x(0)]);
            Ok(g.op("Reciprocal", &[&root]))
        },
        "square" => |g, at| Ok(g.op("Mul", &[at.x(0), at.x(0)])),
        "exp2" => |g, at| {
            let two = g.number(2.0);
            Ok(g.op("Pow", &[&two, at.x(0)]))
        },
        "exp_m1" => |g, at| Ok(exp_m1(g, at.x(0))),
        "ln_1p" => |g, at| Ok(ln_1p(g, at.x(0))),
        "log2" => |g, at| Ok(logarithm(g, at.x(0), LOG2_E)),
        "log10" => |g, at| Ok(logarithm(g, at.x(0), LOG10_E)),
        "erfc" => |g, at| {
            let (one, erf) = (g.number(1.0), g.op("Erf", &[at.x(0)]));
            Ok(g.op("Sub", &[&one, &erf]))
        },
        "ndtr" => |g, at| Ok(normal(g, at.x(0))),
        "trunc" => |g, at| {
            let (sign, size) = (g.op("Sign", &[at.x(0)]), g.op("Abs", &[at.x(0)]));
            let floor = g.op("Floor", &[&size]);
            Ok(g.op("Mul", &[&sign, &floor]))
        },
        "sinc" => sinc,
        "powi" | "powf" => |g, at| power(g, at),
        "clamp" => |g, at| clip(g, at, ["low", "high"]),
        "hardtanh" => |g, at| clip(g, at, ["low", "high"]),
        "clamped_ln" => |g, at| {
            let (logarithm, least) = (g.op("Log", &[at.x(0)]), g.number(-100.0));
            Ok(g.op("Clip", &[&logarithm, &least]))
        },
        "nan_to_num" => nan_to_num,
        "sign_bit" => sign_bit,
        "step" => |g, at| {
            let (zero, one) = (g.number(0.0), g.number(1.0));
            let below = g.op("Less", &[at.x(0), &zero]);
            let undefined = g.op("IsNaN", &[at.x(0)]);
            let value = g.op("Where", &[&below, &zero, &one]);
            Ok(g.op("Where", &[&undefined, at.x(0), &value]))
        },
        "is_nan" => |g, at| Ok(g.op("IsNaN", &[at.x(0)])),
        "is_inf" => |g, at| Ok(g.op("IsInf", &[at.x(0)])),
        "is_finite" => |g, at| {
            let (nan, infinite) = (g.op("IsNaN", &[at.x(0)]), g.op("IsInf", &[at.x(0)]));
            let either = g.op("Or", &[&nan, &infinite]);
            Ok(g.op("Not", &[&either]))
        },
        _ => return None,
    })
}

fn operator<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    Ok(g.op(same(&at.operation.name).unwrap_or_default(), &[at.x(0)]))
}

fn logarithm(g: &mut Graph, x: &str, of_e: f64) -> String {
    let (natural, factor) = (g.op("Log", &[x]), g.number(of_e));
    g.op("Mul", &[&natural, &factor])
}

/// eˣ − 1 = 2·sinh(x/2)·exp(x/2), which is exact near 0.
pub(super) fn exp_m1(g: &mut Graph, x: &str) -> String {
    let (half, two) = (g.number(0.5), g.number(2.0));
    let half = g.op("Mul", &[x, &half]);
    let (sinh, exp) = (g.op("Sinh", &[&half]), g.op("Exp", &[&half]));
    let twice = g.op("Mul", &[&sinh, &two]);
    // Where the exponential is 0, its product with the infinite sinh is −1.
    let product = g.op("Mul", &[&twice, &exp]);
    let (far, limit) = (g.number(-40.0), g.number(-1.0));
    let below = g.op("Less", &[x, &far]);
    g.op("Where", &[&below, &limit, &product])
}

/// ln(1 + x), near 0 as 2·artanh(x/(2 + x)).
pub(super) fn ln_1p(g: &mut Graph, x: &str) -> String {
    let (one, two, half) = (g.number(1.0), g.number(2.0), g.number(0.5));
    let size = g.op("Abs", &[x]);
    let near = g.op("Less", &[&size, &half]);
    let more = g.op("Add", &[x, &two]);
    let ratio = g.op("Div", &[x, &more]);
    let artanh = g.op("Atanh", &[&ratio]);
    let exact = g.op("Mul", &[&artanh, &two]);
    let sum = g.op("Add", &[x, &one]);
    let plain = g.op("Log", &[&sum]);
    g.op("Where", &[&near, &exact, &plain])
}

/// The normal distribution function, (1 + erf(x/√2))/2.
pub(super) fn normal(g: &mut Graph, x: &str) -> String {
    let (scale, one, half) = (g.number(std::f64::consts::FRAC_1_SQRT_2), g.number(1.0), g.number(0.5));
    let scaled = g.op("Mul", &[x, &scale]);
    let erf = g.op("Erf", &[&scaled]);
    let sum = g.op("Add", &[&erf, &one]);
    g.op("Mul", &[&sum, &half])
}

/// sin πx/(πx), 1 at 0.
fn sinc<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.int("derivative")? != 0 {
        return Err("it is a derivative of sinc".into());
    }
    let (pi, zero, one) = (g.number(PI), g.number(0.0), g.number(1.0));
    let angle = g.op("Mul", &[at.x(0), &pi]);
    let sine = g.op("Sin", &[&angle]);
    let ratio = g.op("Div", &[&sine, &angle]);
    let at_zero = g.op("Equal", &[at.x(0), &zero]);
    Ok(g.op("Where", &[&at_zero, &one, &ratio]))
}

fn power<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let exponent = at.number("exponent")?;
    let exponent = g.number(exponent);
    Ok(g.op("Pow", &[at.x(0), &exponent]))
}

/// x between two limits, of which infinite ones are none.
fn clip<T: Float>(g: &mut Graph, at: &At<'_, T>, names: [&str; 2]) -> Result<String, String> {
    let mut limit = |name: &str| -> Result<String, String> {
        let limit = at.number(name)?;
        Ok(if limit.is_infinite() { NONE.to_owned() } else { g.number(limit) })
    };
    let (low, high) = (limit(names[0])?, limit(names[1])?);
    Ok(match (low.is_empty(), high.is_empty()) {
        (true, true) => g.op("Identity", &[at.x(0)]),
        (false, true) => g.op("Clip", &[at.x(0), &low]),
        _ => g.op("Clip", &[at.x(0), &low, &high]),
    })
}

/// −1 or 1; of zeros the inverse has the sign.
fn sign_bit<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (zero, one, minus) = (g.number(0.0), g.number(1.0), g.number(-1.0));
    let (inverse, at_zero) = (g.op("Reciprocal", &[at.x(0)]), g.op("Equal", &[at.x(0), &zero]));
    let signed = g.op("Where", &[&at_zero, &inverse, at.x(0)]);
    let below = g.op("Less", &[&signed, &zero]);
    Ok(g.op("Where", &[&below, &minus, &one]))
}

/// The number that takes the place of one that is not finite; a mask says where.
fn nan_to_num<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let [nan, above, below] = ["nan", "posinf", "neginf"].map(|name| at.number(name));
    let (nan, above, below) = (g.number(nan?), g.number(above?), g.number(below?));
    let zero = g.number(0.0);
    let (positive, undefined) = (g.op("Greater", &[at.x(0), &zero]), g.op("IsNaN", &[at.x(0)]));
    let infinite = g.op("Where", &[&positive, &above, &below]);
    Ok(g.op("Where", &[&undefined, &nan, &infinite]))
}
