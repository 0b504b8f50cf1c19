//! Looking for negative curvature where the gradient vanishes.

use crate::minimize::rounding;
use serde::{Deserialize, Serialize};
use wengert_tensor::random::Generator;

use super::linear::{Lanczos, lanczos};
use super::objective::{Counted, Curvatures, Objective};
use super::run::Iterate;
use super::vector::{self, Float};

/// How a method with second derivatives makes sure that it is not at a saddle before it claims convergence: Lanczos
/// steps on the Hessian from a seeded random vector, and where a clearly negative Ritz value turns up, a step along
/// its vector.
///
/// The steps go on until the least Ritz value has settled: until the bound on its distance from an eigenvalue is a quarter of
/// it (a half, if it is negative) or below rounding. Regressions with a ridge take a dozen or three. Weak negative curvature beside large positive curvature takes many:
/// about ½ ln(2.75 n) √(largest/|least|) in the worst case (Kuczyński and Woźniakowski, 1992), far fewer where few
/// eigenvalues are near the least. What was found, and whether it had settled, is in
/// [`Outcome::curvature`](crate::Outcome::curvature).
///
/// ```
/// use wengert_optim::minimize::CurvatureProbe;
/// use wengert_optim::{Method, Problem, TrustRegionNewton};
/// // x² + (y² − 1)² has a saddle at 0, where the gradient vanishes.
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + (x[1] * x[1] - 1.0).powi(2))
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = 4.0 * x[1] * (x[1] * x[1] - 1.0); })
///     .with_hvp(|x, v, out| { out[0] = 2.0 * v[0]; out[1] = (12.0 * x[1] * x[1] - 4.0) * v[1]; });
/// let mut method = TrustRegionNewton::default();
/// method.probe = CurvatureProbe { max_steps: 10, ..CurvatureProbe::default() };
/// assert!(method.minimize(&f, &[0.0, 0.0])?.value < 1e-10);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvatureProbe {
    /// Lanczos steps, so Hessian products, allowed; 0 for no probe; 100. There are never more than variables, nor, since each
    /// keeps a vector, than take 2²⁴ numbers of memory (but at least 8).
    pub max_steps: usize,
    /// The seed of the random vector; 0.
    pub seed: u64,
}

impl Default for CurvatureProbe {
    fn default() -> Self {
        Self { max_steps: 100, seed: 0 }
    }
}

/// The least curvature that a [`CurvatureProbe`] found.
///
/// ```
/// use wengert_optim::minimize::LeastCurvature;
/// use wengert_optim::{Method, Problem, TrustRegionNewton};
/// let f = Problem::new(2, |x: &[f64]| 0.5 * x[0] * x[0] + 2.0 * x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = x[0]; g[1] = 4.0 * x[1]; })
///     .with_hvp(|_, v, out| { out[0] = v[0]; out[1] = 4.0 * v[1]; });
/// let outcome = TrustRegionNewton::default().minimize(&f, &[1.0, 1.0])?;
/// let LeastCurvature { value, settled, .. } = outcome.curvature.unwrap();
/// assert!(settled && (value - 1.0).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeastCurvature {
    /// The least Ritz value: the Hessian's least eigenvalue is at most this.
    pub value: f64,
    /// Some eigenvalue is within this distance of it.
    pub residual: f64,
    /// Lanczos steps made.
    pub steps: usize,
    /// Whether the value had settled when the steps ended. If not, more of them might have found a lower one.
    pub settled: bool,
}

/// What looking for negative curvature gave.
///
/// ```
/// use wengert_optim::minimize::Escape;
/// // By default nothing was looked for, and nothing found.
/// assert!(Escape::default().step.is_none() && Escape::default().curvature.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Escape {
    /// The length of the step to a lower point, if there is one.
    pub step: Option<f64>,
    /// The least curvature before it, if it was looked for.
    pub curvature: Option<LeastCurvature>,
}

/// Numbers that a Krylov basis may take.
const MEMORY: usize = 1 << 24;

impl CurvatureProbe {
    /// Moves `at` to a lower point along negative curvature, if there is one.
    pub(super) fn escape<T: Float>(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Escape {
        let n = at.point.len();
        let limit = self.max_steps.min(n).min((MEMORY / n.max(1)).max(8));
        if limit == 0 {
            return Escape::default();
        }
        let Some(hessian) = problem.hessian(&at.point) else { return Escape::default() };
        let mut start = vec![T::ZERO; n];
        Generator::seeded(self.seed).fill_uniform(&mut start, -T::ONE, T::ONE);
        let mut krylov = lanczos(&*hessian, &start, limit.min(4));
        let found = loop {
            let Some(found) = Found::of(&krylov) else { return Escape::default() };
            let steps = found.curvature.steps;
            if found.curvature.settled || steps == limit || krylov.residual.is_nan() {
                break found;
            }
            // Each look costs the eigenvalues of a small matrix.
            krylov.extend(&*hessian, (steps + steps / 4 + 1).min(limit));
        };
        let curvature = Some(found.curvature);
        if !found.negative {
            return Escape { step: None, curvature };
        }
        let mut direction = start;
        krylov.combine(&found.vector, &mut direction);
        if vector::dot(&direction, &at.gradient) > 0.0 {
            vector::scale(-1.0, &mut direction);
        }
        Escape { step: descend(problem, at, &direction, found.curvature.value), curvature }
    }
}

/// The least Ritz pair.
struct Found {
    curvature: LeastCurvature,
    /// In the basis.
    vector: Vec<f64>,
    /// Whether the value is negative beyond rounding.
    negative: bool,
}

impl Found {
    fn of<T: Float>(krylov: &Lanczos<T>) -> Option<Self> {
        let (values, vectors) = krylov.ritz();
        let steps = values.len();
        let &value = values.first()?;
        let vector = vectors[..steps].to_vec();
        let largest = vector::norm_inf(&values);
        let residual = krylov.residual * vector[steps - 1].abs();
        // Zero eigenvalues come out as rounding of the largest.
        let rounding = rounding::half_digits::<T>() * largest;
        let negative = value < -rounding;
        let share = if negative { 0.5 } else { 0.25 };
        let settled = residual <= (share * value.abs()).max(rounding);
        Some(Self { curvature: LeastCurvature { value, residual, steps, settled }, vector, negative })
    }
}

/// The longest of steps 1, ½, ¼ … (times the size of x) that achieves half of what the curvature promises.
fn descend<T: Float>(
    problem: &Counted<'_, T>,
    at: &mut Iterate<T>,
    direction: &[T],
    curvature: f64,
) -> Option<f64> {
    let mut point = at.point.clone();
    let mut length = vector::norm_inf(&at.point).max(1.0);
    for _ in 0..40 {
        problem.granted().ok()?;
        vector::add_scaled(&at.point, length, direction, &mut point);
        let value = problem.value(&point);
        if value.is_finite() && value < at.value && value <= at.value + 0.25 * curvature * length * length {
            let mut gradient = vec![T::ZERO; point.len()];
            problem.gradient(&point, &mut gradient);
            if vector::all_finite(&gradient) {
                *at = Iterate { point, value, gradient };
                return Some(length);
            }
        }
        length *= 0.5;
    }
    None
}
