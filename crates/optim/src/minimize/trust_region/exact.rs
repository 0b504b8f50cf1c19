use crate::minimize::rounding;
use serde::{Deserialize, Serialize};
use wengert_tensor::linalg::symmetric_eigen;

use super::driver::TrustRegion;
use super::subproblem::{Model, Subproblem};
use crate::minimize::error::MinimizeError;
use crate::minimize::linear::{Stop, TrustStep};
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// Trust-region Newton with the whole Hessian and exact steps, the hard case included (Moré and Sorensen, 1983), by
/// eigendecomposition: the most robust method for small problems, n³ a step.
pub type TrustRegionExact = TrustRegion<ExactModel>;

/// The model of [`TrustRegionExact`].
///
/// ```
/// use wengert_optim::minimize::{ExactModel, TrustRegion};
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(2, |x: &[f64]| x[0].powi(4) - x[0] * x[0] + x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = 4.0 * x[0].powi(3) - 2.0 * x[0]; g[1] = 2.0 * x[1]; })
///     .with_hessian(|x, h| h.copy_from_slice(&[12.0 * x[0] * x[0] - 2.0, 0.0, 0.0, 2.0]));
/// // From near the maximum along the first axis.
/// assert!((TrustRegion::new(ExactModel).minimize(&f, &[0.01, 1.0])?.value + 0.25).abs() < 1e-10);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExactModel;

impl<T: Float> Subproblem<T> for ExactModel {
    type Memory = ();
    const SECOND_ORDER: bool = true;

    fn check(&self, (): &(), _: usize) -> Result<(), MinimizeError> {
        Ok(())
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<(), MinimizeError> {
        match problem.hessian(&at.point) {
            Some(_) => Ok(()),
            None => Err(MinimizeError::Missing { method: "TrustRegionExact", what: "a Hessian" }),
        }
    }

    /// The length of the Cauchy step ‖g‖³/gᵀHg: a longer first step, exact though it be for the model, may leave the valley
    /// that the start is in.
    fn cautious_radius(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Option<f64> {
        let mut product = vec![T::ZERO; at.gradient.len()];
        problem.hessian(&at.point)?.apply(&at.gradient, &mut product);
        let (norm, bend) = (vector::norm(&at.gradient), vector::dot(&at.gradient, &product));
        let radius = norm * (norm * norm / bend);
        (radius > 0.0 && radius.is_finite()).then_some(radius)
    }

    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        _: &'a mut (),
    ) -> Result<Model<'a, T>, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let n = at.point.len();
        let (values, vectors) =
            symmetric_eigen(&vector::to_f64(&hessian.dense()), n).map_err(|_| Reason::NonFinite)?;
        let gradient = vector::to_f64(&at.gradient);
        let coefficients: Vec<f64> = vectors.chunks_exact(n).map(|q| vector::dot(q, &gradient)).collect();
        Ok(Box::new(move |radius| {
            let (y, boundary) = minimise(&values, &coefficients, radius);
            let mut step = vec![0.0; n];
            for (y, q) in y.iter().zip(vectors.chunks_exact(n)) {
                vector::axpy(*y, q, &mut step);
            }
            let fall =
                y.iter().zip(&values).zip(&coefficients).map(|((y, v), c)| -y * (c + 0.5 * v * y)).sum();
            let mut out = vec![T::ZERO; n];
            vector::from_f64(&step, &mut out);
            TrustStep {
                stop: if boundary { Stop::Boundary } else { Stop::Converged },
                iterations: 0,
                step: out,
                length: vector::norm(&y),
                reduction: fall,
                shorter: Vec::new(),
            }
        }))
    }
}

/// Minimises Σ cᵢyᵢ + ½ vᵢyᵢ² over ‖y‖ ≤ `radius`, for ascending v. Whether the constraint is active.
fn minimise(values: &[f64], c: &[f64], radius: f64) -> (Vec<f64>, bool) {
    let at = |lambda: f64| -> Vec<f64> {
        let term = |(v, c): (&f64, &f64)| if *c == 0.0 { 0.0 } else { -c / (v + lambda) };
        values.iter().zip(c).map(term).collect()
    };
    let size = vector::norm_inf(values);
    if values[0] > rounding::of::<f64>(1.0, size) {
        let y = at(0.0);
        if vector::norm(&y) <= radius {
            return (y, false);
        }
    }
    let low = (-values[0]).max(0.0);
    let (mut below, mut above) = (low, low + vector::norm(c) / radius);
    // Newton's method on 1/‖y(λ)‖ − 1/radius within a shrinking bracket.
    let mut lambda = above;
    for _ in 0..100 {
        let y = at(lambda);
        let length = vector::norm(&y);
        let excess = length / radius - 1.0;
        if excess.abs() <= 1e-12 {
            return (y, true);
        }
        if excess > 0.0 {
            below = lambda
        } else {
            above = lambda
        }
        let slope: f64 = y.iter().zip(values).map(|(y, v)| y * y / (v + lambda)).sum();
        let newton = lambda + length * length / slope * excess;
        let next = if newton > below && newton < above { newton } else { 0.5 * (below + above) };
        if next == lambda || above - below <= rounding::of::<f64>(1.0, above) {
            break;
        }
        lambda = next;
    }
    // The hard case: g has no part along the leftmost eigenvector, which fills up the radius.
    let mut y = at(above.max(f64::MIN_POSITIVE));
    if !y.iter().all(|y| y.is_finite()) {
        y.fill(0.0);
    }
    let rest = radius * radius - vector::dot(&y, &y);
    if values[0] < 0.0 && rest > 0.0 {
        y[0] += rest.sqrt().copysign(if c[0] > 0.0 { -1.0 } else { 1.0 });
    }
    let length = vector::norm(&y);
    if length > radius {
        vector::scale(radius / length, &mut y);
    }
    (y, true)
}
