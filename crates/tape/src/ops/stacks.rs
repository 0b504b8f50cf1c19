//! Variables that are taken apart along an axis, and put together.

use std::borrow::Borrow;

use wengert_tensor::size;
use wengert_tensor::{Axis, Float, Shape};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// The positions of an axis as variables of their own, without the axis.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let columns = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).unbind(1);
    /// assert_eq!(columns[1].value().to_vec(), [2.0, 4.0]);
    /// ```
    #[doc(alias = "unstack")]
    #[track_caller]
    pub fn unbind(&self, axis: impl Into<Axis>) -> Vec<Var<T>> {
        let axis = self.shape().axis("unbind", axis);
        let mut parts = size::list("unbind", self.shape()[axis]);
        parts.extend((0..self.shape()[axis]).map(|i| self.slice_axis(axis, i..i + 1).squeeze(axis)));
        parts
    }

    /// Cut along an axis into pieces of the given sizes.
    ///
    /// # Panics
    /// If there is no such axis, or the sizes do not add up to its length.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let parts = Var::from([1.0f64, 2.0, 3.0]).split_sizes(&[1, 2], 0);
    /// assert_eq!(parts[1].value().to_vec(), [2.0, 3.0]);
    /// ```
    #[doc(alias = "split_with_sizes")]
    #[track_caller]
    pub fn split_sizes(&self, sizes: &[usize], axis: impl Into<Axis>) -> Vec<Var<T>> {
        let axis = self.shape().axis("split_sizes", axis);
        let total = size::sum("split_sizes", sizes);
        assert!(
            total == self.shape()[axis],
            "split_sizes: {sizes:?} add up to {total}, and axis {axis} of shape {} has length {}",
            self.shape(),
            self.shape()[axis]
        );
        let mut start = 0;
        let cut = |&size: &usize| {
            start += size;
            self.slice_axis(axis, start - size..start)
        };
        sizes.iter().map(cut).collect()
    }

    /// A matrix with these on its diagonal and 0 elsewhere. Vectors count as rows, numbers as matrices of one element.
    ///
    /// # Panics
    /// If one has more than two axes, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let m = Var::block_diag(&[Var::from([[1.0f64], [2.0]]), Var::from([[3.0]])]);
    /// assert_eq!(m.value().to_vec(), [1.0, 0.0, 2.0, 0.0, 0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn block_diag(parts: &[impl Borrow<Var<T>>]) -> Var<T> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            let part: &Var<T> = part.borrow();
            let [rows, columns] = match part.shape()[..] {
                [] => [1, 1],
                [n] => [1, n],
                [m, n] => [m, n],
                _ => panic!("block_diag: shape {} has more than two axes", part.shape()),
            };
            blocks.push(part.reshape([rows, columns]));
        }
        let columns: usize = blocks.iter().map(|b| b.shape()[1]).fold(0, usize::saturating_add);
        let rows: usize = blocks.iter().map(|b| b.shape()[0]).fold(0, usize::saturating_add);
        Shape::from([rows, columns]).checked("block_diag");
        let mut before = 0;
        let widened = |block: &Var<T>| {
            let width = block.shape()[1];
            let padded = block.pad(&[(0, 0), (before, columns - before - width)], 0.0);
            before += width;
            padded
        };
        let rows: Vec<Var<T>> = blocks.iter().map(widened).collect();
        if rows.is_empty() { Var::zeros([0, 0]) } else { Var::cat(&rows, 0) }
    }

    /// Side by side: along the second axis, or the first of vectors. A number counts as a vector of one.
    ///
    /// # Panics
    /// If there are none, or their shapes differ in another axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([[1.0f64], [2.0]]), Var::from([[3.0], [4.0]]));
    /// assert_eq!(Var::hstack(&[a, b]).value().to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[doc(alias = "column_stack")]
    #[track_caller]
    pub fn hstack(parts: &[impl Borrow<Var<T>>]) -> Var<T> {
        let parts = with_axes("hstack", parts, |x| if x.rank() == 0 { x.reshape([1]) } else { x.clone() });
        Var::cat(&parts, usize::from(parts[0].rank() > 1))
    }

    /// One below the other: along the first axis. Vectors and numbers count as rows.
    ///
    /// # Panics
    /// If there are none, or their shapes differ in another axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let rows = Var::vstack(&[Var::from([1.0f64, 2.0]), Var::from([3.0, 4.0])]);
    /// assert_eq!(rows.shape(), &[2, 2]);
    /// ```
    #[doc(alias = "row_stack")]
    #[track_caller]
    pub fn vstack(parts: &[impl Borrow<Var<T>>]) -> Var<T> {
        let row = |x: &Var<T>| if x.rank() < 2 { x.reshape([1, x.len()]) } else { x.clone() };
        Var::cat(&with_axes("vstack", parts, row), 0)
    }

    /// One behind the other: along the third axis. A vector counts as a row, and a matrix as one of depth 1.
    ///
    /// # Panics
    /// If there are none, or their shapes differ in another axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let channels = Var::dstack(&[Var::from([[1.0f64, 2.0]]), Var::from([[3.0, 4.0]])]);
    /// assert_eq!((channels.shape(), channels.value().to_vec()), (&[1, 2, 2].into(), vec![1.0, 3.0, 2.0, 4.0]));
    /// ```
    #[track_caller]
    pub fn dstack(parts: &[impl Borrow<Var<T>>]) -> Var<T> {
        let deep = |x: &Var<T>| match x.rank() {
            0 | 1 => x.reshape([1, x.len(), 1]),
            2 => x.unsqueeze(2),
            _ => x.clone(),
        };
        Var::cat(&with_axes("dstack", parts, deep), 2)
    }
}

/// Each part with as many axes as it has to have.
#[track_caller]
fn with_axes<T: Float>(
    operation: &str,
    parts: &[impl Borrow<Var<T>>],
    change: impl Fn(&Var<T>) -> Var<T>,
) -> Vec<Var<T>> {
    assert!(!parts.is_empty(), "{operation}: there are no variables");
    parts.iter().map(|part| change(part.borrow())).collect()
}
