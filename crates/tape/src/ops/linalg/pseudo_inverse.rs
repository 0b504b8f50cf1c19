use wengert_tensor::gemm::with_full_products;
use wengert_tensor::linalg::{Lu, solve_scaled, solve_with, svd};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// A⁺, where singular values up to `tolerance` times the largest count as 0.
struct PseudoInverse {
    tolerance: f64,
}

impl PseudoInverse {
    fn value<T: Float>(&self, a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
        let [m, n] = matrices::size("pinv", a.shape());
        let k = m.min(n);
        let tolerance = T::from_f64(self.tolerance);
        each("pinv", [a], [n, m], &move |[a], out| {
            let svd = svd(a, m, n)?;
            if m == n && svd.values.iter().all(|&s| s > tolerance * svd.values[0]) {
                // The inverse, whose elements have all their digits where those of the matrix are of very different size.
                if let (Some(scales), lu) = Lu::for_solving(a, n)? {
                    let identity: Vec<T> =
                        (0..n * n).map(|e| T::from_usize(usize::from(e / n == e % n))).collect();
                    solve_scaled([&scales.rows, &scales.columns], &identity, out, |x| {
                        let right = x.to_vec();
                        solve_with(lu.packed(), lu.order(), &right, n, x);
                    });
                    return Ok(());
                }
            }
            // V Σ⁺ Uᵀ.
            let inverted = Tensor::written([k, n], |rows| {
                for ((row, v), &s) in
                    rows.chunks_exact_mut(n.max(1)).zip(svd.vt.chunks_exact(n.max(1))).zip(&svd.values)
                {
                    let counts = s > tolerance * svd.values[0];
                    row.iter_mut().zip(v).for_each(|(x, &v)| *x = if counts { v / s } else { T::ZERO });
                }
            });
            let u = Tensor::written([m, k], |elements| elements.copy_from_slice(&svd.u));
            out.copy_from_slice(&with_full_products(|| inverted.t().matmul(&u.t())).to_vec());
            Ok(())
        })
    }
}

impl<T: Float> Op<T> for PseudoInverse {
    fn name(&self) -> &str {
        "pinv"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("tolerance", self.tolerance);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(self.value(inputs[0]))
    }
    /// The transpose of dP = −P dA P + P Pᵀ dAᵀ (I − A P) + (I − P A) dAᵀ PᵀP (Golub and Pereyra, 1973), at constant rank.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let (a, p, v) = (at.input(0), at.output(), cotangent.t());
            let pt = p.t();
            // K Vᵀ PPᵀ and PᵀP Vᵀ N with K = I − A P and N = I − P A, which come before the second P, or what they take to 0
            // might have left the range.
            let (left, right) = (v.full_matmul(p), p.full_matmul(&v));
            // Of full rank one or both are 0, and not only to the rounding of larger numbers. The rank is the trace of P A.
            let rank = (a.t() * p).stop_gradient().sum_axes([-2, -1], true);
            let [m, n] = matrices::size("pinv", a.shape()).map(|size| rank.gt(size as f64 - 0.5));
            let first = (&left - a.full_matmul(&p.full_matmul(&left))).masked_fill(m, 0.0).full_matmul(&pt);
            let second = pt.full_matmul(&(&right - right.full_matmul(p).full_matmul(a)).masked_fill(n, 0.0));
            first + second - pt.full_matmul(cotangent).full_matmul(&pt)
        });
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(PseudoInverse);
}

impl<T: Float> Var<T> {
    /// A⁺, the Moore–Penrose inverse of the m × n matrices in the last two axes, n × m. Singular values up to `tolerance` times
    /// the largest count as 0; `None` means max(m, n) ε. The derivatives hold where the rank does not change.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let column = Var::from([[3.0f64], [4.0]]);
    /// let inverse = column.pinv(None)?;
    /// assert!((inverse - Var::from([[0.12, 0.16]])).abs().max().item() < 1e-15);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite, or its singular values do not converge.
    ///
    /// # Panics
    /// If there are fewer than two axes, or `tolerance` is negative or NaN.
    #[doc(alias = "linalg.pinv")]
    #[doc(alias = "pinverse")]
    #[track_caller]
    pub fn pinv(&self, tolerance: Option<f64>) -> Result<Var<T>, MatrixError> {
        let [m, n] = matrices::size("pinv", self.shape());
        let tolerance = tolerance.unwrap_or(m.max(n) as f64 * T::EPSILON.to_f64());
        assert!(tolerance >= 0.0, "pinv: the tolerance {tolerance} is no number from 0 on");
        let inverse = PseudoInverse { tolerance };
        let timing = Timing::start();
        let value = inverse.value(self.value())?;
        timing.named::<T>("pinv", &[self.shape()], value.shape());
        Ok(apply_known(inverse, &[self], &[], value))
    }
}
