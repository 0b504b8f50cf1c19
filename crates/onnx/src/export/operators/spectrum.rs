//! Spectra, with complex numbers as pairs along the last axis.

use wengert_tensor::Float;

use super::reduce::product;
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::export::length::Length;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "fft" => |g, at| complex(g, at, false),
        "ifft" => |g, at| complex(g, at, true),
        "rfft" => half,
        "irfft" => whole,
        _ => return None,
    })
}

/// A transform along the second of three axes, which is where it goes in every operator set if nothing else is said. Never the inverse
/// one, whose factor onnxruntime rounds to single precision in double.
fn transform(g: &mut Graph, x: &str, attributes: Vec<AttributeProto>) -> String {
    g.with("DFT", &[x], attributes)
}

/// The conjugates, times a factor.
fn conjugated(g: &mut Graph, x: &str, factor: f64) -> String {
    let factors = g.numbers(&[2], &[factor, -factor]);
    g.op("Mul", &[x, &factors])
}

fn scaled(g: &mut Graph, x: &str, factor: f64) -> String {
    if factor == 1.0 {
        return x.to_owned();
    }
    let factor = g.number(factor);
    g.op("Mul", &[x, &factor])
}

/// How many there are along the axes of the first operand before the one that is transformed.
fn rows<T: Float>(at: &At<'_, T>, axes: usize) -> Result<Length, String> {
    product(&at.shape(0)[..axes]).ok_or_else(|| "two of its axes are as long as the batch".into())
}

/// Pairs to pairs.
fn complex<T: Float>(g: &mut Graph, at: &At<'_, T>, inverse: bool) -> Result<String, String> {
    let axis = at.rank(0) - 2;
    let n = at.dim(0, axis)?;
    let x = g.reshape(at.x(0), &[rows(at, axis)?, n.into(), 2usize.into()]);
    let scale = at.number("scale")?;
    let y = if inverse {
        // The conjugate of the transform of the conjugate.
        let x = conjugated(g, &x, 1.0);
        let y = transform(g, &x, Vec::new());
        conjugated(g, &y, scale)
    } else {
        let y = transform(g, &x, Vec::new());
        scaled(g, &y, scale)
    };
    Ok(g.reshape(&y, at.out()))
}

/// How often each pair of the first half of `n` counts: those that have a mirror image in the other half, `interior` times.
fn weights(g: &mut Graph, n: usize, interior: f64) -> String {
    let half = n / 2 + 1;
    let of = |k: usize| if k > 0 && 2 * k != n { interior } else { 1.0 };
    g.numbers(&[half, 1], &(0..half).map(of).collect::<Vec<_>>())
}

/// Numbers to the first half of their transform.
fn half<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (n, interior) = (at.int("n")? as usize, at.number("interior")?);
    let x = g.reshape(at.x(0), &[rows(at, at.rank(0) - 1)?, n.into(), 1usize.into()]);
    let mut y = transform(g, &x, vec![AttributeProto::int("onesided", 1)]);
    if interior != 1.0 {
        let weights = weights(g, n, interior);
        y = g.op("Mul", &[&y, &weights]);
    }
    let y = scaled(g, &y, at.number("scale")?);
    Ok(g.reshape(&y, at.out()))
}

/// The first half of a transform to numbers: the real part of what the half alone would be made of, as runtimes do not agree on the
/// inverse of a half.
fn whole<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (n, interior) = (at.int("n")? as usize, at.number("interior")?);
    let (count, half) = (rows(at, at.rank(0) - 2)?, n / 2 + 1);
    let mut x = g.reshape(at.x(0), &[count, half.into(), 2usize.into()]);
    if interior != 1.0 {
        let weights = weights(g, n, interior);
        x = g.op("Mul", &[&x, &weights]);
    }
    let pads = g.ints(&[0, 0, 0, 0, (n - half) as i64, 0]);
    let x = g.op("Pad", &[&x, &pads]);
    let x = conjugated(g, &x, 1.0);
    let y = transform(g, &x, Vec::new());
    let real = g.slice(&y, 2, 0usize.into(), 1usize.into());
    let y = scaled(g, &real, at.number("scale")?);
    Ok(g.reshape(&y, at.out()))
}
