//! Shapes, and what they broadcast to.

use std::fmt;
use std::ops::Deref;

use smallvec::{SmallVec, smallvec};

pub use super::axes::{Axes, Axis, Dims};
pub use super::slice::Slice;

/// The lengths of a tensor's axes, outermost first; empty for a scalar. Dereferences to `[usize]`.
///
/// Built from a literal: `[2, 3]`, `5` (one axis), `[]`, a slice or a `Vec`.
#[derive(Eq, Hash, Default)]
#[allow(clippy::derived_hash_with_manual_eq, reason = "both go by the lengths")]
pub struct Shape(SmallVec<[usize; 4]>);

impl PartialEq for Shape {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // Length by length: a call of `memcmp`, which the derived comparison makes, takes longer for so few.
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }
}

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
    ///
    /// ```
    /// use wengert_tensor::Shape;
    /// assert_eq!(Shape::from([2, 3]).checked_count(), Some(6));
    /// assert_eq!(Shape::from([usize::MAX, 2]).checked_count(), None);
    /// ```
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

/// The shape that `a` and `b` broadcast to: aligned at the last axis, lengths equal or one of them 1.
///
/// ```
/// use wengert_tensor::shape::broadcast;
/// assert_eq!(broadcast(&[2, 1].into(), &[3].into()), Some([2, 3].into()));
/// assert_eq!(broadcast(&[2].into(), &[3].into()), None);
/// ```
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
///
/// ```
/// use wengert_tensor::shape::broadcast_or_panic;
/// assert_eq!(broadcast_or_panic("add", &[2, 1].into(), &[3].into()), [2, 3]);
/// ```
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
    fn broadcasting() {
        let b = |a: &[usize], b: &[usize]| broadcast(&a.into(), &b.into()).map(|s| s.to_vec());
        assert_eq!(b(&[2, 1], &[3]), Some(vec![2, 3]));
        assert_eq!(b(&[], &[0]), Some(vec![0]));
        assert_eq!(b(&[1], &[0]), Some(vec![0]));
        assert_eq!(b(&[2], &[3]), None);
    }
}
