//! Sums and means, and the sum that undoes a broadcast.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::shape::{Axes, Shape, broadcast};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::folds::SumOf;

impl<T: Float> Tensor<T> {
    /// The sum of all elements, as a tensor without axes. Pairwise: the relative error for positive elements
    /// grows with the logarithm of their number (Higham, "The accuracy of floating point summation", 1993).
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::full([10_000_000], 0.1);
    /// assert!((x.sum().item() / 1e6 - 1.0).abs() < 1e-6);
    /// ```
    pub fn sum(&self) -> Tensor<T> {
        self.sum_axes(.., false)
    }

    /// The sum over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        sums(self, &axes.into().mask("sum", self.shape()), keepdim)
    }

    /// The sum over some axes of the elements that are not NaN; the axes stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([[1.0f64, f64::NAN], [3.0, 4.0]]).nansum_axes(1, false).to_vec(), [1.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn nansum_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        sums_of_numbers(self, &axes.into().mask("nansum", self.shape()), keepdim)
    }

    /// The mean of all elements; NaN if there are none.
    pub fn mean(&self) -> Tensor<T> {
        self.mean_axes(.., false)
    }

    /// The mean over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]).mean_axes(0, false).to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn mean_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        let sums = sums(self, &axes.into().mask("mean", self.shape()), keepdim);
        // Where there are no elements, 0/0 is the mean of nothing.
        let count = self.len().checked_div(sums.len()).unwrap_or(1);
        sums / count as f64
    }

    /// The sum over the axes along which `shape` was broadcast to this tensor's shape: the transpose of
    /// [`broadcast_to`](Tensor::broadcast_to).
    ///
    /// # Panics
    /// If `shape` does not broadcast to this tensor's shape.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_to(&[2].into()).to_vec(), [4.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn sum_to(&self, shape: &Shape) -> Tensor<T> {
        if self.shape() == shape {
            return self.clone();
        }
        assert!(
            broadcast(self.shape(), shape).as_ref() == Some(self.shape()),
            "sum_to: shape {shape} does not broadcast to {}",
            self.shape()
        );
        self.sum_axes(&broadcast_axes(shape, self.shape())[..], true).reshape(shape)
    }
}

compiled_here! {
    fn sums<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
        x.fold_masked(mask, keepdim, SumOf(|x: T| x))
    }
}

compiled_here! {
    fn sums_of_numbers<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
        x.fold_masked(mask, keepdim, SumOf(|x: T| if x.is_nan() { T::ZERO } else { x }))
    }
}

/// The axes of `to` along which `from` is repeated when it is broadcast.
///
/// # Panics
/// If `from` has more axes than `to`.
///
/// ```
/// use wengert_tensor::broadcast_axes;
/// assert_eq!(broadcast_axes(&[1, 4].into(), &[2, 3, 4].into())[..], [0, 1]);
/// ```
#[track_caller]
pub fn broadcast_axes(from: &Shape, to: &Shape) -> SmallVec<[isize; 4]> {
    let Some(lead) = to.len().checked_sub(from.len()) else {
        panic!("broadcast_axes: shape {from} does not broadcast to {to}");
    };
    (0..to.len()).filter(|&i| i < lead || from[i - lead] != to[i]).map(|i| i as isize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    #[test]
    fn sums_over_axes() {
        let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
        assert_eq!(x.sum().item(), 276.0);
        assert_eq!(x.sum_axes([0, 2], false).to_vec(), [60.0, 92.0, 124.0]);
        assert_eq!(x.sum_axes(1, true).shape(), &[2, 1, 4]);
        assert_eq!(x.t().sum_axes(-1, false), x.sum_axes(1, false));
        assert_eq!(x.mean_axes(2, false).to_vec(), [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]);
        let holed = x.map(|x: f64| if x % 3.0 == 1.0 { f64::NAN } else { x });
        let filled = holed.map(|x: f64| if x.is_nan() { 0.0 } else { x });
        for axes in [&[0isize, 2][..], &[1], &[]] {
            assert_eq!(holed.nansum_axes(axes, true), filled.sum_axes(axes, true));
        }
        assert!(Tensor::<f64>::zeros([0]).mean().item().is_nan());
        assert_eq!(Tensor::<f64>::zeros([0, 2]).sum_axes(0, false).to_vec(), [0.0, 0.0]);
    }

    #[test]
    fn ten_million_terms_in_single_precision() {
        let x = Tensor::<f32>::from_fn([10_000_000], |i| 1.0 + (i[0] % 977) as f32 * 1e-3);
        let exact: f64 = x.as_slice().unwrap().iter().map(|&v| f64::from(v)).sum();
        for view in [x.clone(), x.flip(0), x.reshape([1000, 10_000]).t(), x.reshape([5_000_000, 2])] {
            assert!((f64::from(view.sum().item()) / exact - 1.0).abs() < 1e-7);
        }
        let columns = x.reshape([5_000_000, 2]).sum_axes(0, false);
        assert!((f64::from(columns.at([0]) + columns.at([1])) / exact - 1.0).abs() < 2e-7);
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let x = Tensor::<f32>::from_fn([300, 700], |i| ((i[0] * 31 + i[1] * 17) % 101) as f32 * 0.37);
        let all = || {
            let tall = x.reshape([30_000, 7]);
            (x.sum(), x.sum_axes(0, false), x.sum_axes(1, false), tall.sum_axes(0, false))
        };
        let expected = with_threads(1, all);
        for threads in [2, 3, 8] {
            assert!(with_threads(threads, all) == expected);
        }
    }

    #[test]
    fn undoing_a_broadcast() {
        let x = Tensor::<f64>::ones([2, 3, 4]);
        assert_eq!(x.sum_to(&[3, 1].into()).to_vec(), [8.0; 3]);
        assert_eq!(x.sum_to(&Shape::scalar()).item(), 24.0);
        assert_eq!(x.sum_to(&[1, 1, 1].into()).shape(), &[1, 1, 1]);
    }
}
