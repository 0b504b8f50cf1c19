//! Lower triangular matrices and their inverses, by halves, so that the work is matrix products.

use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Rows that are worked on by plain loops.
pub(super) const SMALL: usize = 48;

/// A lower triangular matrix: `data` begins with its first element; what is above the diagonal is not read.
#[derive(Clone, Copy)]
pub(super) struct Lower<'a, T> {
    data: &'a [T],
    /// From one row to the next.
    stride: usize,
    n: usize,
}

impl<'a, T: Float> Lower<'a, T> {
    pub(super) fn new(data: &'a [T], stride: usize, n: usize) -> Self {
        Lower { data, stride, n }
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> T {
        self.data[row * self.stride + column]
    }

    /// With L = [[P, 0], [Q, R]]: P, Q and R.
    fn halves(self) -> (Self, MatrixRef<'a, T>, Self) {
        let (top, low) = (self.n / 2, self.n - self.n / 2);
        let begin = top * self.stride;
        let q = MatrixRef::new(self.data, begin, [low, top], [self.stride as isize, 1]);
        (Lower { n: top, ..self }, q, Lower { data: &self.data[begin + top..], n: low, ..self })
    }

    /// W ← L⁻¹ W for a row-major W of n rows.
    pub(super) fn solve(self, w: &mut [T], columns: usize) {
        if self.n <= SMALL {
            return dispatch(Substitution { l: self, w, columns });
        }
        let (p, q, r) = self.halves();
        let (first, second) = w.split_at_mut(p.n * columns);
        p.solve(first, columns);
        let first = MatrixRef::row_major(first, [p.n, columns]);
        gemm(-T::ONE, q, first, T::ONE, MatrixMut::row_major(second, [r.n, columns]));
        r.solve(second, columns);
    }

    /// X = L⁻¹, into a matrix of zeros whose rows are `stride` apart: [[P⁻¹, 0], [−R⁻¹ Q P⁻¹, R⁻¹]].
    pub(super) fn invert(self, x: &mut [T], stride: usize) {
        if self.n <= SMALL {
            return self.invert_directly(x, stride);
        }
        let (p, q, r) = self.halves();
        let (top, low) = (p.n, r.n);
        p.invert(x, stride);
        r.invert(&mut x[top * stride + top..], stride);
        let row = stride as isize;
        let mut product = vec![T::ZERO; 2 * low * top];
        let (qp, rqp) = product.split_at_mut(low * top);
        let inverse_of_p = MatrixRef::new(x, 0, [top, top], [row, 1]);
        gemm(T::ONE, q, inverse_of_p, T::ZERO, MatrixMut::row_major(qp, [low, top]));
        let inverse_of_r = MatrixRef::new(x, top * stride + top, [low, low], [row, 1]);
        let qp = MatrixRef::row_major(qp, [low, top]);
        gemm(-T::ONE, inverse_of_r, qp, T::ZERO, MatrixMut::row_major(rqp, [low, top]));
        for (i, from) in rqp.chunks_exact(top).enumerate() {
            x[(top + i) * stride..][..top].copy_from_slice(from);
        }
    }

    fn invert_directly(self, x: &mut [T], stride: usize) {
        let n = self.n;
        let mut identity = vec![T::ZERO; n * n];
        identity.iter_mut().step_by(n + 1).for_each(|d| *d = T::ONE);
        self.solve(&mut identity, n);
        for (i, from) in identity.chunks_exact(n.max(1)).enumerate() {
            x[i * stride..][..n].copy_from_slice(from);
        }
    }

    /// LᵀL, its lower triangle, of a matrix of `stride` n: the products with the zeros of L are left out.
    pub(super) fn gram(self, out: &mut [T], stride: usize) {
        let row = self.stride as isize;
        let out_row = stride as isize;
        if self.n <= SMALL {
            let l = MatrixRef::new(self.data, 0, [self.n; 2], [row, 1]);
            return gemm(
                T::ONE,
                l.transposed(),
                l,
                T::ZERO,
                MatrixMut::new(out, 0, [self.n; 2], [out_row, 1]),
            );
        }
        let (p, q, r) = self.halves();
        let (top, low) = (p.n, r.n);
        p.gram(out, stride);
        gemm(T::ONE, q.transposed(), q, T::ONE, MatrixMut::new(out, 0, [top; 2], [out_row, 1]));
        let square = MatrixRef::new(r.data, 0, [low; 2], [row, 1]);
        let below = MatrixMut::new(out, top * stride, [low, top], [out_row, 1]);
        gemm(T::ONE, square.transposed(), q, T::ZERO, below);
        r.gram(&mut out[top * stride + top..], stride);
    }
}

/// W ← L⁻¹ W, row by row.
struct Substitution<'a, 'w, T> {
    l: Lower<'a, T>,
    w: &'w mut [T],
    columns: usize,
}

impl<T: Float> Kernel for Substitution<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { l, w, columns } = self;
        for i in 0..l.n {
            let (done, rest) = w.split_at_mut(i * columns);
            let row = &mut rest[..columns];
            for k in 0..i {
                let factor = -l.at(i, k);
                for (x, &y) in row.iter_mut().zip(&done[k * columns..][..columns]) {
                    *x = I::mul_add(factor, y, *x);
                }
            }
            let pivot = l.at(i, i);
            row.iter_mut().for_each(|x| *x /= pivot);
        }
    }
}
