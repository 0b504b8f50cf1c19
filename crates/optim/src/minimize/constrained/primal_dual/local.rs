//! The problem at a point, as the interior point method sees it: scaled, with slacks.

use super::{InteriorPoint, InteriorPointState};
use crate::minimize::constrained::constraints::ConstraintsAt;
use crate::minimize::constrained::kkt::judge;
use crate::minimize::outcome::Multipliers;
use crate::minimize::rounding;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// f, c and derivatives at a point, with the slacks.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// x and s.
    pub(super) w: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    /// c_E and c_I − s.
    pub(super) c: Vec<f64>,
    /// The Jacobian of c by rows.
    pub(super) jacobian: Vec<Vec<f64>>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    /// Variables that their bounds fix: they have no bounds and no derivatives here, and so do not move.
    pub(super) fixed: Vec<usize>,
    /// The constraints as they are.
    pub(super) found: ConstraintsAt,
}

/// Below this width, in units of the rounding of their size, bounds fix their variable: there is no inside to walk through.
const NO_WIDTH: f64 = 1e4;

/// Whether bounds leave no room for steps in the precision of `T`.
pub(super) fn fixes<T: Float>(low: f64, high: f64) -> bool {
    let width = high - low;
    width.is_finite() && width <= rounding::of::<T>(NO_WIDTH, low.abs().max(high.abs()))
}

impl<T: Float> InteriorPoint<'_, T> {
    pub(super) fn local(&self, at: &Iterate<T>, found: ConstraintsAt, state: &InteriorPointState) -> Local {
        let (n, slacks) = (at.point.len(), state.slacks.len());
        let mut w = vector::to_f64(&at.point);
        w.extend(&state.slacks);
        let mut gradient: Vec<f64> = at.gradient.iter().map(|g| state.scale * g.to_f64()).collect();
        gradient.resize(n + slacks, 0.0);
        let c = self.residuals(&found.values, state, &state.slacks);
        let equalities = self.constraints.equalities();
        let rows = found.gradients.iter().enumerate().map(|(i, g)| {
            let mut row: Vec<f64> = g.iter().map(|g| state.factor(i) * g).collect();
            row.resize(n + slacks, 0.0);
            if i >= equalities {
                row[n + i - equalities] = -1.0;
            }
            row
        });
        let mut jacobian: Vec<Vec<f64>> = rows.collect();
        let (mut low, mut high) = self.constraints.bounds().to_f64();
        let fixed: Vec<usize> = (0..n).filter(|&i| fixes::<T>(low[i], high[i])).collect();
        for &i in &fixed {
            (low[i], high[i], gradient[i]) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
            jacobian.iter_mut().for_each(|row| row[i] = 0.0);
        }
        low.resize(n + slacks, 0.0);
        high.resize(n + slacks, f64::INFINITY);
        Local { w, gradient, c, jacobian, low, high, fixed, found }
    }

    /// c_E and c_I − s, scaled.
    pub(super) fn residuals(&self, values: &[f64], state: &InteriorPointState, slacks: &[f64]) -> Vec<f64> {
        let mut c: Vec<f64> = values.iter().enumerate().map(|(i, c)| state.factor(i) * c).collect();
        for (c, s) in c.iter_mut().skip(self.constraints.equalities()).zip(slacks) {
            *c -= s;
        }
        c
    }

    /// The largest residual of the scaled problem's conditions with complementarity `barrier`.
    pub(super) fn error(&self, local: &Local, state: &InteriorPointState, barrier: f64) -> f64 {
        let mut dual = local.gradient.clone();
        for (y, row) in state.multipliers.iter().zip(&local.jacobian) {
            vector::axpy(-y, row, &mut dual);
        }
        let mut complementarity = Vec::new();
        for i in 0..local.w.len() {
            dual[i] += state.upper[i] - state.lower[i];
            let sides =
                [(local.w[i] - local.low[i], state.lower[i]), (local.high[i] - local.w[i], state.upper[i])];
            let products = sides.into_iter().filter(|(room, _)| room.is_finite());
            complementarity.extend(products.map(|(room, z)| room * z - barrier));
        }
        let parts = [&dual, &local.c, &complementarity];
        vector::norm_inf(&parts.map(|part| vector::norm_inf(part)))
    }

    /// Notes multipliers and KKT residual of the problem as it is.
    pub(super) fn judge(&self, at: &Iterate<T>, local: &Local, state: &mut InteriorPointState) {
        let n = at.point.len();
        let equalities = self.constraints.equalities();
        let y: Vec<f64> = (0..state.multipliers.len())
            .map(|i| state.multipliers[i] * state.factor(i) / state.scale)
            .map(|y| if y.is_finite() { y } else { 0.0 })
            .collect();
        let unscaled = |z: &[f64]| -> Vec<f64> { z[..n].iter().map(|z| z / state.scale).collect() };
        let mut multipliers = Multipliers {
            equalities: y[..equalities].to_vec(),
            inequalities: y[equalities..].iter().map(|y| y.max(0.0)).collect(),
            lower: unscaled(&state.lower),
            upper: unscaled(&state.upper),
            ..Multipliers::default()
        };
        for &i in &local.fixed {
            let signed = multipliers.equalities.iter().chain(&multipliers.inequalities);
            let carried: f64 = signed.zip(&local.found.gradients).map(|(y, row)| y * row[i]).sum();
            let slope = at.gradient[i].to_f64() - carried;
            (multipliers.lower[i], multipliers.upper[i]) =
                if slope > 0.0 { (slope, 0.0) } else { (0.0, -slope) };
        }
        let tolerance = self.stopping.gradient_tolerance;
        state.norm = judge(self.constraints, &state.sizes, at, &local.found, &mut multipliers, tolerance);
        state.reported = multipliers;
    }
}
