//! Checking derivative rules against finite differences.

mod difference;
mod estimate;

use std::fmt;

use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use self::difference::{Judgement, judge};
use crate::transform::{jvp, vjp};
use crate::var::Var;

/// A derivative that differs from what it should be.
///
/// ```
/// use wengert_tape::{Cotangents, GradientMismatch, Op, Point, Var, apply, check_grads};
/// use wengert_tensor::Tensor;
/// struct Wrong;
/// impl Op<f64> for Wrong {
///     fn name(&self) -> &str { "wrong" }
///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0] * x[0] }
///     fn vjp(&self, at: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) { into.add(0, || v * at.input(0)) }
/// }
/// let mismatch: GradientMismatch =
///     check_grads(|v| apply(Wrong, &[&v[0]]), &[Var::from([1.5])], 1).unwrap_err();
/// assert!((mismatch.expected - 2.0 * mismatch.found).abs() < 1e-6 * mismatch.expected.abs());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GradientMismatch {
    /// Which check failed, e.g. `"order 2: jvp against finite differences"`.
    pub check: String,
    /// The number the rule gives, for a random direction in which every element moves by a part of its size.
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
/// In random directions, forward mode must agree with finite differences in every element of the output (relative error
/// at most 10⁻⁷), and reverse mode with forward mode (10⁻¹¹). For higher orders, the forward and the reverse derivative
/// are checked in the same way as functions of the point. Choose a point away from kinks.
///
/// All is relative: an element of the point moves by a part of its own size (one that is 0, by a part of the size of its
/// neighbours), so that values near 10⁻¹⁵⁰ or 10¹⁵⁰ are checked as well as those near 1. The differences are
/// extrapolated from steps of many lengths (Ridders, "Accurate computation of F′(x) and F′(x) F″(x)", 1982), with an
/// estimate of their own error.
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
    let mut generator = Generator::seeded(7).fork(level as u64);
    let direction = along(&point, &mut generator);

    // Against differences, all inputs moving and each alone.
    let all = judge(f, &point, &direction);
    let name = |what: &str| format!("order {level}: {what}");
    for alone in 0..if point.len() > 1 { point.len() } else { 0 } {
        let only = |(i, d): (usize, &Var<f64>)| if i == alone { d.clone() } else { Var::zeros(d.shape()) };
        let direction: Vec<Var<f64>> = direction.iter().enumerate().map(only).collect();
        verify(&name("jvp against finite differences"), &judge(f, &point, &direction))?;
    }
    verify(&name("jvp against finite differences"), &all)?;

    // ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩, with weights to which every element of the output counts the same.
    let (value, tangent) = jvp(|x: &Vec<Var<f64>>| f(x), &point, &direction);
    let numbers = all.iter().map(|j| signed(&mut generator) * j.weight());
    let numbers = Tensor::from_vec(numbers.collect(), value.shape().clone()).expect("one for each element");
    let weights = Var::constant(numbers);
    let (_, pullback) = vjp(|x: &Vec<Var<f64>>| f(x), &point);
    let cotangents = pullback.apply(&weights);
    let (found, mut size) = inner(&weights, &tangent);
    let mut transposed = 0.0;
    for (c, d) in cotangents.iter().zip(&direction) {
        let (sum, terms) = inner(c, d);
        (transposed, size) = (transposed + sum, size + terms);
    }
    let rounding = 8.0 * f64::EPSILON * all.iter().map(|j| j.weight() * j.size).sum::<f64>();
    let difference = (transposed - found).abs();
    if difference.is_nan() || difference > 1e-11 * size + rounding {
        return Err(GradientMismatch { check: name("vjp against jvp"), found: transposed, expected: found });
    }

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

/// The first element of the output whose derivative is wrong, as an error.
fn verify(check: &str, outputs: &[Judgement]) -> Result<(), GradientMismatch> {
    match outputs.iter().find(|j| !j.right) {
        None => Ok(()),
        Some(j) => Err(GradientMismatch { check: check.to_owned(), found: j.found, expected: j.expected }),
    }
}

/// Σ a·b and the size of its terms, Σ |a·b|, to which errors are relative.
fn inner(a: &Var<f64>, b: &Var<f64>) -> (f64, f64) {
    let products = a.value() * b.value();
    (products.sum().item(), products.abs().sum().item())
}

/// A random direction in which every element moves by a part of its size. One that is 0 moves by a part of the smallest
/// that is not, in its variable if there is one, or of 1.
fn along(point: &[Var<f64>], generator: &mut Generator) -> Vec<Var<f64>> {
    let smallest = |vars: &[Var<f64>]| {
        let sizes = vars.iter().flat_map(|v| v.value().to_vec()).map(f64::abs).filter(|&x| x > 0.0);
        sizes.reduce(f64::min).filter(|x| x.is_finite())
    };
    let overall = smallest(point).unwrap_or(1.0);
    let one = |v: &Var<f64>| {
        let typical = smallest(std::slice::from_ref(v)).unwrap_or(overall);
        let size = |x: f64| if x == 0.0 { typical } else { x.abs() };
        let numbers = v.value().to_vec().into_iter().map(|x| size(x) * signed(generator)).collect();
        Var::constant(Tensor::from_vec(numbers, v.shape().clone()).expect("one for each element"))
    };
    point.iter().map(one).collect()
}

/// A number in (−1, 1) away from 0.
fn signed(generator: &mut Generator) -> f64 {
    let size = 0.2 + 0.8 * generator.uniform();
    if generator.bernoulli(0.5) { size } else { -size }
}
