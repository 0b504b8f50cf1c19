use wengert_tensor::linalg;
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::eigen::{inverse_gaps_beside, rounding};
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// U, below it a row of the singular values, and below that V, of m × n matrices: (m + 1 + n) × min(m, n).
struct SingularValues;

fn value<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
    let [m, n] = matrices::size("svd", a.shape());
    let k = m.min(n);
    each("svd", [a], [m + 1 + n, k], &move |[a], out| {
        let svd = linalg::svd(a, m, n)?;
        out[..m * k].copy_from_slice(&svd.u);
        out[m * k..][..k].copy_from_slice(&svd.values);
        for (i, row) in out[(m + 1) * k..].chunks_exact_mut(k.max(1)).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = svd.vt[j * n + i]);
        }
        Ok(())
    })
}

/// U, the singular values and V.
fn parts<T: Float>(packed: &Var<T>, m: usize) -> [Var<T>; 3] {
    let m = m as isize;
    [packed.slice_axis(-2, ..m), packed.select(-2, m), packed.slice_axis(-2, m + 1..)]
}

/// What is rounding of each singular value: beside the largest or, if that is less, 4 k ε |uᵀ| |U| S |Vᵀ| |v|, what changes of the
/// elements to their digits come to. Where rows or columns are of very different size, small values have all their digits.
fn rounding_of_each<T: Float>(u: &Var<T>, s: &Var<T>, v: &Var<T>) -> Var<T> {
    let [u, v] = [u, v].map(|x| x.stop_gradient().abs());
    let k = s.shape()[s.rank() - 1];
    let shares = u.t().full_matmul(&u) * v.t().full_matmul(&v);
    let of_elements = shares.full_matmul(&s.stop_gradient().unsqueeze(-1)).squeeze(-1);
    let of_elements = of_elements * (4.0 * k as f64 * T::EPSILON.to_f64()) + 2.0 / T::MAX.to_f64();
    of_elements.minimum(&rounding(s))
}

/// X − Xᵀ.
fn skew<T: Float>(x: &Var<T>) -> Var<T> {
    x - x.t()
}

impl<T: Float> Op<T> for SingularValues {
    fn name(&self) -> &str {
        "svd"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(value(inputs[0]))
    }
    /// Ā = U (E ∘ skew(UᵀŪ) S + S E ∘ skew(VᵀV̄) + diag(s̄)) Vᵀ + (Ū − U UᵀŪ) S⁻¹ Vᵀ + U S⁻¹ (V̄ − V VᵀV̄)ᵀ with
    /// E = 1/(sⱼ² − sᵢ²); E and S⁻¹ are 0 where they would be infinite.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let [m, n] = matrices::size("svd", at.input(0).shape());
            let [u, s, v] = parts(at.output(), m);
            let [of_u, of_s, of_v] = parts(cotangent, m);
            let (row, column) = (s.unsqueeze(-2), s.unsqueeze(-1));
            let nothing = rounding_of_each(&u, &s, &v);
            let of_pairs = nothing.unsqueeze(-1).maximum(&nothing.unsqueeze(-2));
            // sⱼ E and sᵢ E by the two factors of sⱼ² − sᵢ², as squares of the values may leave the range.
            let sums = &row + &column;
            let none = sums.le(&of_pairs);
            let sums = sums.masked_fill(none, f64::INFINITY);
            let e = inverse_gaps_beside(&s, &of_pairs);
            let (uu, vv) = (u.t().full_matmul(&of_u), v.t().full_matmul(&of_v));
            let inner = &e * skew(&uu) * (row / &sums) + e * skew(&vv) * (column / sums) + of_s.diag(0);
            let mut total = u.full_matmul(&inner).full_matmul(&v.t());
            let inverse = s.masked_fill(s.le(&nothing), f64::INFINITY).recip().unsqueeze(-2);
            if m > n {
                total += ((of_u - u.full_matmul(&uu)) * &inverse).full_matmul(&v.t());
            }
            if n > m {
                total += (u * inverse).full_matmul(&(of_v - v.full_matmul(&vv)).t());
            }
            total
        });
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUT
    }
    rules_compiled_here!(SingularValues);
}

/// A = U diag(s) Vᵀ of m × n matrices, with k = min(m, n).
#[derive(Clone)]
pub struct SvdFactors<T: Float> {
    /// Orthonormal columns, m × k.
    pub u: Var<T>,
    /// The singular values in descending order, `[…, k]`.
    pub s: Var<T>,
    /// Orthonormal rows, k × n.
    pub vt: Var<T>,
}

impl<T: Float> Var<T> {
    /// A = U diag(s) Vᵀ of the m × n matrices in the last two axes (`full_matrices=False` of others).
    ///
    /// Singular vectors are determined up to a common sign, and those of a value that occurs several times, or of 0, not at
    /// all; there their derivative is taken to be 0, as [`eigh`](Var::eigh) says. Gradients of functions of the singular
    /// values alone are finite everywhere.
    ///
    /// ```
    /// use wengert_tape::{SvdFactors, Var};
    /// let a = Var::from([[3.0f64, 0.0], [4.0, 5.0]]);
    /// let SvdFactors { u, s, vt } = a.svd()?;
    /// assert!((s.prod().item() - 15.0).abs() < 1e-14);
    /// assert!(((u * s.unsqueeze(-2)).matmul(&vt) - a).abs().max().item() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite, or the values do not converge.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[doc(alias = "linalg.svd")]
    #[track_caller]
    pub fn svd(&self) -> Result<SvdFactors<T>, MatrixError> {
        let [m, _] = matrices::size("svd", self.shape());
        let unit = matrices::unit(self);
        let a = self / &unit;
        let timing = Timing::start();
        let value = value(a.value())?;
        timing.named::<T>("svd", &[self.shape()], value.shape());
        let [u, s, v] = parts(&apply_known(SingularValues, &[&a], &[], value), m);
        Ok(SvdFactors { u, s: s * unit.squeeze(-1), vt: v.t() })
    }

    /// The singular values in descending order, `[…, min(m, n)]`: see [`svd`](Var::svd).
    ///
    /// # Errors
    /// If a matrix is not finite, or the values do not converge.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let values = Var::from([[0.0f64, 3.0], [2.0, 0.0]]).svdvals()?;
    /// assert!((values - Var::from([3.0, 2.0])).abs().max().item() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    #[doc(alias = "linalg.svdvals")]
    #[track_caller]
    pub fn svdvals(&self) -> Result<Var<T>, MatrixError> {
        matrices::size("svdvals", self.shape());
        Ok(self.svd()?.s)
    }
}
