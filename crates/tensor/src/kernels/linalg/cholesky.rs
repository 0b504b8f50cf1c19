use super::lower::{Lower, SMALL};
use super::{LinalgError, check_right_hand_side, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};

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
        return eliminate_directly(a, stride, least);
    }
    // With A = [[A₁, ·], [B, A₂]]: L₁, then C = B L₁⁻ᵀ, then the factor of A₂ − C Cᵀ.
    let (top, low) = (n / 2, n - n / 2);
    let (upper, lower) = a.split_at_mut(top * stride);
    eliminate(upper, stride, &least[..top])?;
    let mut transposed = vec![T::ZERO; top * low];
    for (i, row) in lower.chunks(stride).enumerate() {
        transposed.iter_mut().skip(i).step_by(low).zip(row).for_each(|(t, &b)| *t = b);
    }
    Lower::new(upper, stride, top).solve(&mut transposed, low);
    for (i, row) in lower.chunks_mut(stride).enumerate() {
        row.iter_mut().zip(transposed.iter().skip(i).step_by(low)).for_each(|(b, &t)| *b = t);
    }
    let c = MatrixRef::row_major(&transposed, [top, low]);
    let rest = MatrixMut::new(lower, top, [low; 2], [stride as isize, 1]);
    gemm(-T::ONE, c.transposed(), c, T::ONE, rest);
    eliminate(&mut lower[top..], stride, &least[top..]).map_err(|row| top + row)
}

fn eliminate_directly<T: Float>(a: &mut [T], stride: usize, least: &[T]) -> Result<(), usize> {
    for j in 0..least.len() {
        for i in j..least.len() {
            let sum: T = (0..j).map(|k| a[i * stride + k] * a[j * stride + k]).sum();
            let x = a[i * stride + j] - sum;
            if i > j {
                a[i * stride + j] = x / a[j * stride + j];
            } else if x > least[j] && x.is_finite() {
                a[j * stride + j] = x.sqrt();
            } else {
                return Err(j);
            }
        }
    }
    Ok(())
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
