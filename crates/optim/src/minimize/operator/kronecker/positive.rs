//! Inverses of symmetric positive definite matrices of some thousand rows.

use wengert_tensor::gemm::{MatrixRef, gemm};

use super::{view, view_mut};
use crate::minimize::vector::Float;

/// Rows of the matrices that plain loops take.
const SMALL: usize = 48;

/// (A + `shift` I)⁻¹ for a symmetric A of `n` rows, computed in `f64` and exactly symmetric; `None` if it is not positive
/// definite to rounding or not finite.
///
/// By the inverse X of the Cholesky factor, computed recursively so that the work is matrix products: with
/// A = [[A₁, ·], [B, A₂]] and X₁ known, C = B X₁ᵀ is a part of the factor, X₂ comes from A₂ − C Cᵀ, and the part of X
/// between is −X₂ C X₁. Then A⁻¹ = XᵀX.
pub(super) fn inverse<T: Float>(a: &[T], n: usize, shift: f64) -> Option<Vec<T>> {
    let mut damped: Vec<f64> = a.iter().map(|x| x.to_f64()).collect();
    damped.iter_mut().step_by(n + 1).for_each(|d| *d += shift);
    if !damped.iter().all(|x| x.is_finite()) {
        return None;
    }
    let diagonal: Vec<f64> = damped.iter().step_by(n + 1).copied().collect();
    let x = Square { data: &damped, diagonal: &diagonal, stride: n, n }.inverse_factor()?;
    let mut product = vec![0.0; n * n];
    multiply(1.0, view(&x, [n; 2]).transposed(), view(&x, [n; 2]), 0.0, &mut product, n);
    // The two triangles could differ in rounding where the kernels sum them differently.
    Some((0..n * n).map(|k| T::from_f64(product[k.max(k % n * n + k / n)])).collect())
}

/// A square part of a matrix.
#[derive(Clone, Copy)]
struct Square<'a> {
    data: &'a [f64],
    /// Of the whole matrix, before anything was subtracted: what remains of it is compared with this.
    diagonal: &'a [f64],
    stride: usize,
    n: usize,
}

impl<'a> Square<'a> {
    fn part(&self, row: usize, column: usize, shape: [usize; 2]) -> MatrixRef<'a, f64> {
        MatrixRef::new(self.data, row * self.stride + column, shape, [self.stride as isize, 1])
    }

    /// L⁻¹ with A = L Lᵀ.
    fn inverse_factor(self) -> Option<Vec<f64>> {
        let n = self.n;
        if n <= SMALL {
            return self.inverse_factor_directly();
        }
        let (top, low) = (n / 2, n - n / 2);
        let first = Square { n: top, ..self }.inverse_factor()?;
        let mut c = vec![0.0; low * top];
        multiply(1.0, self.part(top, 0, [low, top]), view(&first, [top; 2]).transposed(), 0.0, &mut c, top);
        let mut rest: Vec<f64> = Vec::with_capacity(low * low);
        for row in top..n {
            rest.extend_from_slice(&self.data[row * self.stride + top..][..low]);
        }
        multiply(-1.0, view(&c, [low, top]), view(&c, [low, top]).transposed(), 1.0, &mut rest, low);
        let second = Square { data: &rest, diagonal: &self.diagonal[top..], stride: low, n: low };
        let second = second.inverse_factor()?;
        let (mut cx, mut between) = (vec![0.0; low * top], vec![0.0; low * top]);
        multiply(1.0, view(&c, [low, top]), view(&first, [top; 2]), 0.0, &mut cx, top);
        multiply(-1.0, view(&second, [low; 2]), view(&cx, [low, top]), 0.0, &mut between, top);

        let mut x = vec![0.0; n * n];
        for (row, values) in first.chunks_exact(top).enumerate() {
            x[row * n..][..top].copy_from_slice(values);
        }
        for (row, (left, right)) in between.chunks_exact(top).zip(second.chunks_exact(low)).enumerate() {
            let at = (top + row) * n;
            x[at..][..top].copy_from_slice(left);
            x[at + top..][..low].copy_from_slice(right);
        }
        Some(x)
    }

    fn inverse_factor_directly(self) -> Option<Vec<f64>> {
        let n = self.n;
        let at = |i: usize, j: usize| self.data[i * self.stride + j];
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let x = at(i, j) - sum;
                if i > j {
                    l[i * n + j] = x / l[j * n + j];
                } else if x > f64::EPSILON * self.diagonal[i].abs() {
                    l[i * n + i] = x.sqrt();
                } else {
                    return None;
                }
            }
        }
        let mut x = vec![0.0; n * n];
        for j in 0..n {
            x[j * n + j] = 1.0 / l[j * n + j];
            for i in j + 1..n {
                let sum: f64 = (j..i).map(|k| l[i * n + k] * x[k * n + j]).sum();
                x[i * n + j] = -sum / l[i * n + i];
            }
        }
        Some(x)
    }
}

/// C = alpha · A B + beta · C for a C of so many columns.
fn multiply(
    alpha: f64,
    a: MatrixRef<'_, f64>,
    b: MatrixRef<'_, f64>,
    beta: f64,
    c: &mut [f64],
    columns: usize,
) {
    let rows = c.len() / columns.max(1);
    gemm(alpha, a, b, beta, view_mut(c, [rows, columns]));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B Bᵀ/n for a fixed B of elements in (−1, 1).
    fn gram(n: usize) -> Vec<f64> {
        let b: Vec<f64> = (0..n * n).map(|i| ((i * 7919 + i / 7) % 1009) as f64 / 504.5 - 1.0).collect();
        let mut a = vec![0.0; n * n];
        multiply(1.0 / n as f64, view(&b, [n; 2]), view(&b, [n; 2]).transposed(), 0.0, &mut a, n);
        a
    }

    #[test]
    fn inverses_are_inverses_at_every_depth_of_the_recursion() {
        for n in [0, 1, 2, 47, 48, 49, 96, 97, 150, 333] {
            let a = gram(n);
            let inverse = inverse(&a, n, 0.1).unwrap();
            let mut product = vec![0.0; n * n];
            multiply(1.0, view(&a, [n; 2]), view(&inverse, [n; 2]), 0.0, &mut product, n);
            for (k, p) in product.iter().enumerate() {
                let identity = f64::from(u8::from(k % (n + 1) == 0));
                assert!((p + 0.1 * inverse[k] - identity).abs() < 1e-12, "n = {n}");
                assert_eq!(
                    inverse[k].to_bits(),
                    inverse[k % n * n + k / n].to_bits(),
                    "n = {n}: not symmetric"
                );
            }
        }
    }

    #[test]
    fn indefinite_and_non_finite_matrices_are_refused() {
        for n in [3, 60, 130] {
            let mut a = gram(n);
            a[(n - 1) * (n + 1)] = -1.0;
            assert!(inverse(&a, n, 1e-3).is_none());
            assert!(inverse(&a, n, 10.0).is_some());
            a[1] = f64::NAN;
            assert!(inverse(&a, n, 10.0).is_none());
        }
    }
}
