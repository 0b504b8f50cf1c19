//! Adding to the positions that an index tensor names: the transposes of [`Tensor::index_select`] and
//! [`Tensor::gather`].
//!
//! A position that is named several times receives its terms in the order of the index, for any number of threads.

use crate::array::element::Float;
use crate::array::shape::Axis;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::blocks::for_each_band;
use crate::methods::index::{check_alongside, check_indices, selected_shape};

compiled_here! {
    /// [`Tensor::index_add_inplace`] after the checks.
    fn add_slices<T: Float>(x: &mut Tensor<T>, axis: usize, index: &Tensor<u32>, source: &Tensor<T>) {
        let (_, _, inner) = x.shape().around(axis);
        let (index, source, around) = (index.contiguous(), source.contiguous(), x.shape().around(axis));
        let (rows, terms) = (index.contiguous_slice(), source.contiguous_slice());
        for_each_band(x.as_mut_slice(), around, terms.len(), |mut band| {
            let terms = &terms[band.outer * rows.len() * inner..];
            for (&row, terms) in rows.iter().zip(terms.chunks_exact(inner)) {
                if let Some(sums) = band.at(row, inner, 0) {
                    sums.iter_mut().zip(terms).for_each(|(sum, &x)| *sum += x);
                }
            }
        });
    }
}

compiled_here! {
    /// [`Tensor::scatter_add_inplace`] after the checks.
    fn add_elements<T: Float>(x: &mut Tensor<T>, axis: usize, index: &Tensor<u32>, source: &Tensor<T>) {
        let (index, source, around) = (index.contiguous(), source.contiguous(), x.shape().around(axis));
        let (rows, terms) = (index.contiguous_slice(), source.contiguous_slice());
        let (inner, count) = (around.2, index.shape()[axis] * around.2);
        for_each_band(x.as_mut_slice(), around, terms.len(), |mut band| {
            let from = band.outer * count;
            for (i, (&row, &x)) in rows[from..][..count].iter().zip(&terms[from..]).enumerate() {
                if let Some([sum, ..]) = band.at(row, inner, i % inner) {
                    *sum += x;
                }
            }
        });
    }
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
        let axis = self.shape().axis("index_add", axis);
        let expected = selected_shape(self.shape(), axis, index.shape());
        assert!(
            source.shape() == &expected,
            "index_add: source shape {} is not {expected}, what index shape {} selects from axis {axis} of shape {}",
            source.shape(),
            index.shape(),
            self.shape()
        );
        check_indices("index_add", index, self.shape(), axis);
        add_slices(self, axis, index, source);
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
        let axis = self.shape().axis("scatter_add", axis);
        check_alongside("scatter_add", self.shape(), axis, index.shape());
        assert!(
            source.shape() == index.shape(),
            "scatter_add: source shape {} and index shape {} differ",
            source.shape(),
            index.shape()
        );
        check_indices("scatter_add", index, self.shape(), axis);
        add_elements(self, axis, index, source);
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
