//! Symmetric matrices made tridiagonal.

use crate::array::element::Float;
use crate::kernels::linalg::reflectors::{BLOCK, Reflectors, reflection};
use crate::kernels::linalg::rows::{add_scaled, dot};
use crate::machine::simd::{Isa, Kernel};

/// Elements that are worked on at a time.
const LANES: usize = 16;

/// Rows that are worked on at a time.
const ROWS: usize = 4;

/// A = Q T Qᵀ with T tridiagonal.
pub(super) struct Tridiagonal<T> {
    pub(super) diagonal: Vec<T>,
    /// As long as the diagonal, 0 at its end.
    pub(super) off_diagonal: Vec<T>,
    /// The unit vectors v of the reflections I − 2 v vᵀ, whose product is Q: row k begins with k + 1 zeros.
    vectors: Vec<T>,
}

impl<T: Float> Tridiagonal<T> {
    /// Qᵀ: row k is the k-th basis vector.
    pub(super) fn basis(&self) -> Vec<T> {
        let n = self.diagonal.len();
        let mut q = vec![T::ZERO; n * n];
        q.iter_mut().step_by(n + 1).for_each(|d| *d = T::ONE);
        let count = n.saturating_sub(2);
        // From the last block on, so that what is before is still the identity.
        for first in (0..count).step_by(BLOCK).rev() {
            let end = count.min(first + BLOCK);
            let begin = first + 1;
            let v = (first..end).flat_map(|k| &self.vectors[k * n + begin..(k + 1) * n]).copied().collect();
            let block = Reflectors::new(v, &[T::from_f64(2.0); BLOCK][..end - first]);
            block.reflect_rows(&mut q, begin * n + begin, n - begin, n);
        }
        q
    }
}

/// Reflections from both sides. A step's change of the matrix is made in the next step's pass, with that step's product with
/// the matrix, so that the matrix is read and written once a step.
pub(super) struct Tridiagonalise<T> {
    pub(super) a: Vec<T>,
    pub(super) n: usize,
}

impl<T: Float> Kernel for Tridiagonalise<T> {
    type Output = Tridiagonal<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Tridiagonal<T> {
        let Self { mut a, n } = self;
        let two = T::from_f64(2.0);
        let (mut diagonal, mut off_diagonal) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        let mut vectors = vec![T::ZERO; n * n];
        // A − v wᵀ − w vᵀ is what the rows below stand for.
        let (mut v, mut w, mut product) = (vec![T::ZERO; n], vec![T::ZERO; n], vec![T::ZERO; n]);
        for k in 0..n {
            let (row, below) = a[k * n..].split_at_mut(n);
            let (v_k, w_k) = (v[k], w[k]);
            add_scaled::<T, I>(&mut row[k..], -v_k, &w[k..]);
            add_scaled::<T, I>(&mut row[k..], -w_k, &v[k..]);
            diagonal[k] = row[k];
            if k + 2 >= n {
                if k + 1 < n {
                    off_diagonal[k] = row[k + 1];
                    let last = &mut below[n - 1];
                    *last = I::mul_add(-two * v[n - 1], w[n - 1], *last);
                    diagonal[n - 1] = *last;
                }
                break;
            }
            let next = &mut vectors[k * n..][..n];
            next[k + 1..].copy_from_slice(&row[k + 1..]);
            off_diagonal[k] = reflection::<T, I>(&mut next[k + 1..]);
            // A multiple of LANES from the end: the columns before are done with, and what they hold means nothing.
            let begin = n.saturating_sub((n - k - 1).next_multiple_of(LANES));
            let pass = Pass { begin, v: &v, w: &w, next };
            let whole = below.len() / (ROWS * n) * ROWS;
            for i in (0..whole).step_by(ROWS) {
                pass.rows::<I, ROWS>(&mut below[i * n..], n, k + 1 + i, &mut product);
            }
            for i in whole..below.len() / n {
                pass.rows::<I, 1>(&mut below[i * n..], n, k + 1 + i, &mut product);
            }
            // w = 2 A v − 2 (vᵀAv) v.
            v.copy_from_slice(next);
            w[..=k].fill(T::ZERO);
            let along = two * dot::<T, I>(&product[k + 1..], &v[k + 1..]);
            for ((w, &v), &product) in w[k + 1..].iter_mut().zip(&v[k + 1..]).zip(&product[k + 1..]) {
                *w = two * product - along * v;
            }
        }
        Tridiagonal { diagonal, off_diagonal, vectors }
    }
}

/// One step's way through the rows of the matrix.
struct Pass<'a, T> {
    /// The first column that matters.
    begin: usize,
    v: &'a [T],
    w: &'a [T],
    next: &'a [T],
}

impl<T: Float> Pass<'_, T> {
    /// A ← A − v wᵀ − w vᵀ of the R rows from `first` on, and their products with the next v.
    #[inline(always)]
    fn rows<I: Isa, const R: usize>(&self, a: &mut [T], n: usize, first: usize, product: &mut [T]) {
        let mut rows = a.chunks_exact_mut(n);
        let rows: [&mut [T]; R] =
            std::array::from_fn(|_| rows.next().map(|row| &mut row[self.begin..]).unwrap_or_default());
        let (v, v_rest) = self.v[self.begin..].as_chunks::<LANES>();
        let (w, w_rest) = self.w[self.begin..].as_chunks::<LANES>();
        let (next, next_rest) = self.next[self.begin..].as_chunks::<LANES>();
        let factors: [[T; 2]; R] = std::array::from_fn(|r| [-self.v[first + r], -self.w[first + r]]);
        let mut sums = [[T::ZERO; LANES]; R];
        // Copies, as the compiler cannot know that the rows are apart from the vectors.
        for (j, ((&v, &w), &next)) in v.iter().zip(w).zip(next).enumerate() {
            for r in 0..R {
                let [v_i, w_i] = factors[r];
                let mut x = [T::ZERO; LANES];
                x.copy_from_slice(&rows[r][j * LANES..][..LANES]);
                for l in 0..LANES {
                    x[l] = I::mul_add(w_i, v[l], I::mul_add(v_i, w[l], x[l]));
                    sums[r][l] = I::mul_add(x[l], next[l], sums[r][l]);
                }
                rows[r][j * LANES..][..LANES].copy_from_slice(&x);
            }
        }
        let whole = v.len() * LANES;
        for r in 0..R {
            let [v_i, w_i] = factors[r];
            for (l, x) in rows[r][whole..].iter_mut().enumerate() {
                *x = I::mul_add(w_i, v_rest[l], I::mul_add(v_i, w_rest[l], *x));
                sums[r][l] = I::mul_add(*x, next_rest[l], sums[r][l]);
            }
            product[first + r] = sums[r].iter().copied().sum();
        }
    }
}
