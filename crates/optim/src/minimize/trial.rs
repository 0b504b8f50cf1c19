//! The judgement of trial steps.

use super::objective::{Counted, Objective};
use super::outcome::Reason;
use super::run::Iterate;
use super::search::Noise;
use super::vector::{self, Float};

/// Trials of steps from one point.
pub(super) struct Trials<'a, 'o, T: Float> {
    problem: &'a Counted<'o, T>,
    at: &'a Iterate<T>,
    noise: Noise,
    rejected: bool,
    /// Whether a value was finite.
    finite: bool,
    /// Whether the first step had anything to gain.
    hopeless: Option<bool>,
}

/// A trial step: where it leads and how the model did.
pub(super) struct Trial<T: Float> {
    pub(super) next: Option<Iterate<T>>,
    /// Actual over predicted reduction.
    pub(super) ratio: f64,
    /// Whether all that is left drowns in rounding.
    pub(super) flat: bool,
}

impl<'a, 'o, T: Float> Trials<'a, 'o, T> {
    pub(super) fn new(problem: &'a Counted<'o, T>, at: &'a Iterate<T>) -> Self {
        let noise = Noise::new(T::EPSILON.to_f64(), at.value).with_equal_values_as_rounding();
        Self { problem, at, noise, rejected: false, finite: false, hopeless: None }
    }

    /// The objective, and the point that the steps are from.
    pub(super) fn around(&self) -> (&'a Counted<'o, T>, &'a Iterate<T>) {
        (self.problem, self.at)
    }

    /// Up to which differences of values may be rounding.
    pub(super) fn rounding(&self) -> f64 {
        self.noise.level()
    }

    /// Begins with other steps from the same point: gradients are asked for the values' sake only after a rejection.
    pub(super) fn begin_anew(&mut self) {
        self.rejected = false;
    }

    /// Evaluates at this step, and the gradient if the value fell, or may have fallen as far as rounding lets it tell.
    pub(super) fn step(&mut self, step: &[T], predicted: f64) -> Trial<T> {
        let mut point = self.at.point.clone();
        vector::axpy(1.0, step, &mut point);
        let value = self.problem.value(&point);
        self.judge(step, point, value, predicted)
    }

    /// As [`step`](Self::step), where the value is known.
    pub(super) fn judge(&mut self, step: &[T], point: Vec<T>, value: f64, predicted: f64) -> Trial<T> {
        let at = self.at;
        let length = vector::norm(step);
        self.hopeless.get_or_insert_with(|| self.noise.covers(predicted, length, &at.point));
        self.finite |= value.is_finite();
        let mut actual = at.value - value;
        let suspect = self.rejected || self.noise.drowns(actual, predicted);
        let (mut next, mut drowned) = (None, false);
        if value.is_finite() && (actual > 0.0 || suspect) {
            let mut gradient = vec![T::ZERO; point.len()];
            self.problem.gradient(&point, &mut gradient);
            if vector::all_finite(&gradient) {
                if suspect {
                    let fall = self.noise.fall(actual, step, [&at.gradient, &gradient]);
                    drowned = fall != actual;
                    actual = fall;
                }
                // Gradients must then shrink, so that rounding errors cannot be followed for ever.
                let shrank = vector::norm(&gradient) < vector::norm(&at.gradient);
                if actual > 0.0 && (!drowned || shrank) {
                    next = Some(Iterate { point, value, gradient });
                }
            }
        }
        self.rejected |= next.is_none();
        Trial { flat: drowned && next.is_none(), next, ratio: actual / predicted }
    }

    /// Why there was no step.
    pub(super) fn stuck(&self) -> Reason {
        Reason::stuck(self.finite, self.hopeless.unwrap_or(false))
    }
}
