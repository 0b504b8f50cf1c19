//! Newton's method on the KKT conditions: the primal–dual interior point method, and without inequalities plain.

#![allow(clippy::needless_range_loop, reason = "one index runs through up to six vectors")]

use serde::{Deserialize, Serialize};

use super::problem::Constraints;
use crate::linear::dense::{Ldl, qr};
use crate::objective::{Counted, Objective};
use crate::outcome::{MinimizeError, Multipliers, Outcome, Reason};
use crate::second::{Iterate, Method};
use crate::stopping::Stopping;
use crate::vector::{self, Float, dot};

/// The primal–dual interior point method with a filter line search (Wächter and Biegler, 2006) for general
/// constraints, with whole matrices: for up to some hundred variables. Needs a Hessian.
///
/// ```
/// use wengert_optim::constrained::{Bounds, Constraints, InteriorPoint};
/// use wengert_optim::{Method, Problem};
///
/// // min (x − 2)² + (y − 1)² with x + y ≤ 2 and y ≥ 0: (1.5, 0.5), multiplier 1.
/// let f = Problem::new(2, |x: &[f64]| (x[0] - 2.0).powi(2) + (x[1] - 1.0).powi(2))
///     .with_gradient(|x, g| { g[0] = 2.0 * (x[0] - 2.0); g[1] = 2.0 * (x[1] - 1.0); })
///     .with_hvp(|_, v, out| { out[0] = 2.0 * v[0]; out[1] = 2.0 * v[1]; });
/// let constraints = Constraints::new(2)
///     .inequality(|x| 2.0 - x[0] - x[1], |_, g| g.fill(-1.0))
///     .with_bounds(Bounds::new(vec![f64::NEG_INFINITY, 0.0], vec![f64::INFINITY; 2])?);
/// let outcome = InteriorPoint::new(&constraints).minimize(&f, &[0.0, 0.0])?;
/// assert!(outcome.converged() && (outcome.point[0] - 1.5).abs() < 1e-5);
/// assert!((outcome.multipliers.unwrap().inequalities[0] - 1.0).abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct InteriorPoint<'c, T> {
    /// The constraints.
    pub constraints: &'c Constraints<'c, T>,
    /// The first barrier parameter μ, for an objective scaled to a gradient of about 10; 0.1.
    pub initial_barrier: f64,
    /// When to stop; the norm is the [KKT residual](Multipliers::kkt_residual).
    pub stopping: Stopping,
}

impl<'c, T: Float> InteriorPoint<'c, T> {
    /// With default settings, but at most 500 iterations.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        let stopping = Stopping { max_iterations: 500, ..Stopping::default() };
        Self { constraints, initial_barrier: 0.1, stopping }
    }
}

/// Newton's method on the Lagrangian of a problem with equalities alone: each step solves the KKT system
/// `[∇²L −Jᵀ; J 0]`, its Hessian made positive on the null space of J where it is not, with the filter line search of
/// [`InteriorPoint`].
pub struct KktNewton<'c, T>(InteriorPoint<'c, T>);

impl<'c, T: Float> KktNewton<'c, T> {
    /// With default settings.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        Self(InteriorPoint::new(constraints))
    }

    /// Takes another stopping rule.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.0.stopping = stopping;
        self
    }
}

/// What [`InteriorPoint`] remembers. The variables are x and a slack s ≥ 0 for every inequality, c_I(x) − s = 0.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteriorPointState {
    /// The factor on f.
    scale: f64,
    barrier: f64,
    slacks: Vec<f64>,
    /// Multipliers of the equalities and inequalities.
    multipliers: Vec<f64>,
    /// Multipliers of the lower and upper bounds of x and s; zero where there is none.
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Pairs of violation and barrier function that steps must improve on.
    filter: Vec<(f64, f64)>,
    /// The last shift of the Hessian.
    shift: f64,
    max_violation: f64,
    residual: f64,
    violation: f64,
}

/// f, c and derivatives at a point, with the slacks.
struct Local {
    /// x and s.
    w: Vec<f64>,
    gradient: Vec<f64>,
    /// c_E and c_I − s.
    c: Vec<f64>,
    /// The Jacobian of c by rows.
    jacobian: Vec<Vec<f64>>,
    low: Vec<f64>,
    high: Vec<f64>,
}

/// A Newton step in x and s, the multipliers, and the multipliers of the bounds.
struct NewtonStep {
    w: Vec<f64>,
    multipliers: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl<T: Float> InteriorPoint<'_, T> {
    fn local(&self, at: &Iterate<T>, state: &InteriorPointState) -> Local {
        let (n, slacks) = (at.point.len(), state.slacks.len());
        let mut w = vector::to_f64(&at.point);
        w.extend(&state.slacks);
        let mut gradient: Vec<f64> = at.gradient.iter().map(|g| state.scale * g.to_f64()).collect();
        gradient.resize(n + slacks, 0.0);
        let c = self.residuals(&at.point, &state.slacks);
        let equalities = self.constraints.equalities();
        let rows = self.constraints.gradients(&at.point).into_iter().enumerate().map(|(i, g)| {
            let mut row = vector::to_f64(&g);
            row.resize(n + slacks, 0.0);
            if i >= equalities {
                row[n + i - equalities] = -1.0;
            }
            row
        });
        let (mut low, mut high) = self.constraints.bounds().to_f64();
        low.resize(n + slacks, 0.0);
        high.resize(n + slacks, f64::INFINITY);
        Local { w, gradient, c, jacobian: rows.collect(), low, high }
    }

    fn residuals(&self, x: &[T], slacks: &[f64]) -> Vec<f64> {
        let mut c = self.constraints.values(x);
        for (c, s) in c.iter_mut().skip(self.constraints.equalities()).zip(slacks) {
            *c -= s;
        }
        c
    }

    /// The largest residual of the conditions with complementarity `barrier`, in the scaled problem; and with f as it is.
    fn errors(&self, local: &Local, state: &InteriorPointState, barrier: f64) -> (f64, f64) {
        let mut dual = local.gradient.clone();
        for (y, row) in state.multipliers.iter().zip(&local.jacobian) {
            vector::axpy(-y, row, &mut dual);
        }
        let mut complementarity: f64 = 0.0;
        for i in 0..local.w.len() {
            dual[i] += state.upper[i] - state.lower[i];
            if local.low[i].is_finite() {
                complementarity =
                    complementarity.max(((local.w[i] - local.low[i]) * state.lower[i] - barrier).abs());
            }
            if local.high[i].is_finite() {
                complementarity =
                    complementarity.max(((local.high[i] - local.w[i]) * state.upper[i] - barrier).abs());
            }
        }
        let (dual, primal) = (vector::norm_inf(&dual), vector::norm_inf(&local.c));
        let scaled = dual.max(primal).max(complementarity);
        (scaled, (dual / state.scale).max(primal).max(complementarity / state.scale))
    }

    /// The Hessian of the Lagrangian in x and s, row by row.
    fn hessian(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &InteriorPointState,
    ) -> Option<Vec<f64>> {
        let n = at.point.len();
        let total = n + state.slacks.len();
        let dense = problem.hessian(&at.point)?.dense();
        let weights: Vec<f64> = state.multipliers.iter().map(|y| -y).collect();
        let mut matrix = vec![0.0; total * total];
        let (mut unit, mut column) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        for j in 0..n {
            unit[j] = T::ONE;
            column.fill(T::ZERO);
            self.constraints.add_products(&at.point, &weights, &unit, &mut column);
            unit[j] = T::ZERO;
            for i in 0..n {
                matrix[i * total + j] = state.scale * dense[j * n + i].to_f64() + column[i].to_f64();
            }
        }
        // Differences of gradients are not quite symmetric.
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (matrix[i * total + j] + matrix[j * total + i]);
                matrix[i * total + j] = mean;
                matrix[j * total + i] = mean;
            }
        }
        Some(matrix)
    }

    fn newton_step(
        &self,
        local: &Local,
        hessian: &[f64],
        state: &mut InteriorPointState,
    ) -> Option<NewtonStep> {
        let (n, m, mu) = (local.w.len(), local.c.len(), state.barrier);
        let size = n + m;
        let mut base = vec![0.0; size * size];
        let mut rhs = vec![0.0; size];
        for i in 0..n {
            base[i * size..i * size + n].copy_from_slice(&hessian[i * n..(i + 1) * n]);
            rhs[i] = -local.gradient[i];
            let (below, above) = (local.w[i] - local.low[i], local.high[i] - local.w[i]);
            if below.is_finite() {
                base[i * size + i] += state.lower[i] / below;
                rhs[i] += mu / below;
            }
            if above.is_finite() {
                base[i * size + i] += state.upper[i] / above;
                rhs[i] -= mu / above;
            }
        }
        for (k, row) in local.jacobian.iter().enumerate() {
            for i in 0..n {
                base[i * size + n + k] = row[i];
                base[(n + k) * size + i] = row[i];
            }
            rhs[n + k] = -local.c[k];
        }
        // The unknowns are dw and −y: the new multipliers come out whole.
        let largest = hessian.iter().fold(1.0f64, |m, h| m.max(h.abs()));
        let (mut shift, mut relax) = (0.0, 0.0);
        for _ in 0..40 {
            let mut matrix = base.clone();
            for i in 0..n {
                matrix[i * size + i] += shift;
            }
            for k in n..size {
                matrix[k * size + k] -= relax;
            }
            let factor = Ldl::new(&matrix, size)?;
            let (positive, _, zero) = factor.inertia();
            if positive == n && zero == 0 {
                state.shift = shift;
                let solved = factor.solve(&rhs);
                return vector::all_finite(&solved).then(|| Self::unpack(local, state, &solved));
            }
            if zero > 0 {
                relax = 1e-8 * largest;
            }
            shift = match shift {
                0.0 if state.shift > 0.0 => state.shift / 3.0,
                0.0 => 1e-4 * largest,
                s => 8.0 * s,
            };
        }
        None
    }

    fn unpack(local: &Local, state: &InteriorPointState, solved: &[f64]) -> NewtonStep {
        let (n, mu) = (local.w.len(), state.barrier);
        let w = solved[..n].to_vec();
        let mut step = NewtonStep {
            multipliers: solved[n..]
                .iter()
                .zip(&state.multipliers)
                .map(|(minus_y, y)| -minus_y - y)
                .collect(),
            lower: vec![0.0; n],
            upper: vec![0.0; n],
            w,
        };
        for i in 0..n {
            let (below, above) = (local.w[i] - local.low[i], local.high[i] - local.w[i]);
            if below.is_finite() {
                step.lower[i] = (mu - state.lower[i] * step.w[i]) / below - state.lower[i];
            }
            if above.is_finite() {
                step.upper[i] = (mu + state.upper[i] * step.w[i]) / above - state.upper[i];
            }
        }
        step
    }

    /// φ_μ = f − μ Σ ln(distance from the bounds).
    fn barrier_function(value: f64, w: &[f64], local: &Local, state: &InteriorPointState) -> f64 {
        let mut sum = state.scale * value;
        for i in 0..w.len() {
            for distance in [w[i] - local.low[i], local.high[i] - w[i]] {
                if distance.is_finite() {
                    sum -= state.barrier * distance.ln();
                }
            }
        }
        sum
    }
}

/// The largest step in (0, 1] that keeps a fraction of the distance from the bounds.
fn to_boundary(local: &Local, step: &[f64], keep: f64) -> f64 {
    let mut alpha: f64 = 1.0;
    for i in 0..step.len() {
        if step[i] < 0.0 {
            alpha = alpha.min(-keep * (local.w[i] - local.low[i]) / step[i]);
        } else if step[i] > 0.0 {
            alpha = alpha.min(keep * (local.high[i] - local.w[i]) / step[i]);
        }
    }
    alpha
}

fn to_zero(z: &[f64], step: &[f64], keep: f64) -> f64 {
    z.iter().zip(step).fold(1.0, |alpha: f64, (z, d)| if *d < 0.0 { alpha.min(-keep * z / d) } else { alpha })
}

impl<T: Float> Method<T> for InteriorPoint<'_, T> {
    type State = InteriorPointState;
    const KEEPS_BEST: bool = false;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        self.constraints.check(at.point.len())?;
        MinimizeError::require("initial_barrier", self.initial_barrier, "positive", |b| {
            b > 0.0 && b.is_finite()
        })?;
        if problem.hessian(&at.point).is_none() {
            return Err(MinimizeError::Missing { method: "InteriorPoint", what: "a Hessian" });
        }
        let (low, high) = self.constraints.bounds().to_f64();
        let mut moved = false;
        for (i, x) in at.point.iter_mut().enumerate() {
            if low[i] == high[i] {
                return Err(MinimizeError::InconsistentBounds { index: i, lower: low[i], upper: high[i] });
            }
            let inside = T::from_f64(into_interior(x.to_f64(), low[i], high[i]));
            moved |= inside != *x;
            *x = inside;
        }
        if moved {
            *at = Iterate::at(problem, std::mem::take(&mut at.point));
        }
        let values = self.constraints.values(&at.point);
        let slacks: Vec<f64> = values[self.constraints.equalities()..]
            .iter()
            .map(|c| into_interior(*c, 0.0, f64::INFINITY))
            .collect();
        let norm = vector::norm_inf(&at.gradient);
        let total = at.point.len() + slacks.len();
        let mut state = InteriorPointState {
            scale: if norm > 0.0 { 10.0 / norm } else { 1.0 },
            barrier: self.initial_barrier,
            slacks,
            multipliers: vec![0.0; values.len()],
            lower: vec![0.0; total],
            upper: vec![0.0; total],
            filter: Vec::new(),
            shift: 0.0,
            max_violation: f64::INFINITY,
            residual: f64::INFINITY,
            violation: f64::INFINITY,
        };
        let local = self.local(at, &state);
        for i in 0..total {
            state.lower[i] = f64::from(u8::from(local.low[i].is_finite()));
            state.upper[i] = f64::from(u8::from(local.high[i].is_finite()));
        }
        state.multipliers = least_squares_multipliers(&local, &state);
        state.max_violation = 1e4 * vector::norm_1(&local.c).max(1.0);
        self.judge(at, &mut state);
        Ok(state)
    }

    fn optimality(&self, _: &Iterate<T>, state: &Self::State) -> f64 {
        state.residual
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let local = self.local(at, state);
        // Barrier problems are solved ever more accurately; several may be solved already.
        let least = 0.1 * self.stopping.gradient_tolerance * state.scale.min(1.0);
        while state.barrier > least && self.errors(&local, state, state.barrier).0 <= 10.0 * state.barrier {
            state.barrier = (0.2 * state.barrier).min(state.barrier.powf(1.5)).max(least);
            state.filter.clear();
        }
        let hessian = self.hessian(problem, at, state).ok_or(Reason::NonFinite)?;
        let Some(step) = self.newton_step(&local, &hessian, state) else {
            return self.restore(problem, at, state, &local);
        };
        let keep = (1.0 - state.barrier).max(0.99);
        let most = to_boundary(&local, &step.w, keep);
        match self.search(problem, at, state, &local, &step, most) {
            Some(length) => {
                let alpha =
                    to_zero(&state.lower, &step.lower, keep).min(to_zero(&state.upper, &step.upper, keep));
                vector::axpy(alpha, &step.lower, &mut state.lower);
                vector::axpy(alpha, &step.upper, &mut state.upper);
                self.judge(at, state);
                Ok(length)
            }
            None => self.restore(problem, at, state, &local),
        }
    }

    fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
        let n = outcome.point.len();
        let unscaled = |m: &[f64]| -> Vec<f64> { m.iter().map(|m| m / state.scale).collect() };
        let equalities = self.constraints.equalities();
        outcome.multipliers = Some(Multipliers {
            equalities: unscaled(&state.multipliers[..equalities]),
            inequalities: unscaled(&state.multipliers[equalities..]),
            lower: unscaled(&state.lower[..n]),
            upper: unscaled(&state.upper[..n]),
            violation: state.violation,
            kkt_residual: state.residual,
        });
    }
}

impl<T: Float> InteriorPoint<'_, T> {
    fn judge(&self, at: &Iterate<T>, state: &mut InteriorPointState) {
        state.residual = self.errors(&self.local(at, state), state, 0.0).1;
        state.violation = self.constraints.violation(&at.point);
    }

    /// Backtracks until violation or barrier function improve on the filter; moves x, s and the multipliers.
    fn search(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
        step: &NewtonStep,
        most: f64,
    ) -> Option<f64> {
        let n = at.point.len();
        let theta = vector::norm_1(&local.c);
        let phi = Self::barrier_function(at.value, &local.w, local, state);
        let mut slope = dot(&local.gradient, &step.w);
        for i in 0..local.w.len() {
            slope -= state.barrier * step.w[i] / (local.w[i] - local.low[i]);
            slope += state.barrier * step.w[i] / (local.high[i] - local.w[i]);
        }
        let noise = 10.0 * T::EPSILON.to_f64() * phi.abs();
        let mut alpha = most;
        for _ in 0..40 {
            let mut w = local.w.clone();
            vector::axpy(alpha, &step.w, &mut w);
            let mut point = at.point.clone();
            vector::from_f64(&w[..n], &mut point);
            let value = problem.value(&point);
            let c = self.residuals(&point, &w[n..]);
            let theta_new = vector::norm_1(&c);
            let phi_new = Self::barrier_function(value, &w, local, state);
            let finite = theta_new.is_finite() && phi_new.is_finite();
            let in_filter =
                |(t, p): &(f64, f64)| theta_new >= (1.0 - 1e-5) * t && phi_new >= p - 1e-5 * t + noise;
            // Where the violation is small and φ falls steeply enough, φ must fall sufficiently.
            let by_phi = slope < 0.0
                && theta <= 1e-4 * state.max_violation
                && alpha * (-slope).powf(2.3) > theta.powf(1.1);
            let acceptable = if by_phi {
                phi_new <= phi + 1e-4 * alpha * slope + noise
            } else {
                theta_new <= (1.0 - 1e-5) * theta || phi_new <= phi - 1e-5 * theta + noise
            };
            if finite && theta_new <= state.max_violation && acceptable && !state.filter.iter().any(in_filter)
            {
                let mut gradient = vec![T::ZERO; n];
                problem.gradient(&point, &mut gradient);
                if vector::all_finite(&gradient) {
                    if !by_phi {
                        state.filter.push(((1.0 - 1e-5) * theta, phi - 1e-5 * theta));
                    }
                    state.slacks = w[n..].to_vec();
                    vector::axpy(alpha, &step.multipliers, &mut state.multipliers);
                    *at = Iterate { point, value, gradient };
                    return Some(alpha * vector::norm(&step.w[..n]));
                }
            }
            alpha *= 0.5;
        }
        None
    }

    /// A damped Gauss–Newton step on ½‖c‖² inside the bounds, where Newton's step leads nowhere.
    fn restore(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
    ) -> Result<f64, Reason> {
        let (n, m, total) = (at.point.len(), local.c.len(), local.w.len());
        let before = vector::norm(&local.c);
        if before <= self.stopping.gradient_tolerance {
            return Err(Reason::Stalled);
        }
        let size = local.jacobian.iter().fold(0.0f64, |s, row| s.max(vector::norm_inf(row)));
        let mut damping = 1e-4 * size.max(f64::MIN_POSITIVE);
        for _ in 0..20 {
            let mut stacked: Vec<f64> = local.jacobian.concat();
            stacked.resize((m + total) * total, 0.0);
            for i in 0..total {
                // Variables near a bound move less.
                let distance = (local.w[i] - local.low[i]).min(local.high[i] - local.w[i]).min(1.0);
                stacked[(m + i) * total + i] = damping / distance.max(1e-12);
            }
            let mut rhs: Vec<f64> = local.c.iter().map(|c| -c).collect();
            rhs.resize(m + total, 0.0);
            let factor = qr(stacked, m + total, total, rhs);
            let step = factor.solve(&factor.rhs);
            let alpha = to_boundary(local, &step, 0.99);
            let mut w = local.w.clone();
            vector::axpy(alpha, &step, &mut w);
            let mut point = at.point.clone();
            vector::from_f64(&w[..n], &mut point);
            let after = vector::norm(&self.residuals(&point, &w[n..]));
            if after < (1.0 - 1e-6) * before {
                let next = Iterate::at(problem, point);
                if next.is_finite() {
                    *at = next;
                    state.slacks = w[n..].to_vec();
                    state.filter.clear();
                    let local = self.local(at, state);
                    state.multipliers = least_squares_multipliers(&local, state);
                    self.judge(at, state);
                    return Ok(alpha * vector::norm(&step[..n]));
                }
            }
            damping *= 8.0;
        }
        Err(Reason::Infeasible)
    }
}

/// A value well inside its bounds (section 3.6 of the paper).
fn into_interior(x: f64, low: f64, high: f64) -> f64 {
    let width = 1e-2 * (high - low);
    let below = low + (1e-2 * low.abs().max(1.0)).min(width);
    let above = high - (1e-2 * high.abs().max(1.0)).min(width);
    match (low.is_finite(), high.is_finite()) {
        (true, true) => x.max(below).min(above),
        (true, false) => x.max(low + 1e-2 * low.abs().max(1.0)),
        (false, true) => x.min(high - 1e-2 * high.abs().max(1.0)),
        (false, false) => x,
    }
}

/// The y that comes nearest to stationarity, unless it is huge.
fn least_squares_multipliers(local: &Local, state: &InteriorPointState) -> Vec<f64> {
    let (n, m) = (local.w.len(), local.c.len());
    if m == 0 || m > n {
        return vec![0.0; m];
    }
    let target: Vec<f64> = (0..n).map(|i| local.gradient[i] - state.lower[i] + state.upper[i]).collect();
    let mut transposed = vec![0.0; n * m];
    for (k, row) in local.jacobian.iter().enumerate() {
        for i in 0..n {
            transposed[i * m + k] = row[i];
        }
    }
    let factor = qr(transposed, n, m, target);
    let y = if factor.is_full_rank() { factor.solve(&factor.rhs) } else { vec![0.0; m] };
    if vector::norm_inf(&y) <= 1e3 { y } else { vec![0.0; m] }
}

impl<T: Float> Method<T> for KktNewton<'_, T> {
    type State = InteriorPointState;
    const KEEPS_BEST: bool = false;

    fn stopping(&self) -> &Stopping {
        &self.0.stopping
    }
    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        if self.0.constraints.inequalities() > 0 || self.0.constraints.bounds().any() {
            return Err(MinimizeError::Missing {
                method: "KktNewton",
                what: "a problem with equalities alone",
            });
        }
        self.0.begin(problem, at)
    }
    fn optimality(&self, at: &Iterate<T>, state: &Self::State) -> f64 {
        self.0.optimality(at, state)
    }
    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        self.0.advance(problem, at, state)
    }
    fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
        self.0.finish(state, outcome);
    }
}
