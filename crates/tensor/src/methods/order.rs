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

    /// The positions along `axis`, which becomes `count` long, of elements by their ranks in ascending order, counted from 0; equal ones
    /// stay in their order. `ranks` is told how many elements of a row are not NaN, which come last, and fills a list with ranks.
    ///
    /// # Panics
    /// If there is no such axis, it is empty or longer than 2³², the result has too many elements, or there is no such rank.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([3.0f32, f32::NAN, 2.0, 1.0]);
    /// // The smallest and the largest number.
    /// let ends = x.ranked(0, 2, &|numbers, ranks| ranks.copy_from_slice(&[0, numbers - 1]));
    /// assert_eq!(ends.to_vec(), [3, 0]);
    /// ```
    #[track_caller]
    pub fn ranked(
        &self,
        axis: impl Into<Axis>,
        count: usize,
        ranks: &(dyn Fn(usize, &mut [usize]) + Sync),
    ) -> Tensor<u32> {
        let axis = self.shape().axis("ranked", axis);
        let (length, last) = (self.shape()[axis], self.rank() - 1);
        assert!(length > 0, "ranked: there are no elements along axis {axis} of shape {}", self.shape());
        check_positions("ranked", length);
        let rows = self.transpose(axis, last).contiguous();
        let shape = rows.shape().with(last, count).checked("ranked");
        let found = Tensor::filled_by("ranked", shape, |out| {
            if !out.is_empty() {
                order::ranks(rows.contiguous_slice(), length, count, ranks, out);
            }
        });
        found.transpose(axis, last)
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
    fn ranks_are_those_of_a_stable_sort() {
        let pick = [0.0, -0.0, NAN, f64::INFINITY, -f64::INFINITY, 1e-310, -2.0, 3.0, -NAN];
        let x = Tensor::<f64>::from_fn([6, 40], |i| match (i[0] * 40 + i[1]) * 7 % 23 {
            n if n < pick.len() => pick[n],
            n => ((n * 31 + i[1]) as f64).sin(),
        });
        fn check<T: Float>(x: &Tensor<T>) {
            let (sorted, length) = (x.argsort(1, false), x.dim(1));
            for wanted in [vec![0], vec![4, 3, 39, 3], (0..length).collect::<Vec<_>>()] {
                let found = x.ranked(1, wanted.len(), &|_, ranks| ranks.copy_from_slice(&wanted));
                let places: Vec<u32> = wanted.iter().map(|&k| k as u32).collect();
                let expected = sorted.index_select(1, &Tensor::vector(&places));
                assert_eq!(found, expected, "{wanted:?}");
                let turned = x.t().ranked(0, wanted.len(), &|_, ranks| ranks.copy_from_slice(&wanted));
                assert_eq!(turned.t().contiguous(), expected);
            }
        }
        check(&x);
        check(&x.cast::<f32>());
        assert_eq!(Tensor::<f32>::zeros([0, 2]).ranked(1, 1, &|_, ranks| ranks[0] = 0).shape(), &[0, 1]);
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
