//! Checking derivative rules against finite differences.

use std::fmt;

use wengert_tensor::{Float, Tensor};

use crate::transform::{jvp, vjp};
use crate::var::Var;

/// A derivative that differs from what it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientMismatch {
    /// Which check failed, e.g. `"order 2: jvp against finite differences"`.
    pub check: String,
    /// The number the rule gives.
    pub found: f64,
    /// The number it should give.
    pub expected: f64,
}

impl fmt::Display for GradientMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {:e}, expected {:e}", self.check, self.found, self.expected)
    }
}

impl std::error::Error for GradientMismatch {}

/// Checks the derivatives of `f` at a point in double precision, in both modes and up to an order (1 or more).
///
/// For random directions, forward mode must agree with a central difference of fourth order (relative error at
/// most 10⁻⁷), and reverse mode with forward mode (10⁻¹¹). For higher orders, the forward and the reverse derivative
/// are checked in the same way as functions of the point. Choose a point away from kinks.
///
/// # Errors
/// The first derivative that is wrong.
///
/// ```
/// use wengert_tape::{Var, check_grads};
/// let x = Var::from([0.5, -1.5]);
/// check_grads(|v| v[0].tanh() * &v[0], &[x], 3).unwrap();
/// ```
pub fn check_grads(
    f: impl Fn(&[Var<f64>]) -> Var<f64>,
    point: &[Var<f64>],
    order: usize,
) -> Result<(), GradientMismatch> {
    check(&f, point, order, 1)
}

/// A function of several variables, of any depth of derivatives.
type Function<'a> = &'a dyn Fn(&[Var<f64>]) -> Var<f64>;

fn check(f: Function, point: &[Var<f64>], order: usize, level: usize) -> Result<(), GradientMismatch> {
    let point = point.to_vec();
    let direction: Vec<Var<f64>> = random_like(&point, 7 + level as u64);
    let (value, tangent) = jvp(|x: &Vec<Var<f64>>| f(x), &point, &direction);
    let weights = random_like(std::slice::from_ref(&value), 77 + level as u64).remove(0);

    // Against the difference quotient.
    let expected = inner(&weights, &difference(f, &point, &direction));
    let found = inner(&weights, &tangent);
    compare(level, "jvp against finite differences", found, expected, 1e-7, scale(&weights, &tangent))?;

    // ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩.
    let (_, pullback) = vjp(|x: &Vec<Var<f64>>| f(x), &point);
    let cotangents = pullback.apply(&weights);
    let transposed: f64 = cotangents.iter().zip(&direction).map(|(c, d)| inner(c, d)).sum();
    let size: f64 = cotangents.iter().zip(&direction).map(|(c, d)| scale(c, d)).sum();
    compare(level, "vjp against jvp", transposed, found, 1e-11, size + scale(&weights, &tangent))?;

    if order > 1 {
        let forward = |x: &[Var<f64>]| jvp(|x: &Vec<Var<f64>>| f(x), &x.to_vec(), &direction).1;
        check(&forward, &point, order - 1, level + 1)?;
        let reverse = |x: &[Var<f64>]| {
            let (_, pullback) = vjp(|x: &Vec<Var<f64>>| f(x), &x.to_vec());
            let flat: Vec<Var<f64>> = pullback.apply(&weights).iter().map(|c| c.reshape([-1])).collect();
            Var::cat(&flat.iter().collect::<Vec<_>>(), 0)
        };
        check(&reverse, &point, order - 1, level + 1)?;
    }
    Ok(())
}

/// The derivative in a direction by the five-point formula, whose error is of order h⁴.
fn difference(f: Function, point: &[Var<f64>], direction: &[Var<f64>]) -> Var<f64> {
    // Balances the formula's error against rounding: h⁵ ≈ ε.
    let h = 1e-3;
    let at = |t: f64| {
        let moved: Vec<Var<f64>> = point.iter().zip(direction).map(|(x, d)| x + d * (t * h)).collect();
        f(&moved)
    };
    ((at(-2.0) - at(2.0)) + (at(1.0) - at(-1.0)) * 8.0) / (12.0 * h)
}

fn inner(a: &Var<f64>, b: &Var<f64>) -> f64 {
    (a.value() * b.value()).sum().item()
}

/// The size of the terms of an inner product, to which errors are relative.
fn scale(a: &Var<f64>, b: &Var<f64>) -> f64 {
    (a.value() * b.value()).abs().sum().item()
}

fn compare(
    level: usize,
    what: &str,
    found: f64,
    expected: f64,
    tolerance: f64,
    scale: f64,
) -> Result<(), GradientMismatch> {
    let difference = (found - expected).abs();
    // A NaN on either side fails.
    if difference <= tolerance * scale.max(1.0) {
        return Ok(());
    }
    Err(GradientMismatch { check: format!("order {level}: {what}"), found, expected })
}

/// Numbers in (−1, 1) away from 0, the same for the same seed.
fn random_like<T: Float>(vars: &[Var<T>], seed: u64) -> Vec<Var<T>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 11) as f64 / (1u64 << 53) as f64;
        T::from_f64(if unit < 0.5 { -0.2 - 1.6 * unit } else { 1.8 - 1.6 * unit })
    };
    vars.iter().map(|v| Var::constant(Tensor::from_fn(v.shape(), |_| next()))).collect()
}
