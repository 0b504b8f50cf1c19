//! Positions along an axis that the order of the elements decides.

use crate::array::element::Float;
use crate::array::shape::Axis;
use crate::array::size::check_positions;
use crate::array::tensor::Tensor;
use crate::kernels::order::{self, OrderStatistic};
use crate::loops::along::{folded_rows, mapped_rows};

impl<T: Float> Tensor<T> {
    /// The position along `axis`, which stays with length 1, of the element that has a certain place in the order; of equal ones
    /// the first, but for the mode. NaN counts as larger than every number.
    ///
    /// # Panics
    /// If there is no such axis, it is empty or longer than 2³², or has no element of that number.
    ///
    /// ```
    /// # use wengert_tensor::{OrderStatistic, Tensor};
    /// let x = Tensor::from([3.0f32, 1.0, 2.0, 3.0]);
    /// assert_eq!(x.order_statistic(OrderStatistic::Median, 0).to_vec(), [2]);
    /// assert_eq!(x.order_statistic(OrderStatistic::Mode, 0).to_vec(), [3]);
    /// ```
    #[track_caller]
    pub fn order_statistic(&self, which: OrderStatistic, axis: impl Into<Axis>) -> Tensor<u32> {
        let axis = self.shape().axis("order_statistic", axis);
        let length = self.shape()[axis];
        let least = if let OrderStatistic::Kth(k) = which { k } else { 0 };
        assert!(least < length, "order_statistic: {which:?} of axis {axis} of shape {}", self.shape());
        check_positions("order_statistic", length);
        let mut mask = vec![false; self.rank()];
        mask[axis] = true;
        folded_rows("order_statistic", self, &mask, true, |x, length, out| {
            order::positions(x, which, length, out)
        })
    }

    /// For each element the position along `axis` of the largest, or smallest, of all up to it: the last one of equals, and the last
    /// NaN where there is one.
    ///
    /// # Panics
    /// If there is no such axis, or it is longer than 2³².
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([2.0f32, 1.0, 2.0, 3.0]).running_extreme(0, true).to_vec(), [0, 0, 2, 3]);
    /// ```
    #[track_caller]
    pub fn running_extreme(&self, axis: impl Into<Axis>, largest: bool) -> Tensor<u32> {
        let axis = self.shape().axis("running_extreme", axis);
        check_positions("running_extreme", self.shape()[axis]);
        mapped_rows("running_extreme", axis, [self], |[x], length, out| {
            order::running_extremes(x, largest, length, out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn position<const N: usize>(x: [f64; N], which: OrderStatistic) -> u32 {
        Tensor::from(x).order_statistic(which, 0).item()
    }

    #[test]
    fn places_in_the_order() {
        let sorted = [0.5, 0.5, 2.0, 3.0, NAN];
        for k in 0..5 {
            let x = [3.0, NAN, 0.5, 2.0, 0.5];
            let found = x[position(x, OrderStatistic::Kth(k)) as usize];
            assert!(found == sorted[k] || found.is_nan() && k == 4, "{k}");
        }
        assert_eq!(position([0.5, 2.0, 0.5], OrderStatistic::Kth(0)), 0);
        assert_eq!(position([0.5, 2.0, 0.5], OrderStatistic::Kth(1)), 2);
        assert_eq!(position([4.0, 3.0, 2.0, 1.0], OrderStatistic::Median), 2);
        assert_eq!(position([4.0, NAN, NAN], OrderStatistic::Median), 1);
        assert_eq!(position([4.0, NAN, 1.0], OrderStatistic::NanMedian), 2);
        assert_eq!(position([NAN, NAN], OrderStatistic::NanMedian), 0);
        assert_eq!(position([3.0, 2.0, 2.0, 1.0, 3.0], OrderStatistic::Mode), 2);
        assert_eq!(position([3.0, NAN, 1.0, NAN], OrderStatistic::Mode), 3);
    }

    #[test]
    fn along_every_axis() {
        let x = Tensor::<f64>::from_fn([3, 4, 5], |i| ((i[0] * 31 + i[1] * 17 + i[2] * 7) % 23) as f64);
        for view in [x.clone(), x.permute([2, 0, 1]), x.flip(1)] {
            for axis in 0..3 {
                let median = view.gather(axis, &view.order_statistic(OrderStatistic::Median, axis));
                let middle = (view.dim(axis) as isize - 1) / 2;
                assert_eq!(median, view.sort(axis, false).slice_axis(axis, middle..middle + 1));
                let largest = view.gather(axis, &view.running_extreme(axis, true));
                assert_eq!(largest.slice_axis(axis, -1..), view.max_axes(axis as isize, true));
                assert_eq!(largest.slice_axis(axis, ..1), view.slice_axis(axis, ..1));
            }
        }
        assert_eq!(Tensor::<f32>::zeros([0, 2]).running_extreme(0, true).shape(), &[0, 2]);
        assert_eq!(Tensor::<f32>::zeros([0, 2]).order_statistic(OrderStatistic::Mode, 1).shape(), &[0, 1]);
    }

    #[test]
    fn runs_with_nan() {
        let x = Tensor::from([1.0, 1.0, 0.0, NAN, 3.0]);
        assert_eq!(x.running_extreme(0, true).to_vec(), [0, 1, 1, 3, 3]);
        assert_eq!(x.running_extreme(0, false).to_vec(), [0, 1, 2, 3, 3]);
    }

    #[test]
    #[should_panic(expected = "order_statistic: Kth(3) of axis 1 of shape [2, 3]")]
    fn no_such_place() {
        Tensor::<f32>::zeros([2, 3]).order_statistic(OrderStatistic::Kth(3), 1);
    }
}
