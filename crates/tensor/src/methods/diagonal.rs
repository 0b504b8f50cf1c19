//! Diagonals and triangles of matrices, and of the last two axes of batches.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::size;
use crate::array::tensor::Tensor;
use crate::loops::blocks::for_each_block;

impl<T: Element> Tensor<T> {
    /// A view of the diagonal of the last two axes, which becomes the last axis: elements `[…, i, i + offset]`. A
    /// positive offset lies above the main diagonal, a negative one below; one outside the matrix is empty.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.diagonal(0).to_vec(), [1.0, 5.0]);
    /// assert_eq!(x.diagonal(1).to_vec(), [2.0, 6.0]);
    /// assert_eq!(x.diagonal(-1).to_vec(), [4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize) -> Tensor<T> {
        assert!(self.rank() >= 2, "diagonal: shape {} has fewer than two axes", self.shape());
        let (row, column) = (self.rank() - 2, self.rank() - 1);
        let (down, right) = below_and_right(offset);
        let corner = self.layout.slice(row, (down..).into()).slice(column, (right..).into());
        let mut layout = Layout { shape: corner.shape.without(column), ..corner.clone() };
        layout.shape = layout.shape.with(row, corner.shape[row].min(corner.shape[column]));
        layout.strides.truncate(column);
        layout.strides[row] += corner.strides[column];
        self.view(layout)
    }

    /// The square matrix with this tensor, of one axis, on the given diagonal and 0 elsewhere; the last axis of a batch
    /// becomes the diagonal of its last two. The transpose of [`diagonal`](Tensor::diagonal) for square matrices.
    ///
    /// # Panics
    /// If there is no axis, or the matrices have too many elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0]).diag(0), Tensor::from([[1.0, 0.0], [0.0, 2.0]]));
    /// assert_eq!(Tensor::from([1.0f32]).diag(1), Tensor::from([[0.0, 1.0], [0.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Tensor<T> {
        let last = self.shape().axis("diag", -1);
        let length = self.shape()[last];
        let (down, right) = below_and_right(offset);
        let n = length.saturating_add(offset.unsigned_abs());
        let shape = self.shape().with(last, n).inserted(last, n);
        if !shape.fits() {
            size::too_many(
                "diag",
                &format!("matrices with shape {} on diagonal {offset} have", self.shape()),
            );
        }
        let x = self.contiguous_for("diag");
        let x = x.contiguous_slice();
        Tensor::filled_by("diag", shape, |out| {
            out.fill(T::default());
            for_each_block(out, n * n, |i, matrix| {
                let places = matrix[down * n + right..].iter_mut().step_by(n + 1);
                places.zip(&x[i * length..][..length]).for_each(|(o, &x)| *o = x);
            });
        })
    }

    /// The lower triangles of the last two axes: 0 above the given diagonal (see [`diagonal`](Tensor::diagonal)).
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.tril(0), Tensor::from([[1.0, 0.0], [3.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn tril(&self, offset: isize) -> Tensor<T> {
        // No row or column is so far away that a limited sum would not be beyond it.
        self.triangle("tril", |row, columns| {
            row.saturating_add(offset).saturating_add(1).clamp(0, columns)..columns
        })
    }

    /// The upper triangles of the last two axes: 0 below the given diagonal (see [`diagonal`](Tensor::diagonal)).
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, offset: isize) -> Tensor<T> {
        self.triangle("triu", |row, columns| 0..row.saturating_add(offset).clamp(0, columns))
    }

    /// With 0 in the columns that `cleared(row, columns)` names.
    #[track_caller]
    fn triangle(
        &self,
        operation: &str,
        cleared: impl Fn(isize, isize) -> std::ops::Range<isize> + Sync + Send,
    ) -> Tensor<T> {
        let &[.., rows, columns] = &self.shape()[..] else {
            panic!("{operation}: shape {} has fewer than two axes", self.shape())
        };
        let mut out = self.copied_for(operation);
        for_each_block(out.as_mut_slice(), columns, |i, row| {
            let range = cleared((i % rows) as isize, columns as isize);
            row[range.start as usize..range.end as usize].fill(T::default());
        });
        out
    }
}

/// How many rows below the corner of the matrix a diagonal begins, and how many columns right of it.
fn below_and_right(offset: isize) -> (usize, usize) {
    if offset < 0 { (offset.unsigned_abs(), 0) } else { (0, offset.unsigned_abs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagonals_and_triangles_of_views() {
        let x = Tensor::<f64>::arange(1.0, 25.0, 1.0).reshape([2, 3, 4]);
        for view in [x.clone(), x.t(), x.permute([1, 0, 2]), x.flip([1, 2])] {
            let (rows, columns) = (view.dim(-2) as isize, view.dim(-1) as isize);
            for offset in -5..=5 {
                let inside = |i: &[usize]| i[2] as isize - i[1] as isize;
                let naive = |keep: &dyn Fn(isize) -> bool| {
                    Tensor::from_fn(view.shape(), |i| {
                        if keep(inside(i)) { view.at([i[0], i[1], i[2]]) } else { 0.0 }
                    })
                };
                assert_eq!(view.tril(offset), naive(&|d| d <= offset));
                assert_eq!(view.triu(offset), naive(&|d| d >= offset));
                let length = (rows - (-offset).max(0)).min(columns - offset.max(0)).max(0) as usize;
                let expected = Tensor::from_fn([view.dim(0), length], |i| {
                    let shift = |by: isize| i[1] + by.max(0) as usize;
                    view.at([i[0], shift(-offset), shift(offset)])
                });
                assert_eq!(view.diagonal(offset), expected, "{offset}");
                assert_eq!(expected.diag(offset).diagonal(offset), expected);
                assert_eq!(expected.diag(offset).sum(), expected.sum());
            }
        }
        assert_eq!(Tensor::<f32>::zeros([0, 3]).tril(0).shape(), &[0, 3]);
        assert_eq!(Tensor::<f32>::zeros([0]).diag(0).shape(), &[0, 0]);
    }

    #[test]
    #[should_panic(expected = "triu: shape [3] has fewer than two axes")]
    fn a_vector_has_no_triangle() {
        Tensor::<f32>::zeros([3]).triu(0);
    }
}
