//! Tensors for kernels of rows, which are slices of consecutive rows.

use smallvec::SmallVec;

use crate::array::element::Element;
use crate::array::tensor::Tensor;
use crate::loops::reduce::reduced_shape;

/// What `kernel` makes of the rows along `axis`, of their length and of some tensors of one shape.
#[track_caller]
pub(crate) fn mapped_rows<T: Element, R: Element, const N: usize>(
    operation: &str,
    axis: usize,
    inputs: [&Tensor<T>; N],
    kernel: impl FnOnce([&[T]; N], usize, &mut [R]),
) -> Tensor<R> {
    let last = inputs[0].rank() - 1;
    let inputs = inputs.map(|x| x.transpose(axis, last).contiguous_for(operation));
    let shape = inputs[0].shape();
    let rows = inputs.each_ref().map(Tensor::contiguous_slice);
    Tensor::filled_by(operation, shape.clone(), |out| kernel(rows, shape[last], out)).transpose(axis, last)
}

/// What `kernel` makes of the rows, one number of each, that the axes of `mask` make up, and of their length; the axes stay
/// with length 1 if `keepdim`.
#[track_caller]
pub(crate) fn folded_rows<T: Element, R: Element>(
    operation: &str,
    x: &Tensor<T>,
    mask: &[bool],
    keepdim: bool,
    kernel: impl FnOnce(&[T], usize, &mut [R]),
) -> Tensor<R> {
    let (reduced, kept): (SmallVec<[usize; 4]>, SmallVec<[usize; 4]>) = (0..x.rank()).partition(|&i| mask[i]);
    let length: usize = reduced.iter().map(|&i| x.shape()[i]).product();
    let order: SmallVec<[usize; 4]> = kept.into_iter().chain(reduced).collect();
    let rows = x.view(x.layout.permute(&order)).contiguous_for(operation);
    let shape = reduced_shape(x.shape(), mask, keepdim);
    Tensor::filled_by(operation, shape, |out| kernel(rows.contiguous_slice(), length, out))
}
