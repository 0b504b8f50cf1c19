//! The rows of a matrix made orthogonal by the eigenvectors of their dot products, and what is left by rotations.

use super::jacobi::{tolerance, turn};
use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::kernels::linalg::symmetric_eigen;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Rows below which rotations alone are as fast.
pub(super) const FEW: usize = 24;

/// Times that rows which are not orthogonal are looked for. Rotations converge quadratically.
const ROUNDS: usize = 12;

/// G A and an orthogonal G for which its rows are orthogonal, of an n × n matrix. Multiplied from the left, no column loses
/// accuracy that it has, and the last rotations are those of Jacobi's method: so small singular values are found as well as by
/// that alone. `None` if the rows are few, or far from orthogonal afterwards, as those of a matrix with rows of very different
/// size are.
pub(super) fn near<T: Float>(a: &[T], n: usize) -> Option<(Vec<T>, Vec<T>)> {
    if n < FEW {
        return None;
    }
    let (_, vectors) = symmetric_eigen(&products(a, n), n).ok()?;
    let mut g: Vec<T> = vectors.chunks_exact(n).rev().flatten().copied().collect();
    let mut w = vec![T::ZERO; n * n];
    let [left, right] = [&g[..], a].map(|x| MatrixRef::row_major(x, [n, n]));
    gemm(T::ONE, left, right, T::ZERO, MatrixMut::row_major(&mut w, [n, n]));
    for _ in 0..ROUNDS {
        let dots = products(&w, n);
        let marked = marked(&dots, n)?;
        if marked.is_empty() {
            return Some((w, g));
        }
        dispatch(Turn { w: &mut w, g: &mut g, n, pairs: &marked });
    }
    None
}

/// The dot products of the rows.
fn products<T: Float>(a: &[T], n: usize) -> Vec<T> {
    let mut products = vec![T::ZERO; n * n];
    let rows = MatrixRef::row_major(a, [n, n]);
    gemm(T::ONE, rows, rows.transposed(), T::ZERO, MatrixMut::row_major(&mut products, [n, n]));
    products
}

/// The pairs i < j of rows that are not orthogonal; `None` if that cannot be told from squares, or they are most.
fn marked<T: Float>(dots: &[T], n: usize) -> Option<Vec<[usize; 2]>> {
    let sizes: Vec<T> = dots.iter().step_by(n + 1).map(|d| d.sqrt()).collect();
    let least = (T::MIN_POSITIVE / T::EPSILON).sqrt();
    if sizes.iter().any(|&size| size != T::ZERO && size < least) {
        return None;
    }
    let tolerance = tolerance::<T>(n);
    let mut pairs = Vec::new();
    for (i, row) in dots.chunks_exact(n).enumerate() {
        let least = tolerance * sizes[i];
        pairs.extend((i + 1..n).filter(|&j| row[j].abs() > least * sizes[j]).map(|j| [i, j]));
    }
    (pairs.len() <= n * n * 2 / 5).then_some(pairs)
}

/// Rotations of pairs of rows.
struct Turn<'a, T> {
    w: &'a mut [T],
    g: &'a mut [T],
    n: usize,
    pairs: &'a [[usize; 2]],
}

impl<T: Float> Kernel for Turn<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // Of half the angle, as rounding tells these dot products from those that found the pairs.
        let tolerance = tolerance::<T>(self.n) * T::from_f64(0.5);
        for &pair in self.pairs {
            turn::<T, I>(self.w, self.g, self.n, pair, tolerance);
        }
    }
}
