//! Tensors of one or two axes as matrices.

use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// Where the elements of a matrix are.
pub(super) struct Strided<'a, T> {
    /// From the first element on.
    pub(super) elements: &'a [T],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) strides: [usize; 2],
}

/// A tensor of two axes, or one of one as a column; `None` where a stride is negative.
///
/// # Panics
/// If it has another number of axes.
#[track_caller]
pub(super) fn strided<'a, T: Element>(operation: &str, tensor: &'a Tensor<T>) -> Option<Strided<'a, T>> {
    let (rows, columns, strides) = match (&tensor.shape()[..], tensor.strides()) {
        (&[rows], &[stride]) => (rows, 1, [stride, 0]),
        (&[rows, columns], &[down, across]) => (rows, columns, [down, across]),
        (shape, _) => panic!("{operation}: a tensor of shape {shape:?} is neither a vector nor a matrix"),
    };
    // Along an axis of one element nobody goes.
    let mut strides = strides.map(usize::try_from);
    for (stride, length) in strides.iter_mut().zip([rows, columns]) {
        if length <= 1 {
            *stride = Ok(1);
        }
    }
    let [Ok(down), Ok(across)] = strides else { return None };
    let (memory, start) = tensor.memory();
    let elements = if tensor.is_empty() { &[] } else { &memory[start..] };
    Some(Strided { elements, rows, columns, strides: [down, across] })
}
