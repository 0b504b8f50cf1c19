//! Products of Householder reflections in the compact form of Schreiber and Van Loan (1989), so that applying them is matrix
//! products.

use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};

/// Reflections that are applied together.
pub(super) const BLOCK: usize = 32;

/// H₀ H₁ … = I − Vᵀ T V of the reflections Hᵢ = I − τᵢ vᵢ vᵢᵀ whose vectors are the rows of V.
pub(super) struct Reflectors<T> {
    v: Vec<T>,
    /// Upper triangular.
    t: Vec<T>,
    count: usize,
    len: usize,
}

impl<T: Float> Reflectors<T> {
    /// Of the vectors in `v`, as many as there are `taus`.
    pub(super) fn new(v: Vec<T>, taus: &[T]) -> Self {
        let count = taus.len();
        let len = v.len() / count.max(1);
        let mut dots = vec![T::ZERO; count * count];
        let rows = MatrixRef::row_major(&v, [count, len]);
        gemm(T::ONE, rows, rows.transposed(), T::ZERO, MatrixMut::row_major(&mut dots, [count; 2]));
        let mut t = vec![T::ZERO; count * count];
        for (j, &tau) in taus.iter().enumerate() {
            t[j * count + j] = tau;
            for i in 0..j {
                let sum: T = (i..j).map(|k| t[i * count + k] * dots[k * count + j]).sum();
                t[i * count + j] = -tau * sum;
            }
        }
        Reflectors { v, t, count, len }
    }

    fn vectors(&self) -> MatrixRef<'_, T> {
        MatrixRef::row_major(&self.v, [self.count, self.len])
    }

    /// A ← A (H₀ H₁ …)ᵀ of a matrix of `rows` rows, `stride` apart, that begins at `begin`.
    pub(super) fn reflect_rows(&self, a: &mut [T], begin: usize, rows: usize, stride: usize) {
        let shape = [rows, self.count];
        let t = MatrixRef::row_major(&self.t, [self.count; 2]).transposed();
        let mut products = vec![T::ZERO; 2 * rows * self.count];
        let (dots, factors) = products.split_at_mut(rows * self.count);
        let whole = MatrixRef::new(a, begin, [rows, self.len], [stride as isize, 1]);
        gemm(T::ONE, whole, self.vectors().transposed(), T::ZERO, MatrixMut::row_major(dots, shape));
        gemm(T::ONE, MatrixRef::row_major(dots, shape), t, T::ZERO, MatrixMut::row_major(factors, shape));
        let whole = MatrixMut::new(a, begin, [rows, self.len], [stride as isize, 1]);
        gemm(-T::ONE, MatrixRef::row_major(factors, shape), self.vectors(), T::ONE, whole);
    }
}
