//! Channels whose squares leave the range of numbers though what is made of them does not: all is computed again with each
//! channel in a unit of its own.

use super::coefficients::Coefficients;
use super::frame::Frame;
use crate::array::element::Float;
use crate::kernels::normalise::far::unit_for;

/// A unit for each channel, and x in them.
pub(super) struct Units<T> {
    pub(super) units: Vec<T>,
    pub(super) x: Vec<T>,
}

impl<T: Float> Units<T> {
    /// `None` where none is needed.
    pub(super) fn of<const A: usize>(frame: Frame, table: &[Coefficients<T, A>], x: &[T]) -> Option<Self> {
        if !table.iter().any(|of_channel| of_channel.lost) {
            return None;
        }
        let mut largest = vec![T::ZERO; frame.channels];
        each(frame, x, |channel, &x| largest[channel] = largest[channel].maximum(x.abs()));
        let units = table.iter().zip(largest).map(|(of_channel, largest)| {
            let unit = if of_channel.lost { unit_for(largest) } else { None };
            unit.unwrap_or(T::ONE)
        });
        let mut found = Units { units: units.collect(), x: Vec::new() };
        found.x = found.over(frame, x);
        found.units.iter().any(|&unit| unit != T::ONE).then_some(found)
    }

    /// Numbers for each element, divided by the units.
    pub(super) fn over(&self, frame: Frame, y: &[T]) -> Vec<T> {
        let mut out = Vec::with_capacity(y.len());
        each(frame, y, |channel, &y| out.push(y / self.units[channel]));
        out
    }

    /// Takes a gradient with respect to x back to the unit 1.
    pub(super) fn settle(&self, frame: Frame, gradient: &mut [T]) {
        let scaled = self.over(frame, gradient);
        gradient.copy_from_slice(&scaled);
    }
}

/// Calls a function with the channel and each element.
fn each<'a, T>(frame: Frame, x: &'a [T], mut call: impl FnMut(usize, &'a T)) {
    for (i, x) in x.iter().enumerate() {
        call(i / frame.span % frame.channels, x);
    }
}
