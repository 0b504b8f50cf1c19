//! What the methods that look at a weight as a matrix share.

use wengert_tensor::Float;
use wengert_tensor::gemm::{MatrixMut, MatrixRef, gemm};
use wengert_tensor::simd::Isa;

use crate::first::loops::Update;

/// A row-major matrix of this shape.
pub(super) fn view<T: Float>(data: &[T], [rows, columns]: [usize; 2]) -> MatrixRef<'_, T> {
    MatrixRef::new(data, 0, [rows, columns], [columns as isize, 1])
}

/// C ← A B + `keep` · C for a row-major C.
pub(super) fn multiply<T: Float>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, keep: T, c: &mut [T]) {
    let (rows, columns) = (a.shape()[0], b.shape()[1]);
    gemm(T::ONE, a, b, keep, MatrixMut::new(c, 0, [rows, columns], [columns as isize, 1]));
}

/// θ ← keep θ − η d, with the direction d in the place of the gradient.
#[derive(Clone, Copy)]
pub(super) struct Along<T> {
    pub(super) keep: T,
    pub(super) rate: T,
}

impl<T: Float> Update<T, 0> for Along<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, d: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        (I::mul_add(self.keep, p, -(self.rate * d)), [], [])
    }
}
