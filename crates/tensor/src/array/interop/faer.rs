//! Conversion to and from `faer`'s matrices, with the feature `faer`.

use faer::{Mat, MatRef};

use super::matrix::{Strided, strided};
use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// A copy of a matrix of any layout, of shape `[rows, columns]`.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let matrix = faer::mat![[1.0f32, 2.0], [3.0, 4.0]];
/// assert_eq!(Tensor::from(matrix.as_ref().transpose()), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
/// ```
impl<T: Element> From<MatRef<'_, T>> for Tensor<T> {
    #[track_caller]
    fn from(matrix: MatRef<'_, T>) -> Self {
        let (rows, columns) = (matrix.nrows(), matrix.ncols());
        Tensor::filled_by("from", [rows, columns].into(), |out| {
            if columns > 0 {
                for (i, row) in out.chunks_exact_mut(columns).enumerate() {
                    row.iter_mut().enumerate().for_each(|(j, o)| *o = matrix[(i, j)]);
                }
            }
        })
    }
}

/// A copy, of shape `[rows, columns]`.
impl<T: Element> From<&Mat<T>> for Tensor<T> {
    #[track_caller]
    fn from(matrix: &Mat<T>) -> Self {
        Tensor::from(matrix.as_ref())
    }
}

impl<T: Element> Tensor<T> {
    /// A matrix of two axes, or a vector as a column, as `faer` sees it: no element is copied. `None` unless the elements of its rows
    /// or of its columns follow each other in memory.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.faer_view().unwrap()[(0, 1)], 2.0);
    /// assert_eq!(x.t().faer_view().unwrap()[(0, 1)], 3.0);
    /// ```
    ///
    /// # Panics
    /// If it has neither one axis nor two.
    #[track_caller]
    pub fn faer_view(&self) -> Option<MatRef<'_, T>> {
        let Strided { elements, rows, columns, strides } = strided("faer_view", self)?;
        match strides {
            [1, across] if across >= rows || columns <= 1 => {
                Some(MatRef::from_column_major_slice_with_stride(elements, rows, columns, across.max(rows)))
            }
            [down, 1] if down >= columns || rows <= 1 => {
                Some(MatRef::from_row_major_slice_with_stride(elements, rows, columns, down.max(columns)))
            }
            _ => None,
        }
    }

    /// A copy of a matrix of two axes, or of a vector as a column, for `faer`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(Tensor::from(&x.to_faer()), x);
    /// ```
    ///
    /// # Panics
    /// If it has neither one axis nor two.
    #[track_caller]
    pub fn to_faer(&self) -> Mat<T> {
        let straight = self.contiguous();
        let Strided { elements, rows, columns, .. } =
            strided("to_faer", &straight).expect("it is contiguous");
        Mat::from_fn(rows, columns, |i, j| elements[i * columns + j])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_for_any_layout() {
        let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([4, 6]);
        let viewed = [
            (x.clone(), true),
            (x.t(), true),
            (x.slice_axis(1, 1..4), true),
            (x.slice_axis(1, 1..4).t(), true),
            (x.slice_axis(0, 2..2), true),
            (x.slice_axis(1, 0..1), true),
            (x.slice_axis(0, 3..4), true),
            (x.flip([0]), false),
            (Tensor::from([1.0, 2.0]), true),
        ];
        for (x, is_viewed) in viewed {
            let matrix = x.to_faer();
            let columns = x.shape().get(1).copied().unwrap_or(1);
            assert_eq!(Tensor::from(&matrix), x.reshape([x.dim(0), columns]));
            assert_eq!(x.faer_view().is_some(), is_viewed, "{} {:?}", x.shape(), x.strides());
            if let Some(view) = x.faer_view() {
                assert_eq!(Tensor::from(view), Tensor::from(&matrix));
            }
        }
    }

    #[test]
    fn views_copy_nothing() {
        let x = Tensor::<f32>::ones([3, 5]);
        assert_eq!(x.faer_view().unwrap().as_ptr(), x.as_slice().unwrap().as_ptr());
        let t = x.t();
        assert_eq!(t.faer_view().unwrap().as_ptr(), x.as_slice().unwrap().as_ptr());
    }

    #[test]
    #[should_panic(expected = "faer_view: a tensor of shape [1, 2, 3] is neither a vector nor a matrix")]
    fn three_axes_are_no_matrix() {
        let _ = Tensor::<f32>::ones([1, 2, 3]).faer_view();
    }

    #[test]
    #[should_panic(expected = "to_faer: a tensor of shape [] is neither a vector nor a matrix")]
    fn no_axes_are_no_matrix() {
        let _ = Tensor::<f32>::scalar(1.0).to_faer();
    }
}
