//! The judgement of trial steps from one point.

use super::noise::Noise;
use super::objective::{Counted, Objective};
use super::outcome::Reason;
use super::run::Iterate;
use super::vector::{self, Float};

/// What a trial has to achieve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The ratio of actual to predicted fall must be above this.
    pub(super) accept: f64,
    /// Rejections after which gradients are asked whether rounding is to blame. Each further trial costs a gradient.
    pub(super) patience: usize,
    /// Whether gradients are wanted at rejected points as well.
    pub(super) gradients: bool,
}

/// Trials of steps from one point.
pub(super) struct Trials<'a, 'o, T: Float> {
    problem: &'a Counted<'o, T>,
    at: &'a Iterate<T>,
    rule: Rule,
    noise: Noise,
    rejected: usize,
    /// Whether a value was finite.
    finite: bool,
    /// Whether the first step had anything to gain.
    hopeless: Option<bool>,
}

/// A trial step: where it leads and how the model did.
pub(super) struct Trial<T> {
    pub(super) point: Vec<T>,
    pub(super) value: f64,
    /// Empty where nobody needed it.
    pub(super) gradient: Vec<T>,
    /// By how much f fell, as far as it can be told.
    pub(super) fall: f64,
    /// The fall over the one predicted.
    pub(super) ratio: f64,
    /// Whether the fall of the values drowns in rounding, so that it is taken from the gradients.
    pub(super) drowned: bool,
    pub(super) accepted: bool,
}

impl<T: Float> Trial<T> {
    /// Whether all that is left drowns in rounding.
    pub(super) fn is_flat(&self) -> bool {
        self.drowned && !self.accepted
    }

    /// Whether the gradient is known and finite.
    pub(super) fn has_gradient(&self) -> bool {
        !self.gradient.is_empty() && vector::all_finite(&self.gradient)
    }

    /// Where an accepted step led.
    pub(super) fn into_iterate(self) -> Iterate<T> {
        Iterate { point: self.point, value: self.value, gradient: self.gradient }
    }
}

impl<'a, 'o, T: Float> Trials<'a, 'o, T> {
    pub(super) fn new(problem: &'a Counted<'o, T>, at: &'a Iterate<T>, rule: Rule) -> Self {
        let noise = Noise::of::<T>(at.value).with_equal_values_as_rounding();
        Self { problem, at, rule, noise, rejected: 0, finite: false, hopeless: None }
    }

    /// The objective, and the point that the steps are from.
    pub(super) fn around(&self) -> (&'a Counted<'o, T>, &'a Iterate<T>) {
        (self.problem, self.at)
    }

    /// Up to which differences of values may be rounding.
    pub(super) fn rounding(&self) -> f64 {
        self.noise.level()
    }

    /// Begins with other steps from the same point: gradients are asked for the values' sake only after rejections.
    pub(super) fn begin_anew(&mut self) {
        self.rejected = 0;
    }

    /// Takes note of the fall that a step of this length promises: whether the first has anything to gain.
    pub(super) fn expect(&mut self, predicted: f64, length: f64) -> bool {
        *self.hopeless.get_or_insert_with(|| self.noise.covers(predicted, length, &self.at.point))
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
        self.expect(predicted, vector::norm(step));
        self.finite |= value.is_finite();
        let fall = self.at.value - value;
        let Rule { accept, patience, gradients } = self.rule;
        let good = |fall: f64| if accept == 0.0 { fall > 0.0 } else { fall / predicted > accept };
        // Where both falls drown in rounding, or seem to, gradients know better.
        let suspect = self.rejected >= patience || self.noise.drowns(fall, predicted);
        let mut gradient = Vec::new();
        if value.is_finite() && (suspect || gradients || good(fall)) {
            gradient = vec![T::ZERO; point.len()];
            self.problem.gradient(&point, &mut gradient);
        }
        let mut trial =
            Trial { point, value, gradient, fall, ratio: f64::NAN, drowned: false, accepted: false };
        if trial.has_gradient() {
            if suspect {
                trial.fall = self.noise.fall(fall, step, [&self.at.gradient, &trial.gradient]);
                trial.drowned = trial.fall != fall;
            }
            // Gradients must then shrink, so that rounding errors cannot be followed for ever.
            let shrank = || vector::norm(&trial.gradient) < vector::norm(&self.at.gradient);
            trial.accepted = good(trial.fall) && (!trial.drowned || shrank());
        }
        trial.ratio = trial.fall / predicted;
        self.rejected += usize::from(!trial.accepted);
        trial
    }

    /// Why there was no step. Where no trial had a finite value, the point itself is the last.
    pub(super) fn stuck(&mut self) -> Reason {
        let tried = self.hopeless.is_some();
        self.finite = self.finite || tried && self.at.is_defined(self.problem);
        Reason::stuck(self.finite, self.hopeless.unwrap_or(false))
    }
}
