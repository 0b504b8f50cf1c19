//! Putting tensors together, and repeating, padding and rolling one.

use std::borrow::Borrow;

use smallvec::SmallVec;

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::{Axis, Shape};
use crate::array::size;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::blocks::for_each_run_of_blocks;
use crate::loops::copy::{copy_into, copy_to};
use crate::loops::nest::Nest;

impl<T: Element> Tensor<T> {
    /// The tensors one after the other along `axis`. Their other lengths must be equal.
    ///
    /// # Panics
    /// If there are no tensors, there is no such axis, shapes differ in another axis, or the result has too many
    /// elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let a = Tensor::from([[1.0f32, 2.0]]);
    /// let b = Tensor::from([[3.0f32, 4.0], [5.0, 6.0]]);
    /// assert_eq!(Tensor::cat(&[&a, &b], 0), Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// ```
    #[track_caller]
    pub fn cat(tensors: &[impl Borrow<Tensor<T>>], axis: impl Into<Axis>) -> Tensor<T> {
        let Some(first) = tensors.first().map(Borrow::borrow) else { panic!("cat: there are no tensors") };
        let axis = first.shape().axis("cat", axis);
        for tensor in tensors.iter().map(Borrow::borrow) {
            if tensor.rank() != first.rank() || tensor.shape().with(axis, 0) != first.shape().with(axis, 0) {
                panic!(
                    "cat: shapes {} and {} differ in more than axis {axis}",
                    first.shape(),
                    tensor.shape()
                );
            }
        }
        Tensor::joined("cat", tensors.len(), &|i| tensors[i].borrow(), axis)
    }

    /// [`cat`](Tensor::cat) of tensors that fit, for an operation of that name.
    #[track_caller]
    fn joined<'a>(
        operation: &str,
        count: usize,
        tensor: &dyn Fn(usize) -> &'a Tensor<T>,
        axis: usize,
    ) -> Tensor<T> {
        let mut length = 0;
        for i in 0..count {
            length = size::sum(operation, &[length, tensor(i).shape()[axis]]);
        }
        let shape = tensor(0).shape().with(axis, length).checked(operation);
        let (outer, length, inner) = shape.around(axis);
        if outer == 1 {
            // The tensors follow each other in memory.
            return Tensor::filled_by(operation, shape, |mut out| {
                for tensor in (0..count).map(tensor) {
                    let (part, rest) = out.split_at_mut(tensor.len());
                    copy_to(tensor.storage.as_slice(), &tensor.layout, part);
                    out = rest;
                }
            });
        }
        let mut parts: SmallVec<[Part<T>; 8]> = SmallVec::new();
        for i in 0..count {
            parts.push(Part::new(operation, tensor(i), tensor(i).shape()[axis] * inner));
        }
        let width = length * inner;
        Tensor::filled_by(operation, shape, |out| {
            for_each_run_of_blocks(out, width, |first, run| {
                let mut offset = 0;
                for part in &parts {
                    part.write(first, run, width, offset);
                    offset += part.size;
                }
            });
        })
    }

    /// Tensors of the same shape side by side along a new axis at `axis`, which may be one past the last; −1 appends it.
    ///
    /// # Panics
    /// If there are no tensors, `axis` is out of range, or shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (a, b) = (Tensor::from([1.0f32, 2.0]), Tensor::from([3.0f32, 4.0]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 0), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(Tensor::stack(&[&a, &b], -1), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn stack(tensors: &[impl Borrow<Tensor<T>>], axis: impl Into<Axis>) -> Tensor<T> {
        let axis = axis.into();
        let Some(first) = tensors.first().map(Borrow::borrow) else { panic!("stack: there are no tensors") };
        let position = first.shape().inserted(0, 1).axis("stack", axis);
        for tensor in tensors.iter().map(Borrow::borrow) {
            assert!(
                tensor.shape() == first.shape(),
                "stack: shapes {} and {} differ",
                first.shape(),
                tensor.shape()
            );
        }
        let rows: Vec<Tensor<T>> = tensors.iter().map(|t| t.borrow().unsqueeze(axis)).collect();
        Tensor::joined("stack", rows.len(), &|i| &rows[i], position)
    }

    /// With `value` around: `widths` gives the numbers of elements to put before and after, for each axis.
    ///
    /// # Panics
    /// If there is not one pair of widths for each axis, or the result has too many elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0]]);
    /// assert_eq!(x.pad(&[(0, 1), (1, 0)], 9.0), Tensor::from([[9.0, 1.0, 2.0], [9.0, 9.0, 9.0]]));
    /// ```
    #[track_caller]
    pub fn pad(&self, widths: &[(usize, usize)], value: T) -> Tensor<T> {
        assert!(
            widths.len() == self.rank(),
            "pad: {} pairs of widths for shape {} of rank {}",
            widths.len(),
            self.shape(),
            self.rank()
        );
        let shape = padded_shape(self.shape(), widths);
        let mut inside = Layout::contiguous(shape.clone());
        for (axis, (&d, &(before, _))) in self.shape().iter().zip(widths).enumerate() {
            inside = inside.slice(axis, (before..before + d).into());
        }
        Tensor::filled_by("pad", shape, |out| {
            out.fill(value);
            copy_into(self.storage.as_slice(), &self.layout, out, &inside);
        })
    }

    /// The whole tensor repeated `counts[i]` times along axis `i` (NumPy's `tile`, PyTorch's `repeat`). More counts
    /// than axes add leading axes.
    ///
    /// # Panics
    /// If there are fewer counts than axes, or the result has too many elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0]);
    /// assert_eq!(x.tile(&[2, 2]), Tensor::from([[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn tile(&self, counts: &[usize]) -> Tensor<T> {
        let Some(lead) = counts.len().checked_sub(self.rank()) else {
            panic!("tile: {} counts for shape {} of rank {}", counts.len(), self.shape(), self.rank())
        };
        let lengths: Shape = std::iter::repeat_n(1, lead).chain(self.shape().iter().copied()).collect();
        let pairs = || counts.iter().zip(lengths.iter());
        let merged: Option<Shape> = pairs().map(|(&n, &d)| n.checked_mul(d)).collect();
        let Some(merged) = merged.filter(Shape::fits) else {
            size::too_many("tile", &format!("{counts:?} times shape {} has", self.shape()));
        };
        if merged.contains(&0) {
            return Tensor::filled_by("tile", merged, |_| {});
        }
        let apart: Shape = pairs().flat_map(|(_, &d)| [1, d]).collect();
        let repeated: Shape = pairs().flat_map(|(&n, &d)| [n, d]).collect();
        self.reshape(apart).broadcast_to(repeated).reshaped("tile", merged)
    }

    /// Every position of `axis` repeated `count` times in a row (NumPy's `repeat`).
    ///
    /// # Panics
    /// If there is no such axis, or the result has too many elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0]).repeat_interleave(2, 0).to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, count: usize, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("repeat_interleave", axis);
        let merged = size::product("repeat_interleave", &[self.shape()[axis], count]);
        let merged = self.shape().with(axis, merged).checked("repeat_interleave");
        if merged.contains(&0) {
            return Tensor::filled_by("repeat_interleave", merged, |_| {});
        }
        let repeated = self.unsqueeze(axis + 1).broadcast_to(self.shape().inserted(axis + 1, count));
        repeated.reshaped("repeat_interleave", merged)
    }

    /// The positions of `axis` moved by `shift`, round the end: position `i` goes to `i + shift`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0, 3.0]).roll(1, 0).to_vec(), [3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("roll", axis);
        let length = self.shape()[axis];
        if length == 0 {
            return self.clone();
        }
        let cut = length - shift.rem_euclid(length as isize) as usize;
        let parts = [self.slice_axis(axis, cut..), self.slice_axis(axis, ..cut)];
        Tensor::joined("roll", 2, &|i| &parts[i], axis)
    }
}

/// A tensor that is read by blocks of consecutive elements.
struct Part<T: Element> {
    tensor: Tensor<T>,
    size: usize,
    /// Where the blocks of a view lie, if it has them whole.
    view: Option<Nest<1>>,
}

impl<T: Element> Part<T> {
    /// A view in which blocks of this size lie in pieces is copied.
    #[track_caller]
    fn new(operation: &str, tensor: &Tensor<T>, size: usize) -> Self {
        let view = || Some(Nest::new([&tensor.layout])).filter(|nest| nest.row_strides == [1]);
        match view().filter(|nest| !tensor.is_contiguous() && size > 0 && nest.row_length % size == 0) {
            Some(nest) => Part { tensor: tensor.clone(), size, view: Some(nest) },
            None => Part { tensor: tensor.contiguous_for(operation), size, view: None },
        }
    }

    /// Writes the blocks from number `first` on into `out`, each at `offset` in another `width` elements.
    fn write(&self, first: usize, out: &mut [T], width: usize, offset: usize) {
        let (count, size) = (out.len() / width, self.size);
        let Some(nest) = &self.view else {
            let from = (first * size, size as isize);
            return copy_blocks(self.tensor.contiguous_slice(), from, out, (offset, width), [count, size]);
        };
        let source = self.tensor.storage.as_slice();
        if nest.row_length == size {
            nest.for_runs(first..first + count, |row, count, [from], [step]| {
                let to = ((row - first) * width + offset, width);
                copy_blocks(source, (from, step), out, to, [count, size]);
            });
        } else {
            for (i, block) in out.chunks_exact_mut(width).enumerate() {
                let at = (first + i) * self.size;
                let [row] = nest.row_start(at / nest.row_length);
                let from = row + at % nest.row_length;
                block[offset..][..self.size].copy_from_slice(&source[from..][..self.size]);
            }
        }
    }
}

compiled_here! {
    /// Copies blocks, `counts` of them and of so many elements: the first from and to the places given, the others in the steps given.
    fn copy_blocks<T: Element>(source: &[T], from: (usize, isize), out: &mut [T], to: (usize, usize), counts: [usize; 2]) {
        let [count, size] = counts;
        match size {
            1 => copy_short_blocks::<T, 1>(source, from, out, to, count),
            2 => copy_short_blocks::<T, 2>(source, from, out, to, count),
            3 => copy_short_blocks::<T, 3>(source, from, out, to, count),
            4 => copy_short_blocks::<T, 4>(source, from, out, to, count),
            _ => {
                for i in 0..count {
                    let at = from.0.wrapping_add_signed(i as isize * from.1);
                    out[to.0 + i * to.1..][..size].copy_from_slice(&source[at..][..size]);
                }
            }
        }
    }
}

/// Of a number of elements that is known when compiling, so that no function is called for each block.
#[inline(always)]
fn copy_short_blocks<T: Element, const N: usize>(
    source: &[T],
    from: (usize, isize),
    out: &mut [T],
    to: (usize, usize),
    count: usize,
) {
    for i in 0..count {
        let at = from.0.wrapping_add_signed(i as isize * from.1);
        let block: &[T; N] = source[at..].first_chunk().expect("a whole block");
        *out[to.0 + i * to.1..].first_chunk_mut().expect("room for a block") = *block;
    }
}

/// The shape with those numbers of elements before and after along each axis.
///
/// # Panics
/// If it has too many elements.
#[track_caller]
fn padded_shape(shape: &Shape, widths: &[(usize, usize)]) -> Shape {
    let mut padded = shape.clone();
    for (axis, (&d, &(before, after))) in shape.iter().zip(widths).enumerate() {
        padded = padded.with(axis, size::sum("pad", &[before, d, after]));
    }
    padded.checked("pad")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_views_along_every_axis() {
        let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
        for view in [x.clone(), x.permute([2, 0, 1]), x.flip(1)] {
            for axis in 0..3 {
                let parts = view.split(2, axis);
                assert_eq!(Tensor::cat(&parts, axis), view);
                let slices: Vec<_> = (0..view.dim(axis)).map(|i| view.select(axis, i as isize)).collect();
                assert_eq!(Tensor::stack(&slices, axis), view);
            }
        }
        let empty = Tensor::<f64>::zeros([2, 0, 4]);
        assert_eq!(Tensor::cat(&[&empty, &x, &empty], 1), x);
        assert_eq!(Tensor::stack(&[Tensor::scalar(1.0f32), Tensor::scalar(2.0)], 0).to_vec(), [1.0, 2.0]);
    }

    #[test]
    fn padding_and_repeating() {
        let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
        let padded = x.t().pad(&[(1, 0), (0, 2)], -1.0);
        assert_eq!(
            padded,
            Tensor::from([[-1.0, -1.0, -1.0, -1.0], [1.0, 3.0, -1.0, -1.0], [2.0, 4.0, -1.0, -1.0]])
        );
        assert_eq!(Tensor::<f32>::zeros([0]).pad(&[(1, 1)], 2.0).to_vec(), [2.0, 2.0]);
        assert_eq!(x.tile(&[1, 2]).to_vec(), [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(x.tile(&[2, 0, 1]).shape(), &[2, 0, 2]);
        assert_eq!(x.repeat_interleave(2, 0).to_vec(), [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(x.roll(-3, 1).to_vec(), [2.0, 1.0, 4.0, 3.0]);
        assert_eq!(x.roll(2, 0), x);
    }

    #[test]
    #[should_panic(expected = "cat: shapes [2, 3] and [2, 4] differ in more than axis 0")]
    fn joining_shapes_that_do_not_fit() {
        Tensor::cat(&[Tensor::<f32>::zeros([2, 3]), Tensor::zeros([2, 4])], 0);
    }

    #[test]
    #[should_panic(expected = "stack: shapes [2] and [3] differ")]
    fn stacking_shapes_that_differ() {
        Tensor::stack(&[Tensor::<f32>::zeros([2]), Tensor::zeros([3])], 0);
    }

    #[test]
    #[should_panic(expected = "pad: 1 pairs of widths for shape [2, 3] of rank 2")]
    fn padding_without_all_widths() {
        Tensor::<f32>::zeros([2, 3]).pad(&[(1, 1)], 0.0);
    }
}
