use std::ops::Range;

use super::lower::{Lower, SMALL};
use super::rows::{add_scaled, transposed};
use super::{LinalgError, check_right_hand_side, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Rows of a symmetric product that is computed on both sides of its diagonal.
const WHOLE: usize = 64;

/// A = L Lᵀ of a symmetric positive definite matrix, made of matrix products where it is large.
///
/// ```
/// use wengert_tensor::linalg::{Cholesky, LinalgError};
///
/// let factor = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2).unwrap();
/// assert!((factor.solve(&[8.0, 7.0])[1] - 1.5f64).abs() < 1e-15);
/// let indefinite = Cholesky::new(&[1.0, 2.0, 2.0, 1.0], 2);
/// assert_eq!(indefinite.unwrap_err(), LinalgError::NotPositiveDefinite { row: 1 });
/// ```
#[derive(Clone, Debug)]
pub struct Cholesky<T> {
    n: usize,
    l: Vec<T>,
}

impl<T: Float> Cholesky<T> {
    /// The factor of the n × n matrix `a`, whose lower triangle is read.
    ///
    /// # Errors
    /// [`NotFinite`](LinalgError::NotFinite), or [`NotPositiveDefinite`](LinalgError::NotPositiveDefinite) where a pivot is
    /// not above n ε times the diagonal element that it comes from.
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[track_caller]
    pub fn new(a: &[T], n: usize) -> Result<Self, LinalgError> {
        check_square("cholesky", a, n);
        let mut l = a.to_vec();
        factor(&mut l, n)?;
        Ok(Self { n, l })
    }

    /// The number of rows.
    pub fn size(&self) -> usize {
        self.n
    }

    /// L, n × n, with zeros above the diagonal.
    pub fn factor(&self) -> &[T] {
        &self.l
    }

    /// A⁻¹ b.
    ///
    /// # Panics
    /// If `b` has not n elements.
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Vec<T> {
        check_right_hand_side("cholesky", b, self.n);
        let mut x = b.to_vec();
        substitute(&self.l, &mut x);
        x
    }

    /// A⁻¹, symmetric to the bit.
    pub fn inverse(&self) -> Vec<T> {
        inverse(&self.l, self.n)
    }
}

compiled_here! {
    /// Replaces A by L.
    fn factor<T: Float>(a: &mut [T], n: usize) -> Result<(), LinalgError> {
        let lower = |a: &[T]| a.chunks(n.max(1)).zip(1..).all(|(row, i)| row[..i].iter().all(|x| x.is_finite()));
        if !lower(a) {
            return Err(LinalgError::NotFinite);
        }
        let rounding = T::from_usize(n) * T::EPSILON;
        let least: Vec<T> = a.iter().step_by(n + 1).map(|d| rounding * d.abs()).collect();
        eliminate(a, n, &least).map_err(|row| LinalgError::NotPositiveDefinite { row })?;
        a.chunks_mut(n.max(1)).zip(1..).for_each(|(row, i)| row[i..].fill(T::ZERO));
        Ok(())
    }
}

/// Replaces the lower triangle of A, which begins with the first element of `a`, by L; what is above means nothing
/// afterwards. Its pivots must be above `least`, or the row is the error.
fn eliminate<T: Float>(a: &mut [T], stride: usize, least: &[T]) -> Result<(), usize> {
    let n = least.len();
    if n <= SMALL {
        return dispatch(Elimination { a, stride, least });
    }
    // With A = [[A₁, ·], [B, A₂]]: L₁, then C = B L₁⁻ᵀ, then the factor of A₂ − C Cᵀ.
    let (top, low) = (n / 2, n - n / 2);
    let (upper, lower) = a.split_at_mut(top * stride);
    eliminate(upper, stride, &least[..top])?;
    let mut columns = transposed(lower, stride, [low, top]);
    Lower::new(upper, stride, top).solve(&mut columns, low);
    for (row, c) in lower.chunks_mut(stride).zip(transposed(&columns, low, [top, low]).chunks_exact(top)) {
        row[..top].copy_from_slice(c);
    }
    subtract_squares(&columns, [top, low], 0..low, &mut lower[top..], stride);
    eliminate(&mut lower[top..], stride, &least[top..]).map_err(|row| top + row)
}

/// A ← A − C Cᵀ in these rows and columns below the diagonal, for C given by its `[top, low]` transpose.
fn subtract_squares<T: Float>(
    c: &[T],
    [top, low]: [usize; 2],
    part: Range<usize>,
    a: &mut [T],
    stride: usize,
) {
    let rows = |part: &Range<usize>| MatrixRef::new(c, part.start, [top, part.len()], [low as isize, 1]);
    let mut subtract = |of: &Range<usize>, with: &Range<usize>| {
        let place =
            MatrixMut::new(a, of.start * stride + with.start, [of.len(), with.len()], [stride as isize, 1]);
        gemm(-T::ONE, rows(of).transposed(), rows(with), T::ONE, place);
    };
    if part.len() <= WHOLE {
        return subtract(&part, &part);
    }
    let middle = part.start + part.len() / 2;
    let (first, second) = (part.start..middle, middle..part.end);
    subtract(&second, &first);
    subtract_squares(c, [top, low], first, a, stride);
    subtract_squares(c, [top, low], second, a, stride);
}

/// Eliminates by rows.
struct Elimination<'a, T> {
    a: &'a mut [T],
    stride: usize,
    least: &'a [T],
}

impl<T: Float> Kernel for Elimination<'_, T> {
    type Output = Result<(), usize>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Result<(), usize> {
        let (n, mut column) = (self.least.len(), [T::ZERO; SMALL]);
        for j in 0..n {
            let pivot = self.a[j * self.stride + j];
            if !(pivot > self.least[j] && pivot.is_finite()) {
                return Err(j);
            }
            let root = pivot.sqrt();
            self.a[j * self.stride + j] = root;
            for i in j + 1..n {
                let row = &mut self.a[i * self.stride..][..=i];
                column[i] = row[j] / root;
                row[j] = column[i];
                add_scaled::<T, I>(&mut row[j + 1..], -column[i], &column[j + 1..=i]);
            }
        }
        Ok(())
    }
}

compiled_here! {
    /// x ← L⁻ᵀ L⁻¹ x.
    fn substitute<T: Float>(l: &[T], x: &mut [T]) {
        let n = x.len();
        for i in 0..n {
            let sum: T = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: T = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
    }
}

compiled_here! {
    /// XᵀX with X = L⁻¹.
    fn inverse<T: Float>(l: &[T], n: usize) -> Vec<T> {
        let mut x = vec![T::ZERO; n * n];
        Lower::new(l, n, n).invert(&mut x, n);
        let mut inverse = vec![T::ZERO; n * n];
        Lower::new(&x, n, n).gram(&mut inverse, n);
        for i in 0..n {
            for j in i + 1..n {
                inverse[i * n + j] = inverse[j * n + i];
            }
        }
        inverse
    }
}
