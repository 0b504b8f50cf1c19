//! Derivatives in a direction by differences of many steps, and what they say of a rule.

use crate::check::Function;
use crate::check::estimate::{COLUMNS, Estimate};
use crate::transform::jvp;
use crate::var::Var;

/// The longest step, as a part of the direction; the next is a quarter of it.
const LONGEST: f64 = 0.064;
/// Steps to try, down to 4·10⁻⁹ of the direction.
const STEPS: usize = 13;

/// What differences say of one element of the derivative.
pub(super) struct Judgement {
    /// The rule's.
    pub(super) found: f64,
    /// The differences'.
    pub(super) expected: f64,
    /// How large the function is.
    pub(super) size: f64,
    /// Whether the two agree.
    pub(super) right: bool,
    /// Whether there is more than rounding errors.
    pub(super) seen: bool,
}

impl Judgement {
    /// A weight with which the element counts as much as others. What are only rounding errors counts for nothing.
    pub(super) fn weight(&self) -> f64 {
        let size = self.found.abs().max(1e-4 * self.size);
        match (self.seen, size) {
            (false, _) => 0.0,
            // Products with its reciprocal would overflow.
            (true, ..1e-250) => 1.0,
            (true, _) => size.recip(),
        }
    }
}

/// Judges every element of the derivative of `f` in a direction.
pub(super) fn judge(f: Function, point: &[Var<f64>], direction: &[Var<f64>]) -> Vec<Judgement> {
    let (value, tangent) = jvp(|x: &Vec<Var<f64>>| f(x), &point.to_vec(), &direction.to_vec());
    let pairs = value.value().to_vec().into_iter().zip(tangent.value().to_vec());
    let mut estimates: Vec<Estimate> = pairs.map(|(value, found)| Estimate::new(value, found)).collect();
    let moved = |t: f64| -> Vec<f64> {
        let x: Vec<Var<f64>> = point.iter().zip(direction).map(|(x, d)| x + d * t).collect();
        f(&x).value().to_vec()
    };
    let step = |estimates: &mut [Estimate], h: f64| {
        let pairs = moved(h).into_iter().zip(moved(-h));
        estimates.iter_mut().zip(pairs).for_each(|(estimate, pair)| estimate.take(h, pair));
    };
    let mut h = LONGEST;
    for _ in 0..STEPS {
        step(&mut estimates, h);
        if estimates.iter().all(Estimate::is_good) {
            break;
        }
        h *= 0.25;
    }
    // What is so small beside its function that a part of it changes nothing moves by more, up to a part of 1.
    let largest = direction.iter().flat_map(|d| d.value().to_vec()).fold(0.0, |m: f64, d| m.max(d.abs()));
    let mut scale = 256.0;
    while estimates.iter().any(Estimate::is_blind) && scale * largest < 1.0 {
        estimates.iter_mut().for_each(Estimate::go_farther);
        for k in 0..COLUMNS {
            step(&mut estimates, LONGEST * scale * 0.25f64.powi(k as i32));
        }
        scale *= 256.0;
    }
    estimates.iter().map(Estimate::judgement).collect()
}
