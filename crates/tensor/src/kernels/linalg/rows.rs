//! Loops over rows that every factorisation needs, to be compiled for an instruction set in the kernel that calls them.

use smallvec::smallvec;

use crate::array::element::Float;
use crate::array::layout::Layout;
use crate::loops::copy::copy_to;
use crate::machine::simd::Isa;

/// Independent parts of a sum.
const LANES: usize = 16;

/// Σ x y, in sixteen parts.
#[inline(always)]
pub(super) fn dot<T: Float, I: Isa>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let (x_blocks, y_blocks) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = x_blocks.remainder().iter().zip(y_blocks.remainder());
    for (x, y) in x_blocks.zip(y_blocks) {
        for k in 0..LANES {
            sums[k] = I::mul_add(x[k], y[k], sums[k]);
        }
    }
    for (sum, (&x, &y)) in sums.iter_mut().zip(rest) {
        *sum = I::mul_add(x, y, *sum);
    }
    sums.into_iter().sum()
}

/// y ← y + a x.
#[inline(always)]
pub(super) fn add_scaled<T: Float, I: Isa>(y: &mut [T], a: T, x: &[T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = I::mul_add(a, x, *y);
    }
}

/// (x, y) ← (c x − s y, s x + c y).
#[inline(always)]
pub(super) fn rotate<T: Float, I: Isa>(x: &mut [T], y: &mut [T], c: T, s: T) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (I::mul_add(c, *x, -(s * *y)), I::mul_add(s, *x, c * *y));
    }
}

/// The largest |x|.
#[inline(always)]
pub(super) fn largest<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |max, x| max.maximum(x.abs()))
}

/// A power of two that brings x > 0 near 1, as far as the type has it.
pub(super) fn scale_to_one<T: Float>(x: T) -> T {
    let least = T::MIN_POSITIVE.to_f64().log2();
    T::from_f64((-x.to_f64().log2().floor()).clamp(least, -least).exp2())
}

/// The transpose of a matrix of m × n elements whose rows are `stride` apart.
pub(super) fn transposed<T: Float>(a: &[T], stride: usize, [m, n]: [usize; 2]) -> Vec<T> {
    let mut out = vec![T::ZERO; m * n];
    let layout = Layout { shape: [n, m].into(), strides: smallvec![1, stride as isize], offset: 0 };
    copy_to(a, &layout, &mut out);
    out
}
