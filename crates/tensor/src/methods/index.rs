//! Reading and writing positions that an index tensor or a slice names.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::{Axis, Shape, Slice, broadcast};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::blocks::for_each_block;
use crate::loops::copy::copy_into;
use crate::machine::prefetch::{AHEAD, prefetch};

/// Panics unless every index is below `length`, the length of axis `axis` of `shape`.
#[track_caller]
pub(crate) fn check_indices(operation: &str, index: &Tensor<u32>, shape: &Shape, axis: usize) {
    let length = shape[axis];
    let index = index.contiguous();
    // The largest is found sooner than the first that is too large.
    let largest = index.contiguous_slice().iter().copied().reduce(u32::max);
    if largest.is_none_or(|i| (i as usize) < length) {
        return;
    }
    if let Some(at) = index.contiguous_slice().iter().position(|&i| i as usize >= length) {
        let mut rest = at;
        let mut position: Vec<usize> = index
            .shape()
            .iter()
            .rev()
            .map(|d| {
                let i = rest % d;
                rest /= d;
                i
            })
            .collect();
        position.reverse();
        panic!(
            "{operation}: index {} at position {position:?} is out of range for axis {axis} of length {length} of \
             shape {shape}",
            index.contiguous_slice()[at]
        );
    }
}

/// The shape of what `index` selects from axis `axis` of `shape`: the axis gives way to those of the index.
pub(crate) fn selected_shape(shape: &Shape, axis: usize, index: &Shape) -> Shape {
    shape[..axis].iter().chain(index.iter()).chain(&shape[axis + 1..]).copied().collect()
}

/// Panics unless `index` has the rank of `shape`, and its lengths but for `axis`.
#[track_caller]
pub(crate) fn check_alongside(operation: &str, shape: &Shape, axis: usize, index: &Shape) {
    if index.len() != shape.len() || index.with(axis, 0) != shape.with(axis, 0) {
        panic!("{operation}: index shape {index} and shape {shape} differ in more than axis {axis}");
    }
}

/// The elements of a row at some positions.
#[inline(always)]
fn take<T: Element>(row: &[T], positions: &[u32], out: &mut [T]) {
    out.iter_mut().zip(positions).for_each(|(o, &i)| *o = row[i as usize]);
}

compiled_here! {
    /// [`Tensor::index_select`] after the checks.
    fn select<T: Element>(x: &Tensor<T>, axis: usize, index: &Tensor<u32>, out: &mut [T]) {
        if out.is_empty() {
            return;
        }
        let (_, length, inner) = x.shape().around(axis);
        let (x, index) = (x.contiguous(), index.contiguous());
        let (elements, rows) = (x.contiguous_slice(), index.contiguous_slice());
        if inner == 1 {
            return for_each_block(out, rows.len(), |i, block| take(&elements[i * length..][..length], rows, block));
        }
        let row = |i: usize| {
            let row = i / rows.len() * length + rows[i % rows.len()] as usize;
            &elements[row * inner..][..inner]
        };
        let blocks = out.len() / inner;
        for_each_block(out, inner, |i, block| {
            prefetch(row((i + AHEAD).min(blocks - 1)), 0, 1);
            block.copy_from_slice(row(i));
        });
    }
}

compiled_here! {
    /// [`Tensor::gather`] after the checks.
    fn gather<T: Element>(x: &Tensor<T>, axis: usize, index: &Tensor<u32>, out: &mut [T]) {
        if out.is_empty() {
            return;
        }
        let (_, length, inner) = x.shape().around(axis);
        let count = index.shape()[axis];
        let (x, index) = (x.contiguous(), index.contiguous());
        let (elements, rows) = (x.contiguous_slice(), index.contiguous_slice());
        if inner == 1 {
            return for_each_block(out, count, |i, block| {
                take(&elements[i * length..][..length], &rows[i * count..], block);
            });
        }
        for_each_block(out, inner, |i, block| {
            let outer = &elements[i / count * length * inner..][..length * inner];
            for (k, (o, &row)) in block.iter_mut().zip(&rows[i * inner..]).enumerate() {
                *o = outer[row as usize * inner + k];
            }
        });
    }
}

impl<T: Element> Tensor<T> {
    /// The positions of `axis` that `index` names, in its order. The index may have any rank, and its axes take the
    /// place of `axis` (NumPy's `take`): rows of a matrix, or embeddings of a batch of sequences.
    ///
    /// # Panics
    /// If there is no such axis, an index is not below its length, or the result has too many elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// assert_eq!(x.index_select(0, &Tensor::from([2, 0])), Tensor::from([[5.0, 6.0], [1.0, 2.0]]));
    /// assert_eq!(x.index_select(0, &Tensor::from([[2, 0], [1, 1]])).shape(), &[2, 2, 2]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: impl Into<Axis>, index: &Tensor<u32>) -> Tensor<T> {
        let axis = self.shape().axis("index_select", axis);
        let shape = selected_shape(self.shape(), axis, index.shape()).checked("index_select");
        check_indices("index_select", index, self.shape(), axis);
        Tensor::filled_by("index_select", shape, |out| select(self, axis, index, out))
    }

    /// Element `[i, j, …]` is this tensor's element with the index along `axis` replaced by `index[i, j, …]`. The index
    /// has the same lengths as this tensor but for `axis`.
    ///
    /// # Panics
    /// If there is no such axis, lengths differ in another one, or an index is not below its length.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let scores = Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let labels = Tensor::<u32>::from([[2], [0]]);
    /// assert_eq!(scores.gather(1, &labels), Tensor::from([[3.0], [4.0]]));
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: impl Into<Axis>, index: &Tensor<u32>) -> Tensor<T> {
        let axis = self.shape().axis("gather", axis);
        check_alongside("gather", self.shape(), axis, index.shape());
        check_indices("gather", index, self.shape(), axis);
        Tensor::filled_by("gather", index.shape().clone(), |out| gather(self, axis, index, out))
    }

    /// Writes `source`, broadcast, to a range of one axis, in place: `x.slice_axis(axis, slice)` is then `source`.
    ///
    /// # Panics
    /// If there is no such axis, or `source` does not broadcast to the shape of the slice.
    ///
    /// ```
    /// # use wengert_tensor::{Slice, Tensor};
    /// let mut x = Tensor::<f32>::zeros([4]);
    /// x.slice_assign(0, 1..3, &Tensor::from([1.0, 2.0]));
    /// x.slice_assign(0, Slice::from(..).step(3), &Tensor::scalar(9.0));
    /// assert_eq!(x.to_vec(), [9.0, 1.0, 2.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn slice_assign(&mut self, axis: impl Into<Axis>, slice: impl Into<Slice>, source: &Tensor<T>) {
        let axis = self.shape().axis("slice_assign", axis);
        let target = Layout::contiguous(self.shape().clone()).slice(axis, slice.into());
        self.assign("slice_assign", &target, source);
    }

    /// Writes `source`, broadcast, to position `index` of one axis, in place; a negative index counts from the end.
    ///
    /// # Panics
    /// If there is no such axis or position, or `source` does not broadcast to the shape without the axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let mut x = Tensor::<f32>::zeros([2, 2]);
    /// x.select_assign(1, -1, &Tensor::from([1.0, 2.0]));
    /// assert_eq!(x, Tensor::from([[0.0, 1.0], [0.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn select_assign(&mut self, axis: impl Into<Axis>, index: isize, source: &Tensor<T>) {
        let axis = self.shape().axis("select_assign", axis);
        let length = self.shape()[axis] as isize;
        let position = if index < 0 { index + length } else { index };
        if position < 0 || position >= length {
            panic!("select_assign: index {index} is out of range for axis {axis} of shape {}", self.shape());
        }
        let target = Layout::contiguous(self.shape().clone()).select(axis, position as usize);
        self.assign("select_assign", &target, source);
    }

    /// Writes `source` to the places of `target`, a part of the contiguous layout of this shape.
    #[track_caller]
    fn assign(&mut self, operation: &str, target: &Layout, source: &Tensor<T>) {
        if broadcast(&target.shape, source.shape()).as_ref() != Some(&target.shape) {
            panic!("{operation}: shape {} does not broadcast to {}", source.shape(), target.shape);
        }
        let source = source.broadcast_to(&target.shape);
        copy_into(source.storage.as_slice(), &source.layout, self.as_mut_slice(), target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Tensor<f64> {
        Tensor::arange(0.0, 24.0, 1.0).reshape([2, 3, 4])
    }

    #[test]
    fn selecting_along_every_axis_of_views() {
        for x in [numbers(), numbers().permute([1, 2, 0]), numbers().flip(2)] {
            for axis in 0..3 {
                let length = x.dim(axis) as u32;
                let index = Tensor::from([[length - 1, 0], [0, 1]]);
                let parts = [length - 1, 0, 0, 1].map(|i| x.select(axis, i as isize));
                let expected = Tensor::stack(&parts, axis);
                assert_eq!(x.index_select(axis, &index).to_vec(), expected.to_vec());
                assert_eq!(x.index_select(axis, &index.flatten(0, -1)), expected);
            }
        }
        assert_eq!(numbers().index_select(1, &Tensor::zeros([0])).shape(), &[2, 0, 4]);
        assert_eq!(numbers().index_select(1, &Tensor::scalar(2)), numbers().select(1, 2));
    }

    #[test]
    fn gathering_along_every_axis_of_views() {
        for x in [numbers(), numbers().permute([1, 2, 0])] {
            for axis in 0..3 {
                let shape = x.shape().with(axis, 5);
                let index = Tensor::from_fn(&shape, |i| ((i[0] + 2 * i[1] + 3 * i[2]) % x.dim(axis)) as u32);
                let expected = Tensor::from_fn(&shape, |i| {
                    let mut at = [i[0], i[1], i[2]];
                    at[axis] = index.at([i[0], i[1], i[2]]) as usize;
                    x.at(at)
                });
                assert_eq!(x.gather(axis, &index), expected);
            }
        }
    }

    #[test]
    fn assigning_leaves_other_tensors_alone() {
        let mut x = numbers();
        let before = x.clone();
        x.slice_assign(2, Slice::from(..).step(-2), &Tensor::from([-1.0, -2.0]));
        assert_eq!(x.select(0, 1).select(0, 0).to_vec(), [12.0, -2.0, 14.0, -1.0]);
        x.select_assign(0, 0, &Tensor::scalar(0.0));
        assert_eq!(x.select(0, 0).sum().item(), 0.0);
        assert_eq!(before, numbers());
        let mut t = numbers().t();
        t.slice_assign(1, 1..1, &Tensor::zeros([2, 0, 3]));
        assert_eq!(t, numbers().t());
    }

    #[test]
    #[should_panic(
        expected = "index_select: index 3 at position [1, 0] is out of range for axis 1 of length 3 of shape [2, 3, 4]"
    )]
    fn an_index_out_of_range() {
        numbers().index_select(1, &Tensor::from([[0, 2], [3, 1]]));
    }

    #[test]
    #[should_panic(expected = "gather: index shape [2, 3] and shape [2, 3, 4] differ in more than axis 0")]
    fn an_index_of_another_shape() {
        numbers().gather(0, &Tensor::zeros([2, 3]));
    }

    #[test]
    #[should_panic(expected = "slice_assign: shape [3] does not broadcast to [2, 2, 4]")]
    fn a_source_of_another_shape() {
        numbers().slice_assign(1, ..2, &Tensor::zeros([3]));
    }
}
