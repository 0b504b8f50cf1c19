//! The KKT system: its residual and its Newton step.

use super::{InteriorPoint, InteriorPointState, Local, NewtonStep};
use crate::linear::dense::{Ldl, qr};
use crate::objective::{Counted, Objective};
use crate::second::Iterate;
use crate::vector::{self, Float};

impl<T: Float> InteriorPoint<'_, T> {
    pub(super) fn local(&self, at: &Iterate<T>, state: &InteriorPointState) -> Local {
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

    pub(super) fn residuals(&self, x: &[T], slacks: &[f64]) -> Vec<f64> {
        let mut c = self.constraints.values(x);
        for (c, s) in c.iter_mut().skip(self.constraints.equalities()).zip(slacks) {
            *c -= s;
        }
        c
    }

    /// The largest residual of the conditions with complementarity `barrier`, in the scaled problem; and with f as it is.
    pub(super) fn errors(&self, local: &Local, state: &InteriorPointState, barrier: f64) -> (f64, f64) {
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
    pub(super) fn hessian(
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

    pub(super) fn newton_step(
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

    pub(super) fn unpack(local: &Local, state: &InteriorPointState, solved: &[f64]) -> NewtonStep {
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

    pub(super) fn judge(&self, at: &Iterate<T>, state: &mut InteriorPointState) {
        state.residual = self.errors(&self.local(at, state), state, 0.0).1;
        state.violation = self.constraints.violation(&at.point);
    }
}

/// The y that comes nearest to stationarity, unless it is huge.
pub(super) fn least_squares_multipliers(local: &Local, state: &InteriorPointState) -> Vec<f64> {
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
