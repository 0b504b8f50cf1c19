//! Changes of f that drown in the rounding of its values.

use super::vector::{self, Float};
use crate::minimize::rounding;

/// What is known of the rounding of f around a point. Where a change of f drowns in it, the change is taken to be what the
/// gradients imply by the trapezoid rule, ½ sᵀ(g + g₊): a search then works by slopes alone, and sufficient decrease becomes
/// the approximate Wolfe condition φ'(α) ≤ (2c − 1) φ'(0) of Hager and Zhang (2005).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    /// Changes up to this may be rounding.
    level: f64,
    /// Whether a change of exactly 0 is rounding, however long the step.
    equal_is_rounding: bool,
    /// The shortest step so far, and how much value and gradients differed about the change there.
    shortest: (f64, f64),
}

impl Noise {
    /// Units of rounding up to which a value, which is a sum of many terms, is taken to be known.
    const UNITS: f64 = 64.0;

    /// Around a point of this value.
    pub(crate) fn new(precision: f64, value: f64) -> Self {
        let level = Self::UNITS * precision * value.abs();
        Self { level, equal_is_rounding: false, shortest: (f64::INFINITY, 0.0) }
    }

    /// Around a point of this value, as evaluated in the precision of `T`.
    pub(crate) fn of<T: Float>(value: f64) -> Self {
        Self::new(rounding::relative::<T>(1.0), value)
    }

    /// The same, with equal values always taken for rounding: for methods that go on from there only if the gradient has
    /// shrunk.
    pub(crate) fn with_equal_values_as_rounding(self) -> Self {
        Self { equal_is_rounding: true, ..self }
    }

    /// The same, where rounding up to `level` has been found before.
    pub(crate) fn at_least(self, level: f64) -> Self {
        Self { level: self.level.max(level), ..self }
    }

    /// Whether a value that exceeds a bound by this much may be at it but for rounding.
    pub(crate) fn allows(&self, excess: f64) -> bool {
        excess <= self.level
    }

    /// Up to which changes may be rounding.
    pub(crate) fn level(&self) -> f64 {
        self.level
    }

    /// The change over a step s of this length, from that of the values and gᵀs at its two ends. f is taken to be continuous.
    ///
    /// Where f is a small difference of large terms, its rounding is more than its value tells, but it shows itself. Where gᵀs
    /// is the same at both ends to a tenth, so should the change be; if it is not, and the less so the shorter the step (as
    /// it is not where gradients are wrong), that is rounding.
    pub(crate) fn change(&mut self, length: f64, change: f64, (before, after): (f64, f64)) -> f64 {
        let implied = 0.5 * (before + after);
        let difference = (change - implied).abs();
        let straight = (after - before).abs() <= 0.1 * before.abs();
        let (shortest, least) = self.shortest;
        if length < 0.5 * shortest {
            if straight
                && difference > 0.25 * implied.abs()
                && shortest.is_finite()
                && difference * shortest > 2.0 * least * length
            {
                self.level = self.level.max(4.0 * difference);
            }
            self.shortest = (length, difference);
        }
        // The same value after a straight way is rounding too, and tells how coarse it is at least; at other ends a function
        // may well have the same.
        if change == 0.0 && straight {
            self.level = self.level.max(Self::UNITS * implied.abs());
        }
        let drowned = self.drowns(change, implied);
        if drowned { implied } else { change }
    }

    /// By how much f fell over a step, from the fall of its values and the gradients at the two ends; see
    /// [`change`](Self::change).
    pub(crate) fn fall<T: Float>(&mut self, fall: f64, step: &[T], [before, after]: [&[T]; 2]) -> f64 {
        let ends = (vector::dot(before, step), vector::dot(after, step));
        -self.change(vector::norm(step), -fall, ends)
    }

    /// Whether the changes, of the values and as it should be, may be rounding.
    pub(crate) fn drowns(&self, change: f64, implied: f64) -> bool {
        change == 0.0 && self.equal_is_rounding || change.abs() <= self.level && implied.abs() <= self.level
    }

    /// Whether a step of this length from `point` that promises this fall is below rounding: of f, or of the point itself.
    pub(crate) fn covers<T: Float>(&self, fall: f64, length: f64, point: &[T]) -> bool {
        fall.abs() <= self.level || is_short(length, point)
    }

    /// Whether a gradient of this length at `point` is below rounding, as far as it can be told without curvature: f changes
    /// by less over the part √ε of the point's size. Not at the origin, which has none.
    pub(crate) fn hides<T: Float>(&self, point: &[T], gradient: f64) -> bool {
        let reach = rounding::half_digits::<T>() * vector::norm(point);
        reach > 0.0 && reach * gradient <= self.level
    }
}

/// Whether a step of this length from `point` is below the rounding of the point.
pub(crate) fn is_short<T: Float>(length: f64, point: &[T]) -> bool {
    length <= rounding::of::<T>(4.0, vector::norm(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The change that is believed along a line of values φ(α) − φ(0) = `change(α)` and slopes, at some steps.
    fn believed(
        value: f64,
        steps: &[f64],
        change: impl Fn(f64) -> f64,
        slope: impl Fn(f64) -> f64,
    ) -> Vec<f64> {
        let mut noise = Noise::new(f64::EPSILON, value);
        steps.iter().map(|&a| noise.change(a, change(a), (a * slope(0.0), a * slope(a)))).collect()
    }

    #[test]
    fn changes_within_rounding_are_those_of_the_slopes() {
        // A parabola of value 1e8, whose fall of 1e-7 is a few of its roundings.
        let fall = |a: f64| 1e-7 * (0.5 * a * a - a);
        let found = believed(1e8, &[1.0, 2.0], |_| 3e-8, |a| 1e-7 * (a - 1.0));
        assert!((found[0] - fall(1.0)).abs() < 1e-20 && found[1].abs() < 1e-20, "{found:?}");
        // What is more than rounding is believed.
        assert_eq!(believed(1e8, &[1.0], |_| 1.0, |a| 1e-7 * (a - 1.0)), [1.0]);
    }

    #[test]
    fn equal_values_far_apart_are_no_rounding() {
        // From 0 over a valley to a maximum as high: the change is 0.
        assert_eq!(believed(0.0, &[1.0], |_| 0.0, |a| a - 1.0), [0.0]);
        // Along a straight way it cannot be.
        assert_eq!(believed(0.0, &[1.0], |_| 0.0, |_| -1.0), [-1.0]);
    }

    #[test]
    fn rounding_beyond_what_the_value_tells_is_learned() {
        // f is 0 as a difference of terms of 1: noise of 1e-16 about a slope of −1e-17.
        let rounding = |a: f64| if (a * 16.0) as i64 % 2 == 0 { 1e-16 } else { -1e-16 };
        let found = believed(0.0, &[1.0, 0.25, 0.0625], rounding, |_| -1e-17);
        assert_eq!(found[0], rounding(1.0));
        assert!(found[2] < 0.0 && found[2] > -1e-17, "{found:?}");
    }

    #[test]
    fn wrong_gradients_are_no_rounding() {
        // Twice the slope that is there, at every length: the difference shrinks with the step.
        let steps = [1.0, 0.25, 0.0625, 0.015625];
        let found = believed(1.0, &steps, |a| -a, |_| -2.0);
        assert_eq!(found, steps.map(|a| -a));
    }
}
