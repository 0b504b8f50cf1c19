//! Tridiagonal matrices by halves: J. Cuppen, "A divide and conquer method for the symmetric tridiagonal eigenproblem", Numer.
//! Math. 36, 1981. Two halves without the element between them are solved, and what that element adds is of rank one.

use std::cmp::Ordering;

use super::implicit_ql::diagonalise;
use super::rotations::{MOST, Rotations};
use super::secular::eigen_of_update;
use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::kernels::linalg::rows::{largest, rotate, scale_to_one};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// The eigenvalues of a tridiagonal matrix, ascending in the place of the diagonal, and its unit eigenvectors as rows; `None` if they
/// do not converge. The off-diagonal is as long as the diagonal, with anything at its end.
pub(super) fn tridiagonal_eigen<T: Float>(d: &mut [T], e: &mut [T]) -> Option<Vec<T>> {
    let n = d.len();
    let size = largest(d).maximum(largest(&e[..n.saturating_sub(1)]));
    if n <= MOST {
        return leaf(d, e, size);
    }
    let scale = if size > T::ZERO { scale_to_one(size) } else { T::ONE };
    d.iter_mut().chain(e.iter_mut()).for_each(|x| *x *= scale);
    let rows = halved(d, e)?;
    d.iter_mut().for_each(|x| *x /= scale);
    Some(rows)
}

/// Of a matrix whose largest element is about 1.
fn halved<T: Float>(d: &mut [T], e: &mut [T]) -> Option<Vec<T>> {
    let n = d.len();
    if n <= MOST {
        return leaf(d, e, T::ONE);
    }
    let half = n / 2;
    let between = e[half - 1];
    d[half - 1] -= between.abs();
    d[half] -= between.abs();
    let (first_d, second_d) = d.split_at_mut(half);
    let (first_e, second_e) = e.split_at_mut(half);
    let first = halved(first_d, first_e)?;
    let second = halved(second_d, second_e)?;
    Some(Halves { d, rows: [first, second], sizes: [half, n - half] }.joined(between))
}

/// By rotations: for a few rows they take less time.
fn leaf<T: Float>(d: &mut [T], e: &mut [T], size: T) -> Option<Vec<T>> {
    let mut rotations = Rotations::of_identity(d.len());
    if let Some(end) = e.last_mut() {
        *end = T::ZERO;
    }
    if !diagonalise(d, e, size, &mut rotations) {
        return None;
    }
    let order = ascending(d);
    let values: Vec<T> = order.iter().map(|&i| d[i]).collect();
    d.copy_from_slice(&values);
    Some(rotations.into_rows(&order))
}

/// The places of numbers from the least on. None is NaN: that would not have counted as converged.
fn ascending<T: Float>(d: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..d.len()).collect();
    order.sort_by(|&i, &j| d[i].partial_cmp(&d[j]).unwrap_or(Ordering::Equal));
    order
}

/// Which columns of a vector are not 0: those of the first half, of both, or of the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    First,
    Both,
    Second,
}

/// The eigenvalues of two halves, one behind the other, and the eigenvectors of each.
struct Halves<'a, T> {
    d: &'a mut [T],
    rows: [Vec<T>; 2],
    sizes: [usize; 2],
}

/// Eigenvectors of the halves that the element between them does not change to rounding, and the others.
struct Deflated {
    kept: Vec<usize>,
    unchanged: Vec<usize>,
    parts: Vec<Part>,
}

impl<T: Float> Halves<'_, T> {
    /// The eigenvectors of the whole, whose eigenvalues are left in the place of the halves'.
    fn joined(mut self, between: T) -> Vec<T> {
        let [first, second] = self.sizes;
        let n = first + second;
        // The last elements of the vectors of the first half and the first ones of the second's, as a unit vector.
        let half = T::from_f64(0.5f64.sqrt());
        let ends = self.rows[0].chunks_exact(first).map(|row| row[first - 1] * half);
        let signed = if between < T::ZERO { -half } else { half };
        let beginnings = self.rows[1].chunks_exact(second).map(|row| row[0] * signed);
        let mut z: Vec<T> = ends.chain(beginnings).collect();
        let strength = between.abs() + between.abs();
        let mut whole = self.whole();
        let Deflated { kept, unchanged, parts } = self.deflate(&mut whole, &mut z, strength);
        let d: Vec<T> = kept.iter().map(|&i| self.d[i]).collect();
        let weights: Vec<T> = kept.iter().map(|&i| strength * z[i] * z[i]).collect();
        let signs: Vec<T> = kept.iter().map(|&i| z[i]).collect();
        let (roots, vectors) = eigen_of_update(&d, &weights, &signs);
        let parts: Vec<Part> = kept.iter().map(|&i| parts[i]).collect();
        let turned = self.turned(&whole, &kept, &parts, &vectors);
        let values: Vec<T> = roots.into_iter().chain(unchanged.iter().map(|&i| self.d[i])).collect();
        let order = ascending(&values);
        let mut out = Vec::with_capacity(n * n);
        for &i in &order {
            out.extend_from_slice(match unchanged.get(i.wrapping_sub(kept.len())) {
                Some(&row) => &whole[row * n..][..n],
                None => &turned[i * n..][..n],
            });
        }
        self.d.iter_mut().zip(&order).for_each(|(d, &i)| *d = values[i]);
        out
    }

    /// The vectors of both halves, as rows of the whole.
    fn whole(&self) -> Vec<T> {
        let ([first, second], n) = (self.sizes, self.d.len());
        let mut whole = vec![T::ZERO; n * n];
        let (above, below) = whole.split_at_mut(first * n);
        for (to, from) in above.chunks_exact_mut(n).zip(self.rows[0].chunks_exact(first)) {
            to[..first].copy_from_slice(from);
        }
        for (to, from) in below.chunks_exact_mut(n).zip(self.rows[1].chunks_exact(second)) {
            to[first..].copy_from_slice(from);
        }
        whole
    }

    /// Sorts out the vectors that stay: whose element of z is nothing, or that are rotated with one of nearly the same eigenvalue
    /// until it is.
    fn deflate(&mut self, whole: &mut [T], z: &mut [T], strength: T) -> Deflated {
        let n = z.len();
        let d = &mut *self.d;
        let mut parts: Vec<Part> =
            (0..n).map(|i| if i < self.sizes[0] { Part::First } else { Part::Second }).collect();
        let nothing = T::from_f64(8.0) * T::EPSILON * largest(d).maximum(largest(z));
        let (mut kept, mut unchanged) = (Vec::new(), Vec::new());
        let mut pending: Option<usize> = None;
        for i in ascending(d) {
            if strength * z[i].abs() <= nothing {
                unchanged.push(i);
                continue;
            }
            if let Some(p) = pending {
                let length = z[i].hypot(z[p]);
                let (c, s) = (z[i] / length, -z[p] / length);
                if ((d[i] - d[p]) * c * s).abs() <= nothing {
                    (z[p], z[i]) = (T::ZERO, length);
                    if parts[p] != parts[i] {
                        parts[i] = Part::Both;
                    }
                    let [x, y] =
                        whole.get_disjoint_mut([p, i].map(|row| row * n..(row + 1) * n)).expect("two rows");
                    dispatch(Rotated { x, y, c, s });
                    (d[p], d[i]) = (d[p] * c * c + d[i] * s * s, d[p] * s * s + d[i] * c * c);
                    unchanged.push(p);
                } else {
                    kept.push(p);
                }
            }
            pending = Some(i);
        }
        kept.extend(pending);
        Deflated { kept, unchanged, parts }
    }

    /// Combinations of the kept rows: products of what is not 0 of each half.
    fn turned(&self, whole: &[T], kept: &[usize], parts: &[Part], vectors: &[T]) -> Vec<T> {
        let (k, n, first) = (kept.len(), self.d.len(), self.sizes[0]);
        if k == 0 {
            return Vec::new();
        }
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by_key(|&i| parts[i]);
        let [left, right] =
            [Part::First, Part::Both].map(|part| order.partition_point(|&i| parts[i] <= part));
        let mut by_part = vec![T::ZERO; k * k];
        for (to, row) in by_part.chunks_exact_mut(k).zip(vectors.chunks_exact(k)) {
            to.iter_mut().zip(&order).for_each(|(to, &i)| *to = row[i]);
        }
        let mut out = vec![T::ZERO; k * n];
        for (terms, columns) in [(0..right, 0..first), (left..k, first..n)] {
            let mut gathered = Vec::with_capacity(terms.len() * columns.len());
            for &i in &order[terms.clone()] {
                gathered.extend_from_slice(&whole[kept[i] * n..][columns.clone()]);
            }
            let factors = MatrixRef::new(&by_part, terms.start, [k, terms.len()], [k as isize, 1]);
            let rows = MatrixRef::row_major(&gathered, [terms.len(), columns.len()]);
            let place = MatrixMut::new(&mut out, columns.start, [k, columns.len()], [n as isize, 1]);
            gemm(T::ONE, factors, rows, T::ZERO, place);
        }
        out
    }
}

/// (x, y) ← (c x + s y, c y − s x).
struct Rotated<'a, T> {
    x: &'a mut [T],
    y: &'a mut [T],
    c: T,
    s: T,
}

impl<T: Float> Kernel for Rotated<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        rotate::<T, I>(self.x, self.y, self.c, -self.s);
    }
}
