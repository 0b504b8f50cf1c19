//! Axes and the targets of reshapes, and the conversions that let callers write them as plain literals.

use std::fmt;
use std::ops::RangeFull;

use smallvec::{SmallVec, smallvec};

use super::shape::Shape;

/// One axis, by position; negative counts from the end, −1 being the last. A `usize` beyond `isize` is no axis either,
/// and becomes `isize::MAX`.
///
/// ```
/// use wengert_tensor::{Axis, Shape};
/// assert_eq!(Shape::from([2, 3, 4]).axis("example", Axis(-1)), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis(pub isize);

/// Several axes, by position: one number, an array, a slice, or `..` for all of them.
///
/// ```
/// use wengert_tensor::{Axes, Shape};
/// let shape = Shape::from([2, 3, 4]);
/// assert_eq!(Axes::from([0, -1]).mask("example", &shape)[..], [true, false, true]);
/// assert_eq!(Axes::from(..).mask("example", &shape)[..], [true; 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(pub(crate) Option<SmallVec<[isize; 4]>>);

/// The target of a reshape, in which one length may be −1, to be inferred. (Wide enough for any `usize`, so that
/// `usize::MAX` is not −1.)
///
/// ```
/// use wengert_tensor::{Dims, Shape, resolve_dims};
/// assert_eq!(resolve_dims(&Shape::from([2, 6]), &Dims::from([3, -1])), [3, 4]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dims(pub(crate) SmallVec<[i128; 4]>);

/// The number, or `isize::MAX` for one beyond it: further than any axis or position reaches.
pub(super) fn saturated(number: impl TryInto<isize>) -> isize {
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
