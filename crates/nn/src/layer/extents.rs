//! Extents along several axes.

/// An extent along each of `D` axes, made from one number for all or from an array in the order of the axes: for two axes
/// (height, width).
///
/// ```
/// use wengert_nn::Extents;
/// assert_eq!(Extents::<2>::from(3).0, [3, 3]);
/// assert_eq!(Extents::from([1, 5]).0, [1, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents<const D: usize>(pub [usize; D]);

/// (height, width).
pub type Pair = Extents<2>;

impl<const D: usize> From<usize> for Extents<D> {
    fn from(all: usize) -> Self {
        Extents([all; D])
    }
}

impl<const D: usize> From<[usize; D]> for Extents<D> {
    fn from(extents: [usize; D]) -> Self {
        Extents(extents)
    }
}

/// Widths of borders: before and after each of `D` axes, in the order of the axes; made from one number for all, or from a
/// pair for each axis.
///
/// ```
/// use wengert_nn::Sides;
/// assert_eq!(Sides::<2>::from(1).0, [[1, 1], [1, 1]]);
/// assert_eq!(Sides::from([[0, 2]]).0, [[0, 2]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides<const D: usize>(pub [[usize; 2]; D]);

impl<const D: usize> Sides<D> {
    /// The widths for all axes of `[batch, channels, size…]`.
    pub(crate) fn widths(&self) -> Vec<(usize, usize)> {
        [(0, 0); 2].into_iter().chain(self.0.map(|[before, after]| (before, after))).collect()
    }
}

impl<const D: usize> From<usize> for Sides<D> {
    fn from(all: usize) -> Self {
        Sides([[all; 2]; D])
    }
}

impl<const D: usize> From<[[usize; 2]; D]> for Sides<D> {
    fn from(sides: [[usize; 2]; D]) -> Self {
        Sides(sides)
    }
}

/// The name of a kind of layers over `D` axes.
pub(crate) fn named<const D: usize>(names: [&'static str; 3]) -> &'static str {
    names[D - 1]
}
