//! Matrix products.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, text};

use super::super::call::{Call, Produced, broadcasts};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("MatMul", 1, (2, 2), "", matmul),
        operator("Gemm", 1, (2, 3), "alpha:f beta:f transA:i transB:i broadcast:i", gemm),
        operator("Einsum", 12, (1, super::ANY), "equation:s", einsum),
        operator("Det", 11, (1, 1), "", det),
    ]
}

fn matmul<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (a, b) = (call.value(0)?, call.value(1)?);
    product_shape(call, a.shape(), b.shape())?;
    Ok(vec![of_numbers!(call, a, b, |x, y| x.matmul(y))])
}

/// Refuses what do not multiply as matrices, and products that are too large.
pub(super) fn product_shape<T: Float>(call: &Call<'_, T>, x: &Shape, y: &Shape) -> Result<(), Problem> {
    let unlike =
        || Problem::Shapes { what: "do not multiply as matrices", first: x.clone(), second: y.clone() };
    if x.is_empty() || y.is_empty() || x[x.len() - 1] != y[y.len().saturating_sub(2)] {
        return Err(unlike());
    }
    let batch = |shape: &Shape| Shape::from(&shape[..shape.len().saturating_sub(2)]);
    let batches = broadcasts(&batch(x), &batch(y)).map_err(|_| unlike())?;
    let rows = if x.len() > 1 { x[x.len() - 2] } else { 1 };
    let columns = if y.len() > 1 { y[y.len() - 1] } else { 1 };
    call.sized(batches.iter().copied().chain([rows, columns]))?;
    Ok(())
}

fn gemm<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.exactly(0, 2)?;
    call.exactly(1, 2)?;
    let attributes = call.attributes;
    let transposed = |x: &Var<T>, name: &str| if attributes.int(name, 0) != 0 { x.t() } else { x.clone() };
    let (a, b) = (transposed(call.float(0)?, "transA"), transposed(call.float(1)?, "transB"));
    if a.shape()[1] != b.shape()[0] {
        let (first, second) = (a.shape().clone(), b.shape().clone());
        return Err(Problem::Shapes { what: "do not multiply as matrices", first, second });
    }
    let result = call.sized([a.shape()[0], b.shape()[1]])?;
    let scaled = |x: Var<T>, by: f64| if by == 1.0 { x } else { x * by };
    let product = scaled(a.matmul(&b), attributes.float("alpha", 1.0));
    let Some(c) = call.given_float(2)? else { return Ok(vec![Value::Float(product)]) };
    if broadcasts(c.shape(), &result)? != result {
        return Err(call.unlike(2, format!("one that broadcasts to {result}")));
    }
    Ok(vec![Value::Float(product + scaled(c.clone(), attributes.float("beta", 1.0)))])
}

/// What the letters of an equation stand for must agree in all operands.
fn check_equation<T: Float>(call: &Call<'_, T>, equation: &str) -> Result<(), Problem> {
    let wrong = |problem: String| Problem::setting("equation", problem);
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (equation, None),
    };
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != call.inputs.len() {
        return Err(wrong(format!("{} terms for {} operands", terms.len(), call.inputs.len())));
    }
    let known = |term: &str| term.replacen("...", "", 1).chars().all(|c| c.is_ascii_alphabetic());
    if !terms.iter().copied().chain(right).all(known) {
        return Err(wrong(format!("{} is none", text::quoted(equation))));
    }
    let mut lengths = std::collections::HashMap::new();
    let mut ellipsis: Option<Shape> = None;
    let mut result: Vec<usize> = Vec::new();
    for (input, term) in terms.iter().enumerate() {
        let shape = call.shape(input)?;
        let letters = term.chars().filter(|c| c.is_ascii_alphabetic()).count();
        let more = shape.len().checked_sub(letters).filter(|&more| more == 0 || term.contains("..."));
        let Some(more) = more else {
            return Err(call.unlike(input, format!("axes as in {}", text::quoted(term))));
        };
        let at = term.find("...").unwrap_or(term.len());
        let rest = Shape::from(&shape[at..at + more]);
        ellipsis = Some(match ellipsis {
            Some(other) => broadcasts(&other, &rest)?,
            None => rest,
        });
        let letters = term.chars().filter(|c| c.is_ascii_alphabetic());
        for (i, letter) in letters.enumerate() {
            let length = shape[if i < at { i } else { i + more }];
            let found = *lengths.entry(letter).or_insert(length);
            if found != length {
                return Err(wrong(format!("`{letter}` is {found} and {length}")));
            }
        }
    }
    let right = right.unwrap_or("");
    for (i, letter) in right.chars().filter(|&c| c != '.').enumerate() {
        let once = right.chars().filter(|&c| c == letter).count() == 1;
        let Some(&length) = lengths.get(&letter).filter(|_| once) else {
            return Err(wrong(format!(
                "`{letter}`, letter {i} of the result, is in no operand, or in the result twice"
            )));
        };
        result.push(length);
    }
    call.sized(result.into_iter().chain(ellipsis.into_iter().flat_map(|shape| shape.to_vec())))?;
    Ok(())
}

fn einsum<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let equation: String =
        call.attributes.text("equation").unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
    check_equation(call, &equation)?;
    let operands: Vec<Var<T>> =
        (0..call.inputs.len()).map(|i| call.float(i).cloned()).collect::<Result<_, _>>()?;
    Ok(vec![Value::Float(Var::einsum(&equation, &operands))])
}

fn det<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.at_least(0, 2)?;
    let x = call.float(0)?;
    let shape = x.shape();
    if shape[shape.len() - 1] != shape[shape.len() - 2] {
        return Err(call.unlike(0, "square matrices"));
    }
    x.det().map(|det| vec![Value::Float(det)]).map_err(|error| Problem::Unsupported(error.to_string()))
}
