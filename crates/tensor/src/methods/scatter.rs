//! Adding to the positions that an index tensor names: the transposes of [`Tensor::index_select`] and
//! [`Tensor::gather`].
//!
//! A position that is named several times receives its terms in the order of the index, for any number of threads.

use crate::array::element::Float;
use crate::array::shape::Axis;
use crate::array::tensor::Tensor;
use crate::kernels::scatter::{self, Combine};
use crate::methods::index::{check_alongside, check_indices, selected_shape};

/// Combines the slices of `source` with those at the positions of `axis` that `index` names, in place and in the order of the
/// index: see [`Tensor::index_add`]. `operation` names the caller's operation in messages.
///
/// # Panics
/// As `index_add`.
///
/// ```
/// use wengert_tensor::{Combine, Tensor, combine_slices};
/// let mut best = Tensor::from([0.0f64, 0.0]);
/// let (index, source) = (Tensor::from([1u32, 1]), Tensor::from([3.0, 2.0]));
/// combine_slices("example", &mut best, 0, &index, &source, Combine::Larger);
/// assert_eq!(best.to_vec(), [0.0, 3.0]);
/// ```
#[track_caller]
pub fn combine_slices<T: Float>(
    operation: &str,
    x: &mut Tensor<T>,
    axis: impl Into<Axis>,
    index: &Tensor<u32>,
    source: &Tensor<T>,
    combine: Combine,
) {
    let axis = x.shape().axis(operation, axis);
    let expected = selected_shape(x.shape(), axis, index.shape());
    assert!(
        source.shape() == &expected,
        "{operation}: source shape {} is not {expected}, what index shape {} selects from axis {axis} of shape {}",
        source.shape(),
        index.shape(),
        x.shape()
    );
    check_indices(operation, index, x.shape(), axis);
    let (index, source, around) = (index.contiguous(), source.contiguous(), x.shape().around(axis));
    scatter::slices(x.as_mut_slice(), around, index.contiguous_slice(), source.contiguous_slice(), combine);
}

/// Combines every element of `source` with that at its own index, in which that along `axis` is replaced by `index[i, j, …]`, in
/// place and in the order of the index: see [`Tensor::scatter_add`]. `operation` names the caller's operation in messages.
///
/// # Panics
/// As `scatter_add`.
///
/// ```
/// use wengert_tensor::{Combine, Tensor, combine_elements};
/// let mut sums = Tensor::from([[0.0f64, 0.0]]);
/// let (index, source) = (Tensor::from([[1u32, 1]]), Tensor::from([[3.0, 2.0]]));
/// combine_elements("example", &mut sums, 1, &index, &source, Combine::Add);
/// assert_eq!(sums.to_vec(), [0.0, 5.0]);
/// ```
#[track_caller]
pub fn combine_elements<T: Float>(
    operation: &str,
    x: &mut Tensor<T>,
    axis: impl Into<Axis>,
    index: &Tensor<u32>,
    source: &Tensor<T>,
    combine: Combine,
) {
    let axis = x.shape().axis(operation, axis);
    check_alongside(operation, x.shape(), axis, index.shape());
    assert!(
        source.shape() == index.shape(),
        "{operation}: source shape {} and index shape {} differ",
        source.shape(),
        index.shape()
    );
    check_indices(operation, index, x.shape(), axis);
    let (count, around) = (index.shape()[axis], x.shape().around(axis));
    let (index, source) = (index.contiguous(), source.contiguous());
    let (rows, terms) = (index.contiguous_slice(), source.contiguous_slice());
    scatter::elements(x.as_mut_slice(), around, count, rows, terms, combine);
}

impl<T: Float> Tensor<T> {
    /// A copy with the slices of `source` added at the positions of `axis` that `index` names: for a matrix and
    /// `axis` 0, row `k` of the source is added to row `index[k]`. The index may have any rank; the source has the
    /// shape that [`index_select`](Tensor::index_select) would give.
    ///
    /// # Panics
    /// If there is no such axis, the source has another shape, or an index is not below the length of the axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::zeros([3, 2]);
    /// let rows = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let sum = x.index_add(0, &Tensor::from([2, 2]), &rows);
    /// assert_eq!(sum, Tensor::from([[0.0, 0.0], [0.0, 0.0], [4.0, 6.0]]));
    /// ```
    #[track_caller]
    pub fn index_add(&self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Tensor<T>) -> Tensor<T> {
        let mut out = self.copied();
        out.index_add_inplace(axis, index, source);
        out
    }

    /// [`index_add`](Tensor::index_add) in place.
    ///
    /// # Panics
    /// As `index_add`.
    #[track_caller]
    pub fn index_add_inplace(&mut self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Tensor<T>) {
        combine_slices("index_add", self, axis, index, source, Combine::Add);
    }

    /// A copy with every element of `source` added at its own index, in which that along `axis` is replaced by
    /// `index[i, j, …]`. Index and source have the same shape, with the lengths of this tensor but for `axis`.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is not below the length of the axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::zeros([2, 3]);
    /// let index = Tensor::from([[2, 2], [0, 1]]);
    /// let sum = x.scatter_add(1, &index, &Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(sum, Tensor::from([[0.0, 0.0, 3.0], [3.0, 4.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Tensor<T>) -> Tensor<T> {
        let mut out = self.copied();
        out.scatter_add_inplace(axis, index, source);
        out
    }

    /// [`scatter_add`](Tensor::scatter_add) in place.
    ///
    /// # Panics
    /// As `scatter_add`.
    #[track_caller]
    pub fn scatter_add_inplace(&mut self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Tensor<T>) {
        combine_elements("scatter_add", self, axis, index, source, Combine::Add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    #[test]
    fn transposes_of_selecting_and_gathering() {
        let x = Tensor::<f64>::from_fn([4, 3, 5], |i| (i[0] * 15 + i[1] * 5 + i[2]) as f64);
        for axis in 0..3 {
            let length = x.dim(axis);
            // <select(x), y> = <x, add(y)>
            let index = Tensor::from_fn([2, 3], |i| ((i[0] * 5 + i[1] * 2) % length) as u32);
            let y = x.index_select(axis, &index).map(|v: f64| (v * 0.7).floor());
            let back = Tensor::zeros(x.shape()).index_add(axis, &index, &y);
            assert_eq!((x.index_select(axis, &index) * &y).sum(), (&x * &back).sum());
            let index =
                Tensor::from_fn(x.shape().with(axis, 7), |i| ((i[0] + 2 * i[1] + 3 * i[2]) % length) as u32);
            let y = x.gather(axis, &index).map(|v: f64| (v * 0.3).floor());
            let back = Tensor::zeros(x.shape()).scatter_add(axis, &index, &y);
            assert_eq!((x.gather(axis, &index) * &y).sum(), (&x * &back).sum());
        }
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let index = Tensor::from_fn([3000], |i| (i[0] * 7919 % 101) as u32);
        let rows = Tensor::<f32>::from_fn([3000, 30], |i| ((i[0] * 31 + i[1] * 17) % 103) as f32 * 0.37);
        let wide = index.unsqueeze(1).broadcast_to([3000, 30]);
        let all = || {
            let zeros = Tensor::zeros([101, 30]);
            (
                zeros.index_add(0, &index, &rows),
                zeros.scatter_add(0, &wide, &rows),
                zeros.t().index_add(1, &index, &rows.t()),
            )
        };
        let expected = with_threads(1, all);
        assert!(expected.0 == expected.1 && expected.0.t() == expected.2);
        for threads in [2, 3, 8] {
            assert!(with_threads(threads, all) == expected);
        }
    }

    #[test]
    fn the_last_the_largest_and_the_smallest() {
        let index = Tensor::from([2u32, 0, 2, 2]);
        let terms = Tensor::from([[4.0f64, 1.0], [2.0, f64::NAN], [3.0, 9.0], [-1.0, 5.0]]);
        let combined = |combine| {
            let (mut slices, mut elements) = (Tensor::zeros([3, 2]), Tensor::zeros([3, 2]));
            combine_slices("test", &mut slices, 0, &index, &terms, combine);
            combine_elements(
                "test",
                &mut elements,
                0,
                &index.unsqueeze(1).broadcast_to([4, 2]),
                &terms,
                combine,
            );
            let bits = |x: &Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(&slices), bits(&elements));
            slices.select(0, 2).to_vec()
        };
        assert_eq!(combined(Combine::Replace), [-1.0, 5.0]);
        assert_eq!(combined(Combine::Larger), [4.0, 9.0]);
        assert_eq!(combined(Combine::Smaller), [-1.0, 0.0]);
        assert_eq!(combined(Combine::Add), [6.0, 15.0]);
    }

    #[test]
    fn nothing_to_add() {
        let x = Tensor::<f32>::ones([2, 3]);
        assert_eq!(x.index_add(0, &Tensor::zeros([0]), &Tensor::zeros([0, 3])), x);
        assert_eq!(
            Tensor::<f32>::zeros([2, 0]).index_add(0, &Tensor::from([1]), &Tensor::zeros([1, 0])).len(),
            0
        );
        assert_eq!(x.scatter_add(1, &Tensor::zeros([2, 0]), &Tensor::zeros([2, 0])), x);
    }

    #[test]
    #[should_panic(
        expected = "scatter_add: index 5 at position [0, 1] is out of range for axis 1 of length 3"
    )]
    fn an_index_out_of_range() {
        Tensor::<f32>::zeros([1, 3]).scatter_add(1, &Tensor::from([[0, 5]]), &Tensor::zeros([1, 2]));
    }

    #[test]
    #[should_panic(
        expected = "index_add: source shape [3] is not [2], what index shape [2] selects from axis 0 of shape [4]"
    )]
    fn a_source_of_another_shape() {
        Tensor::<f32>::zeros([4]).index_add(0, &Tensor::from([0, 1]), &Tensor::zeros([3]));
    }
}
