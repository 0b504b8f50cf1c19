//! OWL-QN.

use super::proximal::{add_l1, check_weight};
use crate::minimize::error::MinimizeError;
use crate::minimize::linear::CurvaturePairs;
use crate::minimize::method::Method;
use crate::minimize::noise::Noise;
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float, dot};

/// OWL-QN (Andrew and Gao, 2007): L-BFGS for f(x) + λ‖x‖₁, orthant by orthant: solutions have exact zeros.
///
/// The outcome's value includes the L1 term; its gradient is that of f alone.
///
/// ```
/// use wengert_optim::constrained::OwlQn;
/// use wengert_optim::{Method, Problem};
///
/// let f = Problem::new(2, |x: &[f64]| 0.5 * ((x[0] - 3.0).powi(2) + (x[1] - 0.5).powi(2)))
///     .with_gradient(|x, g| { g[0] = x[0] - 3.0; g[1] = x[1] - 0.5; });
/// let outcome = OwlQn::new(1.0).minimize(&f, &[1.0, 1.0])?;
/// assert!(outcome.converged() && outcome.point[1] == 0.0 && (outcome.point[0] - 2.0).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OwlQn {
    /// λ ≥ 0.
    pub lambda: f64,
    /// Pairs remembered; 10.
    pub history: usize,
    /// When to stop; the norm is that of the least subgradient.
    pub stopping: Stopping,
}

impl OwlQn {
    /// With default settings.
    pub fn new(lambda: f64) -> Self {
        Self { lambda, history: 10, stopping: Stopping::default() }
    }

    /// The subgradient of least length.
    fn subgradient<T: Float>(&self, at: &Iterate<T>) -> Vec<T> {
        let lambda = T::from_f64(self.lambda);
        let one = |(&x, &g): (&T, &T)| {
            if x > T::ZERO || (x == T::ZERO && g < -lambda) {
                g + lambda
            } else if x < T::ZERO || g > lambda {
                g - lambda
            } else if g.is_nan() {
                g
            } else {
                T::ZERO
            }
        };
        // At x = 0 with g < −λ the function falls to the right, where its slope is g + λ; with g > λ to the left.
        at.point.iter().zip(&at.gradient).map(one).collect()
    }
}

impl<T: Float> Method<T> for OwlQn {
    type State = CurvaturePairs<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn check(&self, pairs: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        pairs.check(dimension)
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        check_weight::<T>(self.lambda)?;
        MinimizeError::at_least_one("history", Some(self.history as u64))
    }

    fn begin(&self, _: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        at.value = add_l1(at.value, self.lambda, &at.point);
        Ok(CurvaturePairs::new(at.point.len(), self.history))
    }

    fn optimality(&self, at: &Iterate<T>, _: &Self::State) -> f64 {
        vector::norm_inf(&self.subgradient(at))
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        pairs: &mut Self::State,
    ) -> Result<f64, Reason> {
        let slopes = self.subgradient(at);
        loop {
            let mut direction = slopes.clone();
            vector::scale(-1.0, &mut direction);
            let mut alpha = 1.0;
            if pairs.is_empty() {
                alpha = 1.0 / vector::norm(&direction);
            } else {
                pairs.apply_in_place(&mut direction);
                // Only where it agrees in sign with steepest descent.
                for (d, &s) in direction.iter_mut().zip(&slopes) {
                    if *d * s >= T::ZERO {
                        *d = T::ZERO;
                    }
                }
            }
            match self.search(problem, at, &slopes, &direction, alpha) {
                Ok(after) => {
                    let (mut step, mut change) = (direction, vec![T::ZERO; slopes.len()]);
                    vector::subtract(&after.point, &at.point, &mut step);
                    vector::subtract(&after.gradient, &at.gradient, &mut change);
                    pairs.push(&step, &change);
                    *at = after;
                    return Ok(vector::norm(&step));
                }
                Err(reason) if pairs.is_empty() || problem.exhausted() => return Err(reason),
                Err(_) => pairs.clear(),
            }
        }
    }
}

impl OwlQn {
    /// Backtracking along the path that stays in one orthant.
    fn search<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        slopes: &[T],
        direction: &[T],
        mut alpha: f64,
    ) -> Result<Iterate<T>, Reason> {
        let noise = Noise::of::<T>(at.value);
        let mut point = at.point.clone();
        let mut step = at.point.clone();
        let mut seen_finite = false;
        for _ in 0..60 {
            problem.granted()?;
            vector::add_scaled(&at.point, alpha, direction, &mut point);
            for ((p, &x), &s) in point.iter_mut().zip(&at.point).zip(slopes) {
                let orthant = if x == T::ZERO { -s } else { x };
                if *p * orthant <= T::ZERO {
                    *p = T::ZERO;
                }
            }
            vector::subtract(&point, &at.point, &mut step);
            let slope = dot(slopes, &step);
            if slope >= 0.0 {
                return Err(at.stuck(true, vector::norm_inf(slopes)));
            }
            let value = add_l1(problem.value(&point), self.lambda, &point);
            seen_finite |= value.is_finite();
            if value == f64::NEG_INFINITY {
                return Err(Reason::Unbounded);
            }
            let fell = value <= at.value + 1e-4 * slope;
            if fell || noise.drowns(value - at.value, slope) {
                let mut gradient = vec![T::ZERO; point.len()];
                problem.gradient(&point, &mut gradient);
                let next = Iterate { point, value, gradient };
                // Where the fall drowns in rounding, slopes must shrink, so that rounding errors cannot be followed for ever.
                let shrank = || vector::norm(&self.subgradient(&next)) < vector::norm(slopes);
                if vector::all_finite(&next.gradient) && (fell || shrank()) {
                    return Ok(next);
                }
                point = next.point;
            }
            alpha *= 0.5;
        }
        Err(at.stuck(seen_finite, vector::norm_inf(slopes)))
    }
}
