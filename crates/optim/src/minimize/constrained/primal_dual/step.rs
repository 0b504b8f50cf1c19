//! The KKT system and its Newton step.

use wengert_tensor::linalg::{Ldl, LinalgError, Qr};

use super::local::Local;
use super::{InteriorPoint, InteriorPointState, NewtonStep};
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// The KKT matrix K as D K D with rows and columns of largest element about 1, and the right-hand side of the Newton step.
pub(super) struct System {
    scaled: Vec<f64>,
    factor: Ldl<f64>,
    /// D.
    scale: Vec<f64>,
    rhs: Vec<f64>,
}

impl System {
    /// The Newton step.
    pub(super) fn step(&self, local: &Local, state: &InteriorPointState) -> Option<NewtonStep> {
        unpack(local, state, &self.solve(&self.rhs).ok()?)
    }

    /// The step with `c` in place of the constraints' values.
    pub(super) fn corrected(
        &self,
        local: &Local,
        state: &InteriorPointState,
        c: &[f64],
    ) -> Option<NewtonStep> {
        let n = local.w.len();
        let mut rhs = self.rhs.clone();
        rhs[n..].iter_mut().zip(c).for_each(|(r, c)| *r = -c);
        unpack(local, state, &self.solve(&rhs).ok()?)
    }

    /// K⁻¹ b, refined once.
    fn solve(&self, b: &[f64]) -> Result<Vec<f64>, LinalgError> {
        let size = b.len();
        let b: Vec<f64> = b.iter().zip(&self.scale).map(|(b, d)| b * d).collect();
        let mut x = self.factor.solve(&b)?;
        let mut rest = b;
        for (r, row) in rest.iter_mut().zip(self.scaled.chunks_exact(size)) {
            *r -= vector::dot(row, &x);
        }
        vector::axpy(1.0, &self.factor.solve(&rest)?, &mut x);
        Ok(x.iter().zip(&self.scale).map(|(x, d)| x * d).collect())
    }
}

/// D by three rounds of Ruiz's (2001): without, pivots that are merely small would pass for rounding beside those of variables at
/// their bounds.
fn equilibrate(matrix: &mut [f64], size: usize) -> Vec<f64> {
    let mut scale = vec![1.0; size];
    for _ in 0..3 {
        let factor = |row: &[f64]| {
            let largest = vector::norm_inf(row);
            if largest > 0.0 && largest.is_finite() { largest.sqrt().recip() } else { 1.0 }
        };
        let factors: Vec<f64> = matrix.chunks_exact(size).map(factor).collect();
        for (row, f) in matrix.chunks_exact_mut(size).zip(&factors) {
            row.iter_mut().zip(&factors).for_each(|(entry, g)| *entry *= f * g);
        }
        scale.iter_mut().zip(&factors).for_each(|(d, f)| *d *= f);
    }
    scale
}

impl<T: Float> InteriorPoint<'_, T> {
    /// The Hessian of the Lagrangian in x and s, row by row; the identity where it is not finite. `None` without a Hessian.
    pub(super) fn hessian(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        local: &Local,
        state: &InteriorPointState,
    ) -> Option<Vec<f64>> {
        let n = at.point.len();
        let total = local.w.len();
        let dense = problem.hessian(&at.point)?.dense();
        let weights: Vec<f64> =
            state.multipliers.iter().enumerate().map(|(i, y)| -y * state.factor(i)).collect();
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
        let finite = vector::all_finite(&matrix);
        // Differences of gradients are not quite symmetric.
        for i in 0..n {
            for j in 0..=i {
                let mean = 0.5 * (matrix[i * total + j] + matrix[j * total + i]);
                let entry = if finite { mean } else { f64::from(u8::from(i == j)) };
                matrix[i * total + j] = entry;
                matrix[j * total + i] = entry;
            }
        }
        for &i in &local.fixed {
            for j in 0..n {
                (matrix[i * total + j], matrix[j * total + i]) = (0.0, 0.0);
            }
            matrix[i * total + i] = 1.0;
        }
        Some(matrix)
    }

    /// Factors the KKT matrix, with the Hessian shifted until it is positive where the constraints leave it free.
    pub(super) fn system(
        &self,
        local: &Local,
        hessian: &[f64],
        state: &mut InteriorPointState,
    ) -> Option<System> {
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
        let scale = equilibrate(&mut base, size);
        let (mut shift, mut relax) = (0.0, 0.0);
        for _ in 0..40 {
            let mut scaled = base.clone();
            for i in 0..n {
                scaled[i * size + i] += shift * scale[i] * scale[i];
            }
            for k in n..size {
                scaled[k * size + k] -= relax;
            }
            let factor = Ldl::new(&scaled, size).ok()?;
            let (positive, _, zero) = factor.inertia();
            if positive == n && zero == 0 {
                state.shift = shift;
                return Some(System { scaled, factor, scale, rhs });
            }
            if zero > 0 {
                relax = 1e-8;
            }
            shift = match shift {
                0.0 if state.shift > 0.0 => state.shift / 3.0,
                0.0 => 1e-4 * largest,
                s => 8.0 * s,
            };
        }
        None
    }
}

fn unpack(local: &Local, state: &InteriorPointState, solved: &[f64]) -> Option<NewtonStep> {
    if !vector::all_finite(solved) {
        return None;
    }
    let (n, mu) = (local.w.len(), state.barrier);
    let w = solved[..n].to_vec();
    let multipliers = solved[n..].iter().zip(&state.multipliers).map(|(minus_y, y)| -minus_y - y).collect();
    let mut step = NewtonStep { multipliers, lower: vec![0.0; n], upper: vec![0.0; n], w };
    for i in 0..n {
        let (below, above) = (local.w[i] - local.low[i], local.high[i] - local.w[i]);
        if below.is_finite() {
            step.lower[i] = (mu - state.lower[i] * step.w[i]) / below - state.lower[i];
        }
        if above.is_finite() {
            step.upper[i] = (mu + state.upper[i] * step.w[i]) / above - state.upper[i];
        }
    }
    Some(step)
}

/// The y that comes nearest to stationarity, unless it is huge.
pub(super) fn least_squares_multipliers(local: &Local, state: &InteriorPointState) -> Vec<f64> {
    let (n, m) = (local.w.len(), local.c.len());
    if m == 0 || m > n || local.jacobian.is_empty() {
        return vec![0.0; m];
    }
    let target: Vec<f64> = (0..n).map(|i| local.gradient[i] - state.lower[i] + state.upper[i]).collect();
    let mut transposed = vec![0.0; n * m];
    for (k, row) in local.jacobian.iter().enumerate() {
        for i in 0..n {
            transposed[i * m + k] = row[i];
        }
    }
    let y = Qr::new(transposed, n, m).solve(&target).unwrap_or_else(|_| vec![0.0; m]);
    if vector::norm_inf(&y) <= 1e3 { y } else { vec![0.0; m] }
}
