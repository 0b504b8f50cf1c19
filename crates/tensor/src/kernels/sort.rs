//! Sorting along an axis. NaN counts as larger than every number, as in PyTorch and NumPy.

use std::cmp::Ordering;

use crate::array::element::Element;
use crate::array::shape::Axis;
use crate::array::size::check_positions;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::machine::simd::Isa;

/// The order in which elements are sorted: NaN last when ascending, first when descending; zeros of either sign equal.
#[inline(always)]
fn compare<T: Element>(a: T, b: T, descending: bool) -> Ordering {
    // Only NaN differs from itself.
    #[allow(clippy::eq_op)]
    let order = a.partial_cmp(&b).unwrap_or_else(|| (a != a).cmp(&(b != b)));
    if descending { order.reverse() } else { order }
}

struct Sort {
    descending: bool,
}

impl<T: Element> RowMap<T, T> for Sort {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        sort_row(x, self.descending, out);
    }
}

// What follows gains nothing from wide registers: compiled once, not for each instruction set.

#[inline(never)]
fn sort_row<T: Element>(x: &[T], descending: bool, out: &mut [T]) {
    out.copy_from_slice(x);
    out.sort_by(|&a, &b| compare(a, b, descending));
}

#[inline(never)]
fn argsort_row<T: Element>(x: &[T], descending: bool, out: &mut [u32]) {
    out.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
    out.sort_by(|&i, &j| compare(x[i as usize], x[j as usize], descending));
}

#[inline(never)]
fn topk_row<T: Element>(x: &[T], k: usize, out: &mut [u32]) {
    out.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
    // Of equal elements the first comes first, which makes the order total and the selection unique.
    let order = |&i: &u32, &j: &u32| compare(x[i as usize], x[j as usize], true).then(i.cmp(&j));
    if k < out.len() {
        out.select_nth_unstable_by(k, order);
    }
    out[..k].sort_unstable_by(order);
}

struct Argsort {
    descending: bool,
}

impl<T: Element> RowMap<T, u32> for Argsort {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [u32]) {
        argsort_row(x, self.descending, out);
    }
}

/// The positions of the `k` largest elements at the front, in order; the others behind them, in any order.
struct TopK {
    k: usize,
}

impl<T: Element> RowMap<T, u32> for TopK {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [u32]) {
        topk_row(x, self.k, out);
    }
}

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
        compiled_here! {
            fn sort<T: Element>(x: &Tensor<T>, axis: usize, descending: bool) -> Tensor<T> {
                x.map_rows("sort", axis, Sort { descending })
            }
        }
        sort(self, self.shape().axis("sort", axis), descending)
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
        compiled_here! {
            fn argsort<T: Element>(x: &Tensor<T>, axis: usize, descending: bool) -> Tensor<u32> {
                x.map_rows("argsort", axis, Argsort { descending })
            }
        }
        let axis = self.shape().axis("argsort", axis);
        check_positions("argsort", self.shape()[axis]);
        argsort(self, axis, descending)
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
        compiled_here! {
            fn topk<T: Element>(x: &Tensor<T>, axis: usize, k: usize) -> Tensor<u32> {
                x.map_rows("topk", axis, TopK { k })
            }
        }
        let axis = self.shape().axis("topk", axis);
        assert!(k <= self.shape()[axis], "topk: {k} elements from axis {axis} of shape {}", self.shape());
        check_positions("topk", self.shape()[axis]);
        let positions = topk(self, axis, k).slice_axis(axis, ..k).contiguous();
        (self.gather(axis, &positions), positions)
    }

    /// The different elements of the whole tensor in ascending order. All NaN count as one element.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<u32>::from([[2, 1], [2, 5]]).unique().to_vec(), [1, 2, 5]);
    /// ```
    pub fn unique(&self) -> Tensor<T> {
        let mut elements = self.to_vec();
        elements.sort_by(|&a, &b| compare(a, b, false));
        elements.dedup_by(|a, b| compare(*a, *b, false).is_eq());
        Tensor::from(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
