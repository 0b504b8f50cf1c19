//! Tensors as batches of matrices.

use std::sync::Mutex;

use wengert_tensor::linalg::LinalgError;
use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Tensor, parallel};

use super::MatrixError;
use crate::ops::slice;
use crate::var::Var;

/// Elements of a result, times its rows, above which matrices are worked on in parallel.
const PARALLEL: usize = 1 << 14;

/// Rows and columns.
#[track_caller]
pub(super) fn size(operation: &str, shape: &Shape) -> [usize; 2] {
    assert!(shape.len() >= 2, "{operation}: shape {shape} has fewer than two axes");
    [shape[shape.len() - 2], shape[shape.len() - 1]]
}

/// The rows of square matrices.
#[track_caller]
pub(super) fn square(operation: &str, shape: &Shape) -> usize {
    let [rows, columns] = size(operation, shape);
    assert!(rows == columns, "{operation}: shape {shape} is not that of square matrices");
    rows
}

/// The axes before the last two.
pub(super) fn batch(shape: &Shape) -> &[usize] {
    &shape[..shape.len() - 2]
}

/// The shape of a batch of matrices of that size.
pub(super) fn of_size(batch: &[usize], size: [usize; 2]) -> Shape {
    batch.iter().copied().chain(size).collect()
}

/// Two operands with equal batches, each repeated as often as it must be.
#[track_caller]
pub(super) fn with_one_batch<T: Float>(operation: &str, a: &Var<T>, b: &Var<T>) -> (Var<T>, Var<T>) {
    let (a_batch, b_batch) = (Shape::from(batch(a.shape())), Shape::from(batch(b.shape())));
    if a_batch == b_batch {
        return (a.clone(), b.clone());
    }
    let Some(both) = broadcast(&a_batch, &b_batch) else {
        panic!("{operation}: the batches of shapes {} and {} do not broadcast", a.shape(), b.shape());
    };
    let repeated = |x: &Var<T>| x.broadcast_to(of_size(&both, size(operation, x.shape())));
    (repeated(a), repeated(b))
}

/// The part that is symmetric, ½ (A + Aᵀ).
pub(super) fn symmetric<T: Float>(a: &Var<T>) -> Var<T> {
    // Halved first, as the sum may be out of range.
    let half = a * 0.5;
    &half + half.t()
}

/// What is to be done with one matrix of each of `N` inputs, to one matrix of the result.
pub(super) type Work<'a, T, const N: usize> =
    &'a (dyn Fn([&[T]; N], &mut [T]) -> Result<(), LinalgError> + Sync);

/// A batch of matrices of the size `out`, each made of those of the inputs with the same place in the batch.
#[track_caller]
pub(super) fn each<T: Float, const N: usize>(
    operation: &'static str,
    inputs: [&Tensor<T>; N],
    out: [usize; 2],
    work: Work<T, N>,
) -> Result<Tensor<T>, MatrixError> {
    let batch = batch(inputs[0].shape());
    let count: usize = batch.iter().product();
    let inputs = inputs.map(Tensor::contiguous);
    let sizes = inputs.each_ref().map(|input| input.len() / count.max(1));
    let failure = Mutex::new(None::<(usize, LinalgError)>);
    let result = Tensor::written_for(operation, of_size(batch, out), |elements| {
        let slices = inputs.each_ref().map(slice);
        let size = out[0] * out[1];
        let one = |i: usize, matrix: &mut [T]| {
            let mut k = 0;
            let parts = sizes.map(|size| {
                k += 1;
                &slices[k - 1][i * size..][..size]
            });
            if let Err(cause) = work(parts, matrix) {
                matrix.fill(T::NAN);
                let mut first = failure.lock().expect("no thread panics with it");
                if first.is_none_or(|(earlier, _)| i < earlier) {
                    *first = Some((i, cause));
                }
            }
        };
        if size == 0 {
            return (0..count).for_each(|i| one(i, &mut []));
        }
        let parallel = elements.len().saturating_mul(out[0]) > PARALLEL;
        parallel::for_each_chunk(elements, size, parallel, |start, matrix| one(start / size, matrix));
    });
    match failure.into_inner().expect("no thread panicked with it") {
        Some((i, cause)) => Err(MatrixError::new(operation, i, count, cause)),
        None => Ok(result),
    }
}

/// A value that was there when it was recorded; in a replay on other numbers the matrix may be one that has none.
#[track_caller]
pub(super) fn expect<T: Float>(result: Result<Tensor<T>, MatrixError>) -> Tensor<T> {
    match result {
        Ok(value) => value,
        // Not in a closure, which would lose the caller's line.
        Err(error) => panic!("{error}"),
    }
}

/// Of each matrix a power of two that it is divided by, `[…, 1, 1]`, and which counts as a constant: 1, but where norms of columns and
/// rows might be beyond the range of numbers, or the inverses of singular values and their powers.
pub(super) fn unit<T: Float>(a: &Var<T>) -> Var<T> {
    if a.is_empty() {
        return Var::ones([1, 1]);
    }
    let (least, most) = (T::MIN_POSITIVE.to_f64(), T::MAX.to_f64());
    let room = f64::exp2(64.0);
    let largest = a.stop_gradient().abs().max_axes([-2, -1], true);
    let of_large =
        Var::select_where(largest.gt(most / room), &Var::scalar(T::from_f64(room)), &Var::scalar(T::ONE));
    // Not so small that the product with a cotangent has lost digits.
    let least = least / T::EPSILON.to_f64();
    let of_small = largest.clamp(least, most).log2().floor().exp2();
    Var::select_where(largest.lt(most.powf(-0.25)), &of_small, &of_large)
}
