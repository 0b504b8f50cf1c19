//! Sorting along an axis. NaN counts as larger than every number, as in PyTorch and NumPy.

use crate::array::element::Element;
use crate::array::shape::Axis;
use crate::array::size::check_positions;
use crate::array::tensor::Tensor;
use crate::kernels::sort;
use crate::loops::along::mapped_rows;

impl<T: Element> Tensor<T> {
    /// The elements along `axis` in ascending order, or descending. Stable; NaN comes last, or first if descending.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[3.0f32, 1.0, 2.0]]);
    /// assert_eq!(x.sort(-1, false).to_vec(), [1.0, 2.0, 3.0]);
    /// assert_eq!(x.sort(-1, true).to_vec(), [3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: impl Into<Axis>, descending: bool) -> Tensor<T> {
        let axis = self.shape().axis("sort", axis);
        mapped_rows("sort", axis, [self], |[x], length, out| sort::sort(x, descending, length, out))
    }

    /// The positions that sort the elements along `axis`: [`gather`](Tensor::gather) with them is
    /// [`sort`](Tensor::sort). Stable: equal elements keep their order, also when descending.
    ///
    /// # Panics
    /// If there is no such axis, or it is longer than 2³².
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([3.0f32, 1.0, 3.0]).argsort(0, true).to_vec(), [0, 2, 1]);
    /// ```
    #[track_caller]
    pub fn argsort(&self, axis: impl Into<Axis>, descending: bool) -> Tensor<u32> {
        let axis = self.shape().axis("argsort", axis);
        check_positions("argsort", self.shape()[axis]);
        mapped_rows("argsort", axis, [self], |[x], length, out| sort::argsort(x, descending, length, out))
    }

    /// The `k` largest elements along `axis`, largest first, and their positions. Of equal elements the first come
    /// first; NaN counts as the largest.
    ///
    /// # Panics
    /// If there is no such axis, or it is shorter than `k` or longer than 2³².
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (values, positions) = Tensor::from([1.0f32, 4.0, 3.0, 4.0]).topk(3, 0);
    /// assert_eq!(values.to_vec(), [4.0, 4.0, 3.0]);
    /// assert_eq!(positions.to_vec(), [1, 3, 2]);
    /// ```
    #[track_caller]
    pub fn topk(&self, k: usize, axis: impl Into<Axis>) -> (Tensor<T>, Tensor<u32>) {
        let axis = self.shape().axis("topk", axis);
        assert!(k <= self.shape()[axis], "topk: {k} elements from axis {axis} of shape {}", self.shape());
        check_positions("topk", self.shape()[axis]);
        let sorted = mapped_rows("topk", axis, [self], |[x], length, out| sort::topk(x, k, length, out));
        let positions = sorted.slice_axis(axis, ..k).contiguous();
        (self.gather(axis, &positions), positions)
    }

    /// The different elements of the whole tensor in ascending order. All NaN count as one element.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<u32>::from([[2, 1], [2, 5]]).unique().to_vec(), [1, 2, 5]);
    /// ```
    pub fn unique(&self) -> Tensor<T> {
        Tensor::from(sort::unique(self.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_the_first_of_those_that_are_sorted() {
        for (n, ties) in [(9, 3), (20, 40), (1000, 7), (1000, 5000)] {
            let numbers: Vec<f32> = (0..n as u32)
                .map(|i| match i.wrapping_mul(2_654_435_761) >> 7 {
                    x if x % 31 == 0 => f32::NAN,
                    x => (x % ties) as f32 - 3.0,
                })
                .collect();
            let x = Tensor::from(numbers);
            let sorted = x.argsort(0, true);
            for k in [0, 1, 2, 5, 63, 64, 65, 200].into_iter().filter(|&k| k <= n) {
                assert_eq!(x.topk(k, 0).1, sorted.slice_axis(0, ..k as isize), "{k} of {n}");
            }
        }
        let nan = Tensor::from(vec![f32::NAN; 100]);
        assert_eq!(nan.topk(3, 0).1.to_vec(), [0, 1, 2]);
    }

    #[test]
    fn sorting_along_every_axis() {
        let x = Tensor::<f64>::from_fn([4, 3, 50], |i| ((i[0] * 31 + i[1] * 17 + i[2] * 7) % 23) as f64);
        for view in [x.clone(), x.permute([2, 0, 1]), x.flip(2)] {
            for axis in 0..3 {
                for descending in [false, true] {
                    let (sorted, order) = (view.sort(axis, descending), view.argsort(axis, descending));
                    assert_eq!(view.gather(axis, &order), sorted);
                    let n = view.dim(axis) as isize;
                    let steps = sorted.slice_axis(axis, 1..) - sorted.slice_axis(axis, ..n - 1);
                    assert!(if descending { steps.le(0.0) } else { steps.ge(0.0) }.all());
                    assert_eq!(sorted.sum_axes(axis, false), view.sum_axes(axis, false));
                }
                for k in 0..=view.dim(axis) {
                    let (values, positions) = view.topk(k, axis);
                    assert_eq!(values, view.sort(axis, true).slice_axis(axis, ..k));
                    assert_eq!(positions, view.argsort(axis, true).slice_axis(axis, ..k));
                }
            }
        }
    }

    #[test]
    fn nan_is_the_largest() {
        let x = Tensor::from([f32::NAN, 1.0, f32::INFINITY, f32::NAN, -1.0]);
        assert_eq!(x.argsort(0, false).to_vec(), [4, 1, 2, 0, 3]);
        assert_eq!(x.argsort(0, true).to_vec(), [0, 3, 2, 1, 4]);
        assert_eq!(x.sort(0, false).slice(..3).to_vec(), [-1.0, 1.0, f32::INFINITY]);
        assert_eq!(x.topk(2, 0).1.to_vec(), [0, 3]);
        assert_eq!(x.unique().len(), 4);
        assert_eq!(Tensor::from([true, false, true]).unique().to_vec(), [false, true]);
        assert_eq!(Tensor::<f32>::zeros([0, 2]).sort(0, false).shape(), &[0, 2]);
    }

    #[test]
    #[should_panic(expected = "topk: 4 elements from axis 1 of shape [2, 3]")]
    fn more_than_there_are() {
        Tensor::<f32>::zeros([2, 3]).topk(4, 1);
    }
}
