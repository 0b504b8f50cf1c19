//! What a checkpoint must hold to be gone on from. It comes from outside, so nothing in it is taken on trust.

use super::error::MinimizeError;
use super::field::Field;
use super::run::{Iterate, Run};
use super::vector::Float;

/// The names of an iterate's parts.
struct Names {
    point: Field,
    value: Field,
    gradient: Field,
}

impl<T: Float> Iterate<T> {
    fn check(&self, names: &Names, dimension: usize) -> Result<(), MinimizeError> {
        names.point.vector(&self.point, dimension)?;
        names.gradient.vector(&self.gradient, dimension)?;
        names.value.holds(self.value, "finite", self.value.is_finite())
    }
}

impl<T: Float, S> Run<T, S> {
    /// Whether everything but the method's own state can be gone on from.
    pub(super) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        const CURRENT: Names = Names {
            point: Field("current.point"),
            value: Field("current.value"),
            gradient: Field("current.gradient"),
        };
        const BEST: Names = Names {
            point: Field("best.point"),
            value: Field("best.value"),
            gradient: Field("best.gradient"),
        };
        self.current.check(&CURRENT, dimension)?;
        if let Some(best) = &self.best {
            best.check(&BEST, dimension)?;
            let lower = best.value <= self.current.value;
            BEST.value.holds(best.value, "at most current.value", lower)?;
        }
        Field("initial_norm").non_negative(self.initial_norm)?;
        Field("seconds").non_negative(self.seconds)?;
        // One record for the start and for each iteration.
        let counted = self.trace.len() as u64 == self.iterations.saturating_add(1);
        Field("iterations").holds(self.iterations, "one less than the records in trace", counted)?;
        let numbered = self.trace.iter().zip(0..).all(|(record, i)| record.iteration == i);
        Field("trace").holds(format_args!("out of order"), "numbered from 0", numbered)?;
        let last = self.trace.last().map_or(f64::NAN, |record| record.value);
        Field("trace").holds(last, "current.value at its end", last == self.current.value)
    }
}
