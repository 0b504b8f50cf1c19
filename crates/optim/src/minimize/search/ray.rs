//! The line through a point of an objective.

use super::Line;
use crate::minimize::bounds::Bounds;
use crate::minimize::objective::{Curvatures, Objective};
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float};

/// How many times as long as the point, or 1, a step is that leads far away.
const FAR: f64 = 1e6;

/// φ(α) = f(x + α d) for an objective, remembering the last trial so that accepting it costs nothing more.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::search::{Line, Ray};
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + x[1])
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = 1.0; });
/// let mut ray = Ray::new(&f, &[1.0, 0.0], &[-1.0, 2.0]);
/// assert_eq!(ray.value_and_slope(1.0), (2.0, 2.0));
/// let (point, value, gradient) = ray.accept(1.0);
/// assert_eq!((point, value, gradient), (vec![0.0, 2.0], 2.0, vec![0.0, 1.0]));
/// ```
pub struct Ray<'a, T: Float> {
    objective: &'a dyn Objective<T>,
    origin: &'a [T],
    direction: &'a [T],
    bounds: Option<&'a Bounds<T>>,
    trial: Vec<T>,
    gradient: Vec<T>,
    step: f64,
    value: f64,
    has_gradient: bool,
    rounding: f64,
}

impl<'a, T: Float> Ray<'a, T> {
    /// The line from `origin` along `direction`.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn new(objective: &'a dyn Objective<T>, origin: &'a [T], direction: &'a [T]) -> Self {
        assert!(
            origin.len() == direction.len(),
            "Ray: lengths differ: {} and {}",
            origin.len(),
            direction.len()
        );
        Self {
            objective,
            origin,
            direction,
            bounds: None,
            trial: origin.to_vec(),
            gradient: vec![T::ZERO; origin.len()],
            step: f64::NAN,
            value: f64::NAN,
            has_gradient: false,
            rounding: 0.0,
        }
    }

    /// With the rounding that earlier searches have found.
    pub(crate) fn with_rounding(mut self, rounding: f64) -> Self {
        self.rounding = rounding;
        self
    }

    /// Keeps trials within `bounds`, from which only rounding may take them: a step to a bound ends on it exactly.
    pub(crate) fn within(mut self, bounds: &'a Bounds<T>) -> Self {
        self.bounds = Some(bounds);
        self
    }

    fn go(&mut self, step: f64) {
        if step != self.step {
            vector::add_scaled(self.origin, step, self.direction, &mut self.trial);
            if let Some(bounds) = self.bounds {
                bounds.project(&mut self.trial);
            }
            self.step = step;
            self.value = f64::NAN;
            self.has_gradient = false;
        }
    }

    /// The point, value and gradient at `step`, evaluating only what the last trial did not.
    pub fn accept(mut self, step: f64) -> (Vec<T>, f64, Vec<T>) {
        self.go(step);
        if self.value.is_nan() {
            self.value = self.objective.value_and_gradient(&self.trial, &mut self.gradient);
        } else if !self.has_gradient {
            self.objective.gradient(&self.trial, &mut self.gradient);
        }
        (self.trial, self.value, self.gradient)
    }
}

impl<T: Float> Line for Ray<'_, T> {
    fn value(&mut self, step: f64) -> f64 {
        self.go(step);
        if self.value.is_nan() {
            self.value = self.objective.value(&self.trial);
        }
        self.value
    }

    fn value_and_slope(&mut self, step: f64) -> (f64, f64) {
        self.go(step);
        if !self.has_gradient {
            self.value = self.objective.value_and_gradient(&self.trial, &mut self.gradient);
            self.has_gradient = true;
        }
        (self.value, vector::dot(&self.gradient, self.direction))
    }

    fn curvature(&mut self) -> Option<f64> {
        let hessian = self.objective.hessian(self.origin)?;
        let mut product = vec![T::ZERO; self.direction.len()];
        hessian.apply(self.direction, &mut product);
        Some(vector::dot(self.direction, &product))
    }

    fn precision(&self) -> f64 {
        rounding::relative::<T>(1.0)
    }

    fn rounding(&self) -> f64 {
        self.rounding
    }

    fn note_rounding(&mut self, rounding: f64) {
        self.rounding = rounding;
    }

    fn is_far(&self, step: f64) -> bool {
        step * vector::norm(self.direction) > FAR * vector::norm(self.origin).max(1.0)
    }

    fn exhausted(&self) -> bool {
        self.objective.exhausted()
    }
}
