//! Shapes, axes and slices, and the conversions that let callers write them as plain literals.

use std::fmt;
use std::ops::{Deref, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

use smallvec::{SmallVec, smallvec};

/// The lengths of a tensor's axes, outermost first; empty for a scalar. Dereferences to `[usize]`.
///
/// Built from a literal: `[2, 3]`, `5` (one axis), `[]`, a slice or a `Vec`.
#[derive(PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[usize; 4]>);

impl Clone for Shape {
    #[inline]
    fn clone(&self) -> Self {
        // One memcpy; the derived clone goes element by element.
        Shape(SmallVec::from_slice(&self.0))
    }
}

impl Shape {
    /// The shape of a scalar: no axes, one element.
    pub fn scalar() -> Self {
        Shape(SmallVec::new())
    }

    /// The number of elements, the product of the lengths.
    ///
    /// # Panics
    /// If the product overflows `usize`.
    #[track_caller]
    pub fn count(&self) -> usize {
        match self.checked_count() {
            Some(count) => count,
            None => panic!("count: the number of elements of shape {self} overflows"),
        }
    }

    /// The number of elements, or `None` if it overflows `usize`. An axis of length 0 makes it 0.
    pub fn checked_count(&self) -> Option<usize> {
        if self.0.contains(&0) {
            return Some(0);
        }
        self.0.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }

    /// Turns an axis that may count from the end (−1 is the last) into a position.
    ///
    /// # Panics
    /// If there is no such axis; `operation` names the caller's operation.
    #[track_caller]
    pub fn axis(&self, operation: &str, axis: impl Into<Axis>) -> usize {
        let Axis(axis) = axis.into();
        let rank = self.len() as isize;
        let position = if axis < 0 { axis + rank } else { axis };
        if position < 0 || position >= rank {
            panic!("{operation}: axis {axis} is out of range for shape {self} of rank {rank}");
        }
        position as usize
    }

    /// The shape with axis `axis` of length `length`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tensor::Shape;
    /// assert_eq!(Shape::from([2, 3]).with(1, 5), [2, 5]);
    /// ```
    #[track_caller]
    pub fn with(&self, axis: usize, length: usize) -> Shape {
        assert!(
            axis < self.len(),
            "with: axis {axis} is out of range for shape {self} of rank {}",
            self.len()
        );
        let mut out = self.clone();
        out.0[axis] = length;
        out
    }

    /// The shape without axis `axis`.
    pub(crate) fn without(&self, axis: usize) -> Shape {
        let mut out = self.clone();
        out.0.remove(axis);
        out
    }

    /// The shape with a new axis of length `length` at `axis`.
    pub(crate) fn inserted(&self, axis: usize, length: usize) -> Shape {
        let mut out = self.clone();
        out.0.insert(axis, length);
        out
    }
}

impl Deref for Shape {
    type Target = [usize];
    #[inline(always)]
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0[..], f)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(lengths: I) -> Self {
        Shape(lengths.into_iter().collect())
    }
}

impl From<usize> for Shape {
    fn from(length: usize) -> Self {
        Shape(smallvec![length])
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(lengths: [usize; N]) -> Self {
        Shape(SmallVec::from_slice(&lengths))
    }
}

impl From<&[usize]> for Shape {
    fn from(lengths: &[usize]) -> Self {
        Shape(SmallVec::from_slice(lengths))
    }
}

impl From<Vec<usize>> for Shape {
    fn from(lengths: Vec<usize>) -> Self {
        Shape(SmallVec::from_vec(lengths))
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.0[..] == other[..]
    }
}

/// One axis, by position; negative counts from the end, −1 being the last. A `usize` beyond `isize` is no axis either,
/// and becomes `isize::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis(pub isize);

/// Several axes, by position: one number, an array, a slice, or `..` for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(pub(crate) Option<SmallVec<[isize; 4]>>);

/// The target of a reshape, in which one length may be −1, to be inferred. (Wide enough for any `usize`, so that
/// `usize::MAX` is not −1.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dims(pub(crate) SmallVec<[i128; 4]>);

/// The number, or `isize::MAX` for one beyond it: further than any axis or position reaches.
fn saturated(number: impl TryInto<isize>) -> isize {
    number.try_into().unwrap_or(isize::MAX)
}

// Integer literals fall back to `i32` when several types fit, so that type is always among the conversions.
macro_rules! from_integers {
    ($($t:ty),*) => { $(
        impl From<$t> for Axis {
            fn from(axis: $t) -> Self {
                Axis(saturated(axis))
            }
        }
        impl From<$t> for Axes {
            fn from(axis: $t) -> Self {
                Axes(Some(smallvec![saturated(axis)]))
            }
        }
        impl<const N: usize> From<[$t; N]> for Axes {
            fn from(axes: [$t; N]) -> Self {
                Axes(Some(axes.iter().map(|&a| saturated(a)).collect()))
            }
        }
        impl From<&[$t]> for Axes {
            fn from(axes: &[$t]) -> Self {
                Axes(Some(axes.iter().map(|&a| saturated(a)).collect()))
            }
        }
        impl From<$t> for Dims {
            fn from(length: $t) -> Self {
                Dims(smallvec![length as i128])
            }
        }
        impl<const N: usize> From<[$t; N]> for Dims {
            fn from(lengths: [$t; N]) -> Self {
                Dims(lengths.iter().map(|&d| d as i128).collect())
            }
        }
        impl From<&[$t]> for Dims {
            fn from(lengths: &[$t]) -> Self {
                Dims(lengths.iter().map(|&d| d as i128).collect())
            }
        }
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
from_integers!(i32, isize, usize);

impl From<RangeFull> for Axes {
    fn from(_: RangeFull) -> Self {
        Axes(None)
    }
}

impl From<&Shape> for Dims {
    fn from(shape: &Shape) -> Self {
        Dims(shape.iter().map(|&d| d as i128).collect())
    }
}

impl From<Shape> for Dims {
    fn from(shape: Shape) -> Self {
        Dims::from(&shape)
    }
}

impl fmt::Display for Axes {
    /// `[0, -1]`, or `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(axes) => write!(f, "{:?}", &axes[..]),
            None => f.write_str("all"),
        }
    }
}

impl Axes {
    /// Which axes of `shape` are meant, as a mask.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice; `operation` names the caller's operation.
    #[track_caller]
    pub fn mask(&self, operation: &str, shape: &Shape) -> SmallVec<[bool; 4]> {
        let Some(axes) = &self.0 else { return smallvec![true; shape.len()] };
        let mut mask: SmallVec<[bool; 4]> = smallvec![false; shape.len()];
        for &axis in axes {
            let position = shape.axis(operation, axis);
            if mask[position] {
                panic!("{operation}: axis {axis} is given twice for shape {shape}");
            }
            mask[position] = true;
        }
        mask
    }
}

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

/// The shape that `a` and `b` broadcast to: aligned at the last axis, lengths equal or one of them 1.
pub fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    if a == b {
        return Some(a.clone());
    }
    let rank = a.len().max(b.len());
    let length = |s: &Shape, i: usize| if i + s.len() < rank { 1 } else { s[i + s.len() - rank] };
    (0..rank)
        .map(|i| match (length(a, i), length(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// [`broadcast`], or a panic that names the operation and both shapes, or the joint one if it has too many elements.
#[track_caller]
pub fn broadcast_or_panic(operation: &str, a: &Shape, b: &Shape) -> Shape {
    match broadcast(a, b) {
        Some(shape) => shape.checked(operation),
        None => panic!(
            "{operation}: shapes {a} and {b} do not broadcast: aligned at the last axis, lengths must be equal or 1"
        ),
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

    #[test]
    fn broadcasting() {
        let b = |a: &[usize], b: &[usize]| broadcast(&a.into(), &b.into()).map(|s| s.to_vec());
        assert_eq!(b(&[2, 1], &[3]), Some(vec![2, 3]));
        assert_eq!(b(&[], &[0]), Some(vec![0]));
        assert_eq!(b(&[1], &[0]), Some(vec![0]));
        assert_eq!(b(&[2], &[3]), None);
    }
}
