//! The largest and smallest elements, and where they are.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::shape::{Axes, Axis};
use crate::array::size::check_positions;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::folds::Extreme;

impl<T: Float> Tensor<T> {
    /// The largest of all elements, as a tensor without axes; NaN if any element is.
    ///
    /// # Panics
    /// If there are no elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 5.0, 3.0]).max().item(), 5.0);
    /// ```
    #[track_caller]
    pub fn max(&self) -> Tensor<T> {
        self.max_axes(.., false)
    }

    /// The largest element along `axes`, which stay with length 1 if `keepdim`; NaN if any of them is.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice, or there are no elements along the axes.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 5.0], [4.0, 2.0]]);
    /// assert_eq!((x.max_axes(0, false).to_vec(), x.max_axes(.., false).item()), (vec![4.0, 5.0], 5.0));
    /// ```
    #[track_caller]
    pub fn max_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn max<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
                x.fold_masked(mask, keepdim, Extreme::<true>)
            }
        }
        max(self, &self.with_elements("max", axes.into()), keepdim)
    }

    /// The smallest of all elements, as a tensor without axes; NaN if any element is.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(&self) -> Tensor<T> {
        self.min_axes(.., false)
    }

    /// The smallest element along `axes`, which stay with length 1 if `keepdim`; NaN if any of them is.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice, or there are no elements along the axes.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 5.0], [4.0, 2.0]]);
    /// assert_eq!(x.min_axes(1, true).shape(), &[2, 1]);
    /// ```
    #[track_caller]
    pub fn min_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn min<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
                x.fold_masked(mask, keepdim, Extreme::<false>)
            }
        }
        min(self, &self.with_elements("min", axes.into()), keepdim)
    }

    /// The position of the largest element along `axis`, which goes away: the first one of equals. NaN counts as
    /// larger than every number, as in PyTorch.
    ///
    /// # Panics
    /// If there is no such axis, or it has length 0 or more than 2³².
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let scores = Tensor::from([[0.1f32, 0.7, 0.2], [0.5, 0.1, 0.5]]);
    /// assert_eq!(scores.argmax(-1).to_vec(), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmax(&self, axis: impl Into<Axis>) -> Tensor<u32> {
        compiled_here! {
            fn argmax<T: Float>(x: &Tensor<T>, mask: &[bool]) -> Tensor<u32> {
                x.fold_rows_masked("argmax", mask, false, Extreme::<true>)
            }
        }
        argmax(self, &self.with_positions("argmax", axis.into()))
    }

    /// The position of the smallest element along `axis`, which goes away: the first one of equals. NaN counts as
    /// smaller than every number, as in PyTorch.
    ///
    /// # Panics
    /// If there is no such axis, or it has length 0 or more than 2³².
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([[3.0f64, 1.0], [0.0, 2.0]]).argmin(1).to_vec(), [1, 0]);
    /// ```
    #[track_caller]
    pub fn argmin(&self, axis: impl Into<Axis>) -> Tensor<u32> {
        compiled_here! {
            fn argmin<T: Float>(x: &Tensor<T>, mask: &[bool]) -> Tensor<u32> {
                x.fold_rows_masked("argmin", mask, false, Extreme::<false>)
            }
        }
        argmin(self, &self.with_positions("argmin", axis.into()))
    }

    /// The mask of an axis, after checks that every output has a position to tell, in `u32`.
    #[track_caller]
    fn with_positions(&self, operation: &str, axis: Axis) -> SmallVec<[bool; 4]> {
        let axis = self.shape().axis(operation, axis);
        check_positions(operation, self.shape()[axis]);
        self.with_elements(operation, axis.into())
    }

    /// The mask of the axes, after a check that every output has at least one element to come from.
    #[track_caller]
    fn with_elements(&self, operation: &str, axes: Axes) -> SmallVec<[bool; 4]> {
        let mask = axes.mask(operation, self.shape());
        let lengths = || self.shape().iter().zip(&mask);
        let empty = lengths().any(|(&d, &reduced)| reduced && d == 0);
        let outputs = lengths().all(|(&d, &reduced)| reduced || d > 0);
        assert!(
            !(empty && outputs),
            "{operation}: there are no elements along the axes of shape {}",
            self.shape()
        );
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_axes_of_any_view() {
        let x = Tensor::<f64>::from([[3.0, -1.0, 2.0], [0.0, 7.0, 2.0]]);
        assert_eq!(x.max_axes(0, false).to_vec(), [3.0, 7.0, 2.0]);
        assert_eq!(x.min_axes(1, true), Tensor::from([[-1.0], [0.0]]));
        assert_eq!((x.max().item(), x.t().min().item()), (7.0, -1.0));
        assert_eq!(x.argmax(0).to_vec(), [0, 1, 0]);
        assert_eq!(x.t().argmin(-1).to_vec(), [1, 0, 0]);
        let infinite = Tensor::from([f32::NEG_INFINITY, f32::NEG_INFINITY]);
        assert_eq!((infinite.max().item(), infinite.argmax(0).item()), (f32::NEG_INFINITY, 0));
    }

    #[test]
    fn nan_is_the_extreme() {
        for n in [1, 5, 40, 5000] {
            for at in [0, n / 2, n - 1] {
                let x = Tensor::from_fn([n], |i| if i[0] >= at { f32::NAN } else { i[0] as f32 });
                assert!(x.max().item().is_nan() && x.min().item().is_nan());
                assert_eq!((x.argmax(0).item(), x.argmin(0).item()), (at as u32, at as u32));
            }
        }
    }

    #[test]
    fn the_first_of_equals_in_long_rows() {
        let x =
            Tensor::from_fn([2, 100_000], |i| if i[1] == 70_001 || i[1] == 90_000 { 2.0f32 } else { -1.0 });
        assert_eq!((x.argmax(1).to_vec(), x.argmin(1).to_vec()), (vec![70_001; 2], vec![0; 2]));
    }

    #[test]
    fn empty_outputs_need_no_elements() {
        let x = Tensor::<f32>::zeros([3, 0]);
        assert_eq!((x.max_axes(0, false).shape(), x.argmin(0).shape()), (&0.into(), &0.into()));
    }

    #[test]
    #[should_panic(expected = "max: there are no elements along the axes of shape [3, 0]")]
    fn no_elements() {
        Tensor::<f32>::zeros([3, 0]).max_axes(1, false);
    }

    #[test]
    #[should_panic(expected = "argmax: there are no elements along the axes of shape [0]")]
    fn no_position() {
        Tensor::<f32>::zeros([0]).argmax(0);
    }
}
