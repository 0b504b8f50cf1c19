//! How far a point is from a solution, in units that do not depend on how a constraint was written.

use serde::{Deserialize, Serialize};

use super::constraints::{Constraints, ConstraintsAt};
use super::nonnegative::nonnegative_least_squares;
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::outcome::Multipliers;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// The size of each constraint: ‖∇cᵢ‖∞ at the start, but at least a hundredth of |cᵢ| there. Methods work on cᵢ over its size
/// (Wächter and Biegler, 2006, section 3.8).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sizes(Vec<f64>);

impl Sizes {
    pub(super) fn new(start: &ConstraintsAt) -> Self {
        let one = |(i, value): (usize, &f64)| {
            let slope = start.gradients.get(i).map_or(0.0, |g| vector::norm_inf(g));
            let size = slope.max(1e-2 * value.abs());
            if size.is_finite() && size > 0.0 { size.clamp(1e-100, 1e100) } else { 1.0 }
        };
        Self(start.values.iter().enumerate().map(one).collect())
    }

    /// Refuses sizes from a checkpoint that are not those of so many constraints.
    pub(super) fn check(&self, count: usize) -> Result<(), MinimizeError> {
        Field("sizes").vector(&self.0, count)?;
        self.0.iter().try_for_each(|&size| Field("sizes").positive(size))
    }

    pub(super) fn get(&self, i: usize) -> f64 {
        self.0[i]
    }

    /// The violation of each constraint over its size.
    pub(super) fn shortfalls<T: Float>(&self, constraints: &Constraints<'_, T>, values: &[f64]) -> Vec<f64> {
        constraints.shortfalls(values).iter().zip(&self.0).map(|(v, size)| v / size).collect()
    }

    /// `violation` with constraints of a size below 1 scaled up to 1: what the test of convergence looks at.
    pub(super) fn tested<T: Float>(
        &self,
        constraints: &Constraints<'_, T>,
        values: &[f64],
        violation: f64,
    ) -> f64 {
        let scaled = constraints.shortfalls(values).into_iter().zip(&self.0);
        let mut all: Vec<f64> = scaled.map(|(v, size)| v / size.min(1.0)).collect();
        all.push(violation);
        vector::norm_inf(&all)
    }
}

/// Refuses multipliers from a checkpoint that are not those of these constraints.
pub(super) fn check_multipliers<T: Float>(
    multipliers: &Multipliers,
    constraints: &Constraints<'_, T>,
    dimension: usize,
) -> Result<(), MinimizeError> {
    Field("multipliers.equalities").vector(&multipliers.equalities, constraints.equalities())?;
    Field("multipliers.inequalities").vector(&multipliers.inequalities, constraints.inequalities())?;
    Field("multipliers.lower").vector(&multipliers.lower, dimension)?;
    Field("multipliers.upper").vector(&multipliers.upper, dimension)?;
    Field("multipliers.violation").non_negative(multipliers.violation)?;
    Field("multipliers.kkt_residual").non_negative(multipliers.kkt_residual)
}

/// Completes `multipliers` by violation and KKT residual; returns the norm for the test of convergence, NaN where anything
/// is not finite. Where they fail the test at a point that satisfies the constraints, those that come nearest to passing are
/// tried: a method's own may grow without limit where constraints that hold are dependent.
pub(super) fn judge<T: Float>(
    constraints: &Constraints<'_, T>,
    sizes: &Sizes,
    at: &Iterate<T>,
    found: &ConstraintsAt,
    multipliers: &mut Multipliers,
    tolerance: f64,
) -> f64 {
    let norm = residual(constraints, sizes, at, found, multipliers);
    let open =
        norm > tolerance && sizes.tested(constraints, &found.values, multipliers.violation) <= tolerance;
    if open && let Some(mut nearest) = nearest_multipliers(constraints, sizes, at, found, tolerance) {
        let other = residual(constraints, sizes, at, found, &mut nearest);
        if other <= tolerance {
            *multipliers = nearest;
            return other;
        }
    }
    norm
}

/// The multipliers of the equalities, and of what is within `tolerance` of holding, nearest to stationarity. `None` for problems
/// too large to look at as a whole.
fn nearest_multipliers<T: Float>(
    constraints: &Constraints<'_, T>,
    sizes: &Sizes,
    at: &Iterate<T>,
    found: &ConstraintsAt,
    tolerance: f64,
) -> Option<Multipliers> {
    let n = at.point.len();
    let equalities = constraints.equalities();
    // Columns of the least squares problem, with what they are: a constraint or a bound, by number, and a sign.
    let mut columns: Vec<(usize, f64)> = Vec::new();
    for (i, value) in found.values.iter().enumerate() {
        if i < equalities {
            columns.extend([(i, 1.0), (i, -1.0)]);
        } else if value / sizes.get(i) <= tolerance {
            columns.push((i, 1.0));
        }
    }
    let first = found.values.len();
    let bounds = constraints.bounds();
    for (i, x) in at.point.iter().enumerate() {
        if x.to_f64() - bounds.lower()[i].to_f64() <= tolerance {
            columns.push((first + i, 1.0));
        }
        if bounds.upper()[i].to_f64() - x.to_f64() <= tolerance {
            columns.push((first + i, -1.0));
        }
    }
    if columns.len() * n > 100_000 {
        return None;
    }
    let vectors: Vec<Vec<f64>> = columns
        .iter()
        .map(|&(i, sign)| {
            let mut column = vec![0.0; n];
            if i < first {
                vector::axpy(sign / sizes.get(i), &found.gradients[i], &mut column);
            } else {
                column[i - first] = sign;
            }
            column
        })
        .collect();
    let found_z = nonnegative_least_squares(&vectors, &vector::to_f64(&at.gradient));
    let mut y = vec![0.0; first];
    let (mut lower, mut upper) = (vec![0.0; n], vec![0.0; n]);
    for (&(i, sign), z) in columns.iter().zip(found_z) {
        if i < first {
            y[i] += sign * z / sizes.get(i);
        } else if sign > 0.0 {
            lower[i - first] = z;
        } else {
            upper[i - first] = z;
        }
    }
    let (equal, rest) = y.split_at(equalities);
    let (equalities, inequalities) = (equal.to_vec(), rest.to_vec());
    Some(Multipliers { equalities, inequalities, lower, upper, ..Multipliers::default() })
}

/// As [`judge`], for these multipliers alone.
fn residual<T: Float>(
    constraints: &Constraints<'_, T>,
    sizes: &Sizes,
    at: &Iterate<T>,
    found: &ConstraintsAt,
    multipliers: &mut Multipliers,
) -> f64 {
    let Multipliers { equalities, inequalities, lower, upper, violation, kkt_residual } = multipliers;
    *violation = constraints.violation(&at.point, &found.values);
    if !found.is_finite() || !at.is_finite() {
        *kkt_residual = f64::NAN;
        return f64::NAN;
    }
    let mut dual = reduced_gradient(&at.gradient, found, equalities.iter().chain(&*inequalities));
    let bounds = constraints.bounds();
    let mut complementarity: Vec<f64> = Vec::new();
    for (i, dual) in dual.iter_mut().enumerate() {
        *dual += upper[i] - lower[i];
        let (x, low, high) = (at.point[i].to_f64(), bounds.lower()[i].to_f64(), bounds.upper()[i].to_f64());
        complementarity.push(product_of_one_side(x - low, lower[i]));
        complementarity.push(product_of_one_side(high - x, upper[i]));
    }
    let first = constraints.equalities();
    for (i, lambda) in inequalities.iter().enumerate() {
        let size = sizes.get(first + i);
        complementarity.push(product_of_one_side(found.values[first + i] / size, lambda * size));
    }
    let rest = vector::norm_inf(&[vector::norm_inf(&dual), vector::norm_inf(&complementarity)]);
    *kkt_residual = vector::norm_inf(&[rest, *violation]);
    let norm = vector::norm_inf(&[rest, sizes.tested(constraints, &found.values, *violation)]);
    if norm.is_finite() { norm } else { f64::NAN }
}

/// ∇f − Jᵀy.
pub(super) fn reduced_gradient<'y, T: Float>(
    gradient: &[T],
    found: &ConstraintsAt,
    y: impl Iterator<Item = &'y f64>,
) -> Vec<f64> {
    let mut reduced = vector::to_f64(gradient);
    for (y, row) in y.zip(&found.gradients) {
        vector::axpy(-y, row, &mut reduced);
    }
    reduced
}

/// How far a distance d and its multiplier z are from d ≥ 0, z ≥ 0, d z = 0: min(|d|, z, |d| z), or −z below 0. The least of
/// them, since the product alone stays large for a large z however near the bound, and the distance for one that is nearly 0.
fn product_of_one_side(distance: f64, z: f64) -> f64 {
    if z == 0.0 || z.is_nan() {
        return z;
    }
    let distance = distance.abs();
    if z < 0.0 || distance.is_nan() { -z * distance.signum() } else { distance.min(z).min(distance * z) }
}
