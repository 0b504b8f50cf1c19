//! Products of Householder reflections in the compact form of Schreiber and Van Loan (1989), so that applying them is matrix
//! products.

use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::kernels::linalg::rows::{dot, largest, scale_to_one};
use crate::machine::simd::Isa;

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
    /// A ← H₀ H₁ … A, or A ← (H₀ H₁ …)ᵀ A, of a matrix of `columns` columns, its rows `stride` apart, that begins at `begin`.
    pub(super) fn reflect_columns(
        &self,
        a: &mut [T],
        begin: usize,
        columns: usize,
        stride: usize,
        transposed: bool,
    ) {
        let shape = [self.count, columns];
        let t = MatrixRef::row_major(&self.t, [self.count; 2]);
        let t = if transposed { t.transposed() } else { t };
        let mut products = vec![T::ZERO; 2 * self.count * columns];
        let (dots, factors) = products.split_at_mut(self.count * columns);
        let whole = MatrixRef::new(a, begin, [self.len, columns], [stride as isize, 1]);
        gemm(T::ONE, self.vectors(), whole, T::ZERO, MatrixMut::row_major(dots, shape));
        gemm(T::ONE, t, MatrixRef::row_major(dots, shape), T::ZERO, MatrixMut::row_major(factors, shape));
        let whole = MatrixMut::new(a, begin, [self.len, columns], [stride as isize, 1]);
        gemm(-T::ONE, self.vectors().transposed(), MatrixRef::row_major(factors, shape), T::ONE, whole);
    }
}

/// Replaces x by the unit vector v for which (I − 2 v vᵀ) x has only a first element, and gives that; by zeros where x is 0.
#[inline(always)]
pub(super) fn reflection<T: Float, I: Isa>(x: &mut [T]) -> T {
    let largest = largest(x);
    if largest == T::ZERO {
        return T::ZERO;
    }
    // Squares neither overflow nor underflow.
    let scale = scale_to_one(largest);
    x.iter_mut().for_each(|x| *x *= scale);
    let length = dot::<T, I>(x, x).sqrt();
    let first = x[0];
    x[0] += length.copysign(first);
    let size = (length * x[0].abs() * T::from_f64(2.0)).sqrt();
    x.iter_mut().for_each(|x| *x /= size);
    -(length / scale).copysign(first)
}
