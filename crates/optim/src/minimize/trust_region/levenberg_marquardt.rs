use crate::minimize::rounding;
use serde::{Deserialize, Serialize};
use wengert_tensor::linalg::{Qr, Triangular};

use super::driver::TrustRegion;
use super::subproblem::{LocalModel, Model, RadiusTrial, Subproblem};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::linear::{Stop, TrustStep};
use crate::minimize::objective::{Counted, Objective, Residuals};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// Levenberg–Marquardt for [least squares](crate::LeastSquares) with a dense Jacobian, as in MINPACK (Moré, 1978): the step
/// minimises ‖J p + r‖ in an ellipsoid ‖D p‖ ≤ Δ, by QR. A step that is rejected because the residuals bend along it is first
/// corrected for that (geodesic acceleration: Transtrum and Sethna, 2012), then shortened. For large problems take
/// [`TrustRegionNewton`](super::TrustRegionNewton) with [`Curvature::GaussNewton`](super::Curvature).
pub type LevenbergMarquardt = TrustRegion<LevenbergMarquardtModel>;

/// How [`LevenbergMarquardt`] scales the variables.
///
/// ```
/// use wengert_optim::minimize::{LevenbergMarquardtModel, Scaling};
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
/// let fit = LeastSquares::new(1, 1, |a: &[f64], r| r[0] = a[0].exp() - 2.0, |a, j| j[0] = a[0].exp());
/// let method = LevenbergMarquardt::new(LevenbergMarquardtModel { scaling: Scaling::None, ..Default::default() });
/// assert!(method.minimize(&fit, &[0.0])?.value < 1e-12);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scaling {
    /// By the largest length so far of each column of the Jacobian: steps do not depend on the units of the variables.
    /// The default.
    #[default]
    Columns,
    /// Not at all.
    None,
}

/// Settings of [`LevenbergMarquardt`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevenbergMarquardtModel {
    /// How the variables are scaled.
    pub scaling: Scaling,
    /// The first radius, relative to ‖D x₀‖ (to 1 if that is 0); 100.
    pub factor: f64,
}

impl Default for LevenbergMarquardtModel {
    fn default() -> Self {
        Self { scaling: Scaling::Columns, factor: 100.0 }
    }
}

/// What [`LevenbergMarquardt`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevenbergMarquardtMemory {
    /// D.
    scales: Vec<f64>,
    last: Damping,
    /// J at the start, off which the first scales were read, until the first step.
    first: Option<Vec<f64>>,
}

impl<T: Float> Subproblem<T> for LevenbergMarquardtModel {
    type Memory = LevenbergMarquardtMemory;
    const READS_RESIDUALS: bool = true;

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("factor", self.factor, "positive", |f| f > 0.0 && f.is_finite())
    }

    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError> {
        let LevenbergMarquardtMemory { scales: d, last, .. } = memory;
        Field("scales").vector(d, dimension)?;
        Field("last").non_negative(last.lambda)?;
        Field("last").non_negative(last.radius)?;
        let least = d.iter().copied().fold(f64::INFINITY, f64::min);
        Field("scales").holds(least, "positive", least > 0.0)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError> {
        let Some(residuals) = problem.residuals() else {
            return Err(MinimizeError::Missing { method: "LevenbergMarquardt", what: "residuals" });
        };
        let n = at.point.len();
        let (mut scales, mut first) = (vec![1.0; n], None);
        if self.scaling == Scaling::Columns {
            let jacobian = vector::to_f64(&residuals.dense_jacobian(&at.point));
            // Refused, it leaves a run that ends before its first step.
            if problem.granted().is_ok() || vector::all_finite(&jacobian) {
                scales.fill(0.0);
                widen(&mut scales, &jacobian);
                // A variable that no residual depends on yet keeps its own scale.
                scales.iter_mut().for_each(|d| *d = if *d == 0.0 { 1.0 } else { *d });
                first = Some(jacobian);
            }
        }
        Ok(LevenbergMarquardtMemory { scales, last: Damping::default(), first })
    }

    fn first_radius(&self, at: &Iterate<T>, memory: &Self::Memory) -> Option<f64> {
        let d = &memory.scales;
        let size = vector::norm(&at.point.iter().zip(d).map(|(x, d)| x.to_f64() * d).collect::<Vec<_>>());
        Some(self.factor * if size > 0.0 { size } else { 1.0 })
    }

    /// MINPACK's rule: twice the length of a step that the model predicted well (of any step inside the ball), and where
    /// it predicted badly the fraction of the step at which the parabola through the values has its minimum.
    fn radius(&self, trial: &RadiusTrial) -> f64 {
        let inside = trial.stop == Stop::Converged;
        if trial.ratio >= 0.75 || (trial.ratio > 0.25 && inside) {
            return 2.0 * trial.length;
        }
        if trial.ratio > 0.25 {
            return trial.radius;
        }
        let fraction = if trial.fall.is_finite() && trial.fall < 0.0 {
            trial.slope / (2.0 * (trial.slope + trial.fall))
        } else if trial.fall >= 0.0 {
            0.5
        } else {
            0.1
        };
        fraction.clamp(0.1, 0.5) * trial.radius.min(10.0 * trial.length)
    }

    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        memory: &'a mut Self::Memory,
    ) -> Result<Model<'a, T>, Reason> {
        let LevenbergMarquardtMemory { scales: d, last, first } = memory;
        let residuals = problem.residuals().ok_or(Reason::NonFinite)?;
        problem.granted()?;
        let (m, n) = (residuals.count(), at.point.len());
        let jacobian = first.take().filter(|first| first.len() == m * n);
        let jacobian = jacobian.unwrap_or_else(|| vector::to_f64(&residuals.dense_jacobian(&at.point)));
        let mut r = vec![T::ZERO; m];
        residuals.evaluate(&at.point, &mut r);
        let r = vector::to_f64(&r);
        if !vector::all_finite(&jacobian) || !vector::all_finite(&r) {
            return Err(Reason::NonFinite);
        }
        if self.scaling == Scaling::Columns {
            widen(d, &jacobian);
        }
        // Fewer residuals than variables: rows of zeros change nothing.
        let mut padded = jacobian.clone();
        padded.resize(m.max(n) * n, 0.0);
        let mut rhs: Vec<f64> = r.iter().map(|r| -r).collect();
        rhs.resize(m.max(n), 0.0);
        let factor = Qr::new(padded, m.max(n), n).least_squares(&rhs);
        Ok(Box::new(LinearResiduals { problem, residuals, jacobian, r, factor, scales: d, last }))
    }
}

/// r + J p around a point.
struct LinearResiduals<'a, 'o, T: Float> {
    problem: &'a Counted<'o, T>,
    residuals: &'a dyn Residuals<T>,
    jacobian: Vec<f64>,
    r: Vec<f64>,
    factor: Triangular<f64>,
    scales: &'a [f64],
    last: &'a mut Damping,
}

impl<T: Float> LocalModel<T> for LinearResiduals<'_, '_, T> {
    fn minimise(&mut self, radius: f64) -> TrustStep<T> {
        let Self { factor, scales, last, .. } = self;
        let p = damped_step(factor, scales, radius, last, &|| self.problem.exhausted());
        // The fall of ½‖J p + r‖², by R: ‖R p‖²/2 − pᵀRᵀ(Qᵀr).
        let rp = multiply(factor, &p);
        let reduction = vector::dot(&rp, &factor.rhs) - 0.5 * vector::dot(&rp, &rp);
        let mut step = vec![T::ZERO; p.len()];
        vector::from_f64(&p, &mut step);
        TrustStep {
            stop: if last.lambda > 0.0 { Stop::Boundary } else { Stop::Converged },
            iterations: 0,
            step,
            length: scaled_length(&p, scales),
            reduction,
            shorter: Vec::new(),
        }
    }

    /// p + q with (JᵀJ + λD²) q = −Jᵀc, where c = r(x + p) − r − J p is what the residuals bend along p: the geodesic acceleration
    /// of Transtrum and Sethna (2012), for which a rejected step has paid already. Not where q is not small beside p.
    fn corrected(&mut self, point: &[T], solved: &TrustStep<T>) -> Option<Vec<T>> {
        let n = point.len();
        let mut r = vec![T::ZERO; self.r.len()];
        self.residuals.evaluate(point, &mut r);
        let p = vector::to_f64(&solved.step);
        let mut rhs = vec![0.0; n];
        for ((row, old), new) in self.jacobian.chunks_exact(n).zip(&self.r).zip(&r) {
            vector::axpy(old + vector::dot(row, &p) - new.to_f64(), row, &mut rhs);
        }
        let damped = damped_factor(&self.factor, self.scales, self.last.lambda);
        let q = damped.solve(&damped.solve_transposed(&rhs));
        let small = scaled_length(&q, self.scales) <= 0.75 * solved.length;
        // Where the residuals bend out of the range of J, there is nothing to correct.
        let after = self.jacobian.chunks_exact(n).zip(&r).map(|(row, r)| r.to_f64() + vector::dot(row, &q));
        let fall = 0.5 * (vector::dot(&self.r, &self.r) - after.map(|r| r * r).sum::<f64>());
        let small = small && fall >= 0.25 * solved.reduction;
        let mut step = solved.step.clone();
        let mut corrected = p;
        vector::axpy(1.0, &q, &mut corrected);
        vector::from_f64(&corrected, &mut step);
        (small && vector::all_finite(&step)).then_some(step)
    }
}

/// ‖D p‖.
fn scaled_length(p: &[f64], d: &[f64]) -> f64 {
    p.iter().zip(d).map(|(p, d)| p * d).fold(0.0, f64::hypot)
}

/// D ← max(D, lengths of the columns).
fn widen(d: &mut [f64], jacobian: &[f64]) {
    let n = d.len();
    for (j, d) in d.iter_mut().enumerate() {
        *d = d.max(jacobian.iter().skip(j).step_by(n).copied().fold(0.0, f64::hypot));
    }
}

fn multiply(factor: &Triangular<f64>, p: &[f64]) -> Vec<f64> {
    let n = p.len();
    (0..n).map(|i| vector::dot(&factor.factor()[i * n + i..(i + 1) * n], &p[i..])).collect()
}

/// λ as it was found for a radius, from which the next search for one starts.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Damping {
    lambda: f64,
    radius: f64,
}

/// The p with (JᵀJ + λD²) p = −Jᵀr and ‖D p‖ = `radius` to a tenth, λ = 0 if that is inside (Moré's algorithm 5.5), which
/// starts from `last`.
///
/// Each trial of λ is a factorisation: they end when `exhausted` says so, with the last.
fn damped_step(
    factor: &Triangular<f64>,
    d: &[f64],
    radius: f64,
    last: &mut Damping,
    exhausted: &dyn Fn() -> bool,
) -> Vec<f64> {
    let n = d.len();
    let length = |p: &[f64]| scaled_length(p, d);
    // λ falls as the radius grows.
    let guess = if last.lambda > 0.0 { last.lambda * last.radius / radius } else { 0.0 };
    *last = Damping { lambda: 0.0, radius };
    let mut low = if factor.is_full_rank() {
        let p = factor.solve(&factor.rhs);
        let size = length(&p);
        if size <= 1.1 * radius {
            return p;
        }
        newton_gain(factor, d, &p, size, radius)
    } else {
        // Of the many solutions the shortest, as far as it can be told from rounding.
        let rows = factor.factor().chunks_exact(n);
        let largest = rows.flat_map(|row| row.iter().zip(d)).fold(0.0f64, |m, (r, d)| m.max((r / d).abs()));
        let least = rounding::of_product::<f64>(largest, largest);
        let damped = damped_factor(factor, d, least);
        let p = damped.solve(&damped.rhs);
        if length(&p) <= 1.1 * radius {
            return p;
        }
        least
    };
    // λ is at most ‖D⁻¹Jᵀr‖/radius.
    let gradient: Vec<f64> =
        (0..n).map(|j| (0..=j).map(|i| factor.factor()[i * n + j] * factor.rhs[i]).sum()).collect();
    let mut high = gradient.iter().zip(d).map(|(g, d)| g / d).fold(0.0, f64::hypot) / radius;
    // Not a number where a scale is beyond all others.
    low = if low.is_finite() { low } else { 0.0 };
    let mut lambda = if guess > 0.0 { guess.max(low).min(high) } else { low.max(1e-3 * high) };
    let mut p = vec![0.0; n];
    for _ in 0..50 {
        let damped = damped_factor(factor, d, lambda);
        p = damped.solve(&damped.rhs);
        let size = length(&p);
        last.lambda = lambda;
        if (size - radius).abs() <= 0.1 * radius || exhausted() {
            break;
        }
        if size > radius {
            low = f64::max(low, lambda)
        } else {
            high = f64::min(high, lambda)
        }
        let newton = lambda + newton_gain(&damped, d, &p, size, radius);
        lambda = if newton > low && newton < high { newton } else { (low * high).sqrt().max(1e-3 * high) };
    }
    p
}

/// R of [R; √λ D], by another QR.
fn damped_factor(factor: &Triangular<f64>, d: &[f64], lambda: f64) -> Triangular<f64> {
    let n = d.len();
    let mut stacked = vec![0.0; 2 * n * n];
    for i in 0..n {
        stacked[i * n + i..(i + 1) * n].copy_from_slice(&factor.factor()[i * n + i..(i + 1) * n]);
        stacked[(n + i) * n + i] = lambda.sqrt() * d[i];
    }
    let mut rhs = factor.rhs.clone();
    rhs.resize(2 * n, 0.0);
    Qr::new(stacked, 2 * n, n).least_squares(&rhs)
}

/// The Newton correction of λ for ‖D p(λ)‖ = radius.
fn newton_gain(factor: &Triangular<f64>, d: &[f64], p: &[f64], size: f64, radius: f64) -> f64 {
    let direction: Vec<f64> = p.iter().zip(d).map(|(p, d)| p * d * d / size).collect();
    let w = factor.solve_transposed(&direction);
    (size - radius) / radius / vector::dot(&w, &w)
}
