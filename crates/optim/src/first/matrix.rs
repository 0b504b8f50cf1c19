//! Products of row-major matrices, for the methods that look at a weight as a matrix.

use wengert_tensor::Float;
use wengert_tensor::parallel;
use wengert_tensor::simd::{Isa, Kernel, dispatch};

/// C ← A B for A of `m` × `k` and B of `k` × `n`.
pub(super) fn multiply<T: Float>(a: &[T], b: &[T], c: &mut [T], [m, k, n]: [usize; 3]) {
    assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n);
    if n == 0 {
        return;
    }
    let threaded = m * k * n >= 1 << 18;
    parallel::for_each_chunk(c, 4 * n, threaded, |start, c| {
        let rows = c.len() / n;
        dispatch(Rows { a: &a[start / n * k..][..rows * k], b, c, k, n });
    });
}

/// B ← Aᵀ for A of `m` × `n`.
pub(super) fn transpose<T: Float>(a: &[T], b: &mut [T], [m, n]: [usize; 2]) {
    assert!(a.len() == m * n && b.len() == m * n);
    for (j, row) in b.chunks_mut(m.max(1)).enumerate() {
        for (i, out) in row.iter_mut().enumerate() {
            *out = a[i * n + j];
        }
    }
}

/// Some rows of C, as sums of rows of B.
struct Rows<'a, T> {
    a: &'a [T],
    b: &'a [T],
    c: &'a mut [T],
    k: usize,
    n: usize,
}

impl<T: Float> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Rows { a, b, c, k, n } = self;
        for (i, c) in c.chunks_mut(n).enumerate() {
            c.fill(T::ZERO);
            for (&x, b) in a[i * k..][..k].iter().zip(b.chunks(n)) {
                for (c, &b) in c.iter_mut().zip(b) {
                    *c = I::mul_add(x, b, *c);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_transposes() {
        let a: Vec<f64> = (0..6).map(f64::from).collect();
        let (mut t, mut c) = ([0.0; 6], [0.0; 4]);
        transpose(&a, &mut t, [2, 3]);
        assert_eq!(t, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        multiply(&a, &t, &mut c, [2, 3, 2]);
        assert_eq!(c, [5.0, 14.0, 14.0, 50.0]);
    }
}
