//! Ranges along an axis, and the conversions that let callers write them as Rust's ranges.

use std::fmt;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

use super::axes::saturated;

/// A range of positions along one axis, with a step, as in Python: negative positions count from the end, ends
/// beyond the axis are clipped, and a negative step walks backwards.
///
/// Built from a Rust range (`1..`, `..-1`, `2..5`, `..`), refined by [`step`](Slice::step).
///
/// ```
/// use wengert_tensor::{Slice, Tensor};
/// let x = Tensor::<f32>::arange(0.0, 6.0, 1.0);
/// assert_eq!(x.slice(1..-1).to_vec(), [1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(x.slice(Slice::from(1..).step(2)).to_vec(), [1.0, 3.0, 5.0]);
/// assert_eq!(x.slice(Slice::from(..).step(-2)).to_vec(), [5.0, 3.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    start: Option<isize>,
    end: Option<isize>,
    step: isize,
}

// As for axes, `i32` is among them.
macro_rules! from_ranges {
    ($($t:ty),*) => { $(
        impl From<Range<$t>> for Slice {
            fn from(r: Range<$t>) -> Self {
                Slice { start: Some(saturated(r.start)), end: Some(saturated(r.end)), step: 1 }
            }
        }
        impl From<RangeInclusive<$t>> for Slice {
            fn from(r: RangeInclusive<$t>) -> Self {
                let end = saturated(*r.end());
                // ..=-1 ends with the last element, which `end + 1 = 0` would not say.
                Slice { start: Some(saturated(*r.start())), end: (end != -1).then_some(end.saturating_add(1)), step: 1 }
            }
        }
        impl From<RangeFrom<$t>> for Slice {
            fn from(r: RangeFrom<$t>) -> Self {
                Slice { start: Some(saturated(r.start)), end: None, step: 1 }
            }
        }
        impl From<RangeTo<$t>> for Slice {
            fn from(r: RangeTo<$t>) -> Self {
                Slice { start: None, end: Some(saturated(r.end)), step: 1 }
            }
        }
    )* };
}
from_ranges!(i32, isize, usize);

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Self {
        Slice { start: None, end: None, step: 1 }
    }
}

impl fmt::Display for Slice {
    /// As in Python: `1:-1`, `::2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(start) = self.start {
            write!(f, "{start}")?;
        }
        f.write_str(":")?;
        if let Some(end) = self.end {
            write!(f, "{end}")?;
        }
        if self.step != 1 {
            write!(f, ":{}", self.step)?;
        }
        Ok(())
    }
}

impl Slice {
    /// The same range, taking every `step`-th position; a negative step walks backwards from the range's start,
    /// or from the end of the axis if the range has no start.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn step(mut self, step: isize) -> Self {
        assert!(step != 0, "slice: the step must not be 0");
        self.step = step;
        self
    }

    /// First position, number of positions and step on an axis of `length`.
    ///
    /// ```
    /// use wengert_tensor::Slice;
    /// // Of 10 positions from the third to the last but one, every second: first, count and step.
    /// assert_eq!(Slice::from(2..-1).step(2).resolve(10), (2, 4, 2));
    /// ```
    pub fn resolve(&self, length: usize) -> (usize, usize, isize) {
        // Wide enough for every length and every position.
        let n = length as i128;
        // Backwards, the position before the first element is a valid end.
        let (low, high) = if self.step > 0 { (0, n) } else { (-1, n - 1) };
        let place = |p: isize| (if p < 0 { p as i128 + n } else { p as i128 }).clamp(low, high);
        let start = self.start.map_or(if self.step > 0 { low } else { high }, place);
        let end = self.end.map_or(if self.step > 0 { high } else { low }, place);
        let span = if self.step > 0 { end - start } else { start - end };
        let count = if span <= 0 { 0 } else { (span as usize).div_ceil(self.step.unsigned_abs()) };
        (if count == 0 { 0 } else { start as usize }, count, self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::reversed_empty_ranges)]
    fn slices_resolve_as_in_python() {
        // (slice, length) and the positions Python's range(*slice.indices(length)) gives.
        let cases: [(Slice, usize, &[usize]); 16] = [
            ((..).into(), 3, &[0, 1, 2]),
            ((1..).into(), 3, &[1, 2]),
            ((..-1).into(), 3, &[0, 1]),
            ((-2..).into(), 3, &[1, 2]),
            ((2..1).into(), 3, &[]),
            ((0..=-1).into(), 3, &[0, 1, 2]),
            (Slice::from(5..).step(-1), 3, &[2, 1, 0]),
            (Slice::from(..).step(-2), 4, &[3, 1]),
            (Slice::from(0..9).step(3), 8, &[0, 3, 6]),
            (Slice::from(..).step(-1), 0, &[]),
            ((0..usize::MAX).into(), 3, &[0, 1, 2]),
            ((1..=isize::MAX).into(), 3, &[1, 2]),
            ((usize::MAX..).into(), 3, &[]),
            ((isize::MIN..2).into(), 3, &[0, 1]),
            (Slice::from(..).step(isize::MIN), 3, &[2]),
            (Slice::from(isize::MAX..).step(isize::MAX).step(-2), 3, &[2, 0]),
        ];
        for (slice, length, expected) in cases {
            let (start, count, step) = slice.resolve(length);
            let got: Vec<usize> = (0..count).map(|i| (start as isize + i as isize * step) as usize).collect();
            assert_eq!(got, expected, "{slice:?} of {length}");
        }
    }
}
