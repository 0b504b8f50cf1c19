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
    /// The n × n matrix times Qᵀ: vectors in the basis in which A is tridiagonal, as rows, become those of A.
    pub(super) fn turned(&self, mut rows: Vec<T>) -> Vec<T> {
        let n = self.diagonal.len();
        let count = n.saturating_sub(2);
        for first in (0..count).step_by(BLOCK).rev() {
            let end = count.min(first + BLOCK);
            let begin = first + 1;
            let mut v = Vec::with_capacity((end - first) * (n - begin));
            for k in first..end {
                v.extend_from_slice(&self.vectors[k * n + begin..(k + 1) * n]);
            }
            let block = Reflectors::new(v, &[T::from_f64(2.0); BLOCK][..end - first]);
            block.reflect_rows(&mut rows, begin, n, n);
        }
        rows
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
            for (rows, i) in below.chunks_mut(ROWS * n).zip((k + 1..).step_by(ROWS)) {
                if rows.len() == ROWS * n {
                    product[i..i + ROWS].copy_from_slice(&pass.rows::<I>(rows, i));
                } else {
                    for (row, i) in rows.chunks_mut(n).zip(i..) {
                        product[i] = pass.row::<I>(row, i);
                    }
                }
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
    /// A ← A − v wᵀ − w vᵀ of row i, and its product with the next v.
    #[inline(always)]
    fn row<I: Isa>(&self, row: &mut [T], i: usize) -> T {
        let (blocks, rest) = row[self.begin..].as_chunks_mut::<LANES>();
        let [(v, v_rest), (w, w_rest), (next, next_rest)] = self.blocks();
        let factors = [-self.v[i], -self.w[i]];
        let mut sums = [T::ZERO; LANES];
        for (((x, v), w), next) in blocks.iter_mut().zip(v).zip(w).zip(next) {
            sums = step::<T, I>(x, factors, [*v, *w, *next], sums);
        }
        total::<T, I>(rest, factors, [v_rest, w_rest, next_rest], sums)
    }

    /// The same of the rows from i on, for which the vectors are read once.
    #[inline(always)]
    fn rows<I: Isa>(&self, rows: &mut [T], i: usize) -> [T; ROWS] {
        let (first, rows) = rows.split_at_mut(self.v.len());
        let (second, rows) = rows.split_at_mut(self.v.len());
        let (third, fourth) = rows.split_at_mut(self.v.len());
        let (a, a_rest) = first[self.begin..].as_chunks_mut::<LANES>();
        let (b, b_rest) = second[self.begin..].as_chunks_mut::<LANES>();
        let (c, c_rest) = third[self.begin..].as_chunks_mut::<LANES>();
        let (d, d_rest) = fourth[self.begin..].as_chunks_mut::<LANES>();
        let [(v, v_rest), (w, w_rest), (next, next_rest)] = self.blocks();
        let [of_a, of_b, of_c, of_d] = [0, 1, 2, 3].map(|r| [-self.v[i + r], -self.w[i + r]]);
        // Not arrays of sums, which would not stay in registers.
        let zeros = [T::ZERO; LANES];
        let (mut a_sums, mut b_sums, mut c_sums, mut d_sums) = (zeros, zeros, zeros, zeros);
        let blocks = a.iter_mut().zip(b).zip(c).zip(d);
        for (((((a, b), c), d), (v, w)), next) in blocks.zip(v.iter().zip(w)).zip(next) {
            // Copied, as the compiler cannot know that the rows are apart from them.
            let vectors = [*v, *w, *next];
            a_sums = step::<T, I>(a, of_a, vectors, a_sums);
            b_sums = step::<T, I>(b, of_b, vectors, b_sums);
            c_sums = step::<T, I>(c, of_c, vectors, c_sums);
            d_sums = step::<T, I>(d, of_d, vectors, d_sums);
        }
        let vectors = [v_rest, w_rest, next_rest];
        [
            total::<T, I>(a_rest, of_a, vectors, a_sums),
            total::<T, I>(b_rest, of_b, vectors, b_sums),
            total::<T, I>(c_rest, of_c, vectors, c_sums),
            total::<T, I>(d_rest, of_d, vectors, d_sums),
        ]
    }

    #[inline(always)]
    fn blocks(&self) -> [(&[[T; LANES]], &[T]); 3] {
        let Pass { begin, v, w, next } = *self;
        [v[begin..].as_chunks(), w[begin..].as_chunks(), next[begin..].as_chunks()]
    }
}

/// The change of a block of a row, and its products with the next v added to the sums.
#[inline(always)]
fn step<T: Float, I: Isa>(
    x: &mut [T; LANES],
    [v_i, w_i]: [T; 2],
    [v, w, next]: [[T; LANES]; 3],
    mut sums: [T; LANES],
) -> [T; LANES] {
    let mut new = *x;
    for l in 0..LANES {
        new[l] = I::mul_add(w_i, v[l], I::mul_add(v_i, w[l], new[l]));
        sums[l] = I::mul_add(new[l], next[l], sums[l]);
    }
    *x = new;
    sums
}

/// The same of what a row has beyond its blocks, and the sum of all.
#[inline(always)]
fn total<T: Float, I: Isa>(
    rest: &mut [T],
    [v_i, w_i]: [T; 2],
    [v, w, next]: [&[T]; 3],
    mut sums: [T; LANES],
) -> T {
    for (l, x) in rest.iter_mut().enumerate() {
        *x = I::mul_add(w_i, v[l], I::mul_add(v_i, w[l], *x));
        sums[l] = I::mul_add(*x, next[l], sums[l]);
    }
    sums.into_iter().sum()
}
