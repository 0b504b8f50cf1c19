//! Conversion to and from `nalgebra`'s matrices, with the feature `nalgebra`.

use nalgebra::{DMatrix, Dim, Dyn, Matrix, MatrixView, RawStorage, Scalar};

use super::matrix::{Strided, strided};
use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// A copy of a matrix or of a view of one, of shape `[rows, columns]`; a vector is a matrix of one column.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let matrix = nalgebra::DMatrix::from_row_slice(2, 2, &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(Tensor::from(&matrix), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
/// let vector = nalgebra::DVector::from_vec(vec![1.0f64, 2.0]);
/// assert_eq!(Tensor::from(&vector).reshape([2]).to_vec(), [1.0, 2.0]);
/// ```
impl<T: Element + Scalar, R: Dim, C: Dim, S: RawStorage<T, R, C>> From<&Matrix<T, R, C, S>> for Tensor<T> {
    #[track_caller]
    fn from(matrix: &Matrix<T, R, C, S>) -> Self {
        let (rows, columns) = matrix.shape();
        // In their order, which is by columns.
        let transposed = Tensor::filled_by("from", [columns, rows].into(), |out| {
            out.iter_mut().zip(matrix.iter()).for_each(|(o, &x)| *o = x);
        });
        transposed.t().contiguous()
    }
}

impl<T: Element + Scalar> Tensor<T> {
    /// A matrix of two axes, or a vector as a column, as `nalgebra` sees it: no element is copied. `None` where a stride is negative,
    /// which its views cannot have.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// let view = x.nalgebra_view().unwrap();
    /// assert_eq!((view[(0, 1)], view.trace()), (2.0, 5.0));
    /// assert_eq!(x.t().nalgebra_view().unwrap()[(0, 1)], 3.0);
    /// ```
    ///
    /// # Panics
    /// If it has neither one axis nor two.
    #[track_caller]
    pub fn nalgebra_view(&self) -> Option<MatrixView<'_, T, Dyn, Dyn, Dyn, Dyn>> {
        let Strided { elements, rows, columns, strides } = strided("nalgebra_view", self)?;
        // It asks for the memory of rows and columns that an empty matrix does not have, unless they take none.
        let [down, across] = match (rows, columns) {
            (0, _) => [1, 0],
            (_, 0) => [0, 1],
            _ => strides,
        };
        Some(MatrixView::<T, Dyn, Dyn, Dyn, Dyn>::from_slice_with_strides(
            elements, rows, columns, down, across,
        ))
    }

    /// A copy of a matrix of two axes, or of a vector as a column, for `nalgebra`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let doubled = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]).to_nalgebra() * 2.0;
    /// assert_eq!(Tensor::from(&doubled), Tensor::from([[2.0, 4.0], [6.0, 8.0]]));
    /// ```
    ///
    /// # Panics
    /// If it has neither one axis nor two.
    #[track_caller]
    pub fn to_nalgebra(&self) -> DMatrix<T> {
        let straight =
            if self.strides().iter().any(|&stride| stride < 0) { self.contiguous() } else { self.clone() };
        let Strided { rows, columns, .. } = strided("to_nalgebra", &straight).expect("no stride is negative");
        DMatrix::from_row_iterator(rows, columns, straight.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_for_any_layout() {
        let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([4, 6]);
        for x in [
            x.clone(),
            x.t(),
            x.slice_axis(1, 1..4),
            x.slice_axis(0, 2..2),
            x.slice_axis(1, 0..1),
            x.flip([0]),
        ] {
            let matrix = x.to_nalgebra();
            assert_eq!(Tensor::from(&matrix), x);
            match x.nalgebra_view() {
                Some(view) => assert_eq!(view.into_owned(), matrix),
                None => assert!(x.strides().iter().any(|&stride| stride < 0)),
            }
        }
        let vector = Tensor::from([1.0f32, 2.0, 3.0]);
        assert_eq!(vector.nalgebra_view().unwrap().shape(), (3, 1));
        assert_eq!(Tensor::from(&vector.to_nalgebra()), vector.reshape([3, 1]));
        let fixed = nalgebra::Matrix2x3::new(1u32, 2, 3, 4, 5, 6);
        assert_eq!(Tensor::from(&fixed), Tensor::from([[1, 2, 3], [4, 5, 6]]));
        assert_eq!(Tensor::from(&fixed.columns(1, 2)), Tensor::from([[2, 3], [5, 6]]));
    }

    #[test]
    fn views_copy_nothing() {
        let x = Tensor::<f32>::ones([3, 5]);
        assert_eq!(x.nalgebra_view().unwrap().as_ptr(), x.as_slice().unwrap().as_ptr());
        let t = x.t();
        assert_eq!(t.nalgebra_view().unwrap().as_ptr(), x.as_slice().unwrap().as_ptr());
    }

    #[test]
    #[should_panic(expected = "nalgebra_view: a tensor of shape [1, 2, 3] is neither a vector nor a matrix")]
    fn three_axes_are_no_matrix() {
        let _ = Tensor::<f32>::ones([1, 2, 3]).nalgebra_view();
    }

    #[test]
    #[should_panic(expected = "to_nalgebra: a tensor of shape [] is neither a vector nor a matrix")]
    fn no_axes_are_no_matrix() {
        let _ = Tensor::<f32>::scalar(1.0).to_nalgebra();
    }
}
