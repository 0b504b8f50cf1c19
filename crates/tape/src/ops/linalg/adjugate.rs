//! Cofactors of well-conditioned matrices, and their derivative along a direction, by the inverse: C = det(A) A⁻ᵀ, and along H
//! tr(A⁻¹H) C − det(A) (A⁻¹ H A⁻¹)ᵀ.

use wengert_tensor::linalg::{Lu, exponent, solve_with, times_power};
use wengert_tensor::{Float, Tensor};

use super::far::Far;

/// Fewer rows are done as soon by complete pivoting.
const LEAST_ROWS: usize = 24;

/// The most that ‖A‖ ‖A⁻¹‖, by Frobenius' norms, may be: a result loses as many digits at most.
const MOST_CONDITION: f64 = 1e6;

/// The determinant and the inverse of one matrix.
pub(super) struct WellConditioned {
    det: Far,
    inverse: Tensor<f64>,
}

impl WellConditioned {
    /// Those of an n × n matrix, if it has many rows, a moderate condition, and elements of about one size.
    pub(super) fn of(a: &[f64], n: usize) -> Option<Self> {
        if n < LEAST_ROWS {
            return None;
        }
        let Ok((None, lu)) = Lu::for_solving(a, n) else { return None };
        if lu.singular_row().is_some() {
            return None;
        }
        let identity = Tensor::<f64>::eye(n).to_vec();
        let inverse = Tensor::written([n, n], |x| solve_with(lu.packed(), lu.order(), &identity, n, x));
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let condition = norm(a) * norm(inverse.as_slice().expect("a new matrix is contiguous"));
        let pivots = lu.packed().iter().step_by(n + 1);
        let det = pivots.fold(Far::of(lu.sign()), |det, &pivot| det.times(pivot));
        (condition <= MOST_CONDITION).then_some(WellConditioned { det, inverse })
    }

    /// det(A) A⁻ᵀ.
    pub(super) fn cofactors<T: Float>(&self, out: &mut [T]) {
        self.write(&self.inverse, 0, out);
    }

    /// Its derivative along H.
    pub(super) fn along<T: Float>(&self, h: &[T], out: &mut [T]) {
        let unit = h.iter().filter_map(|&x| exponent(x)).max().unwrap_or(0);
        let n = self.inverse.dim(0);
        let h = Tensor::written([n, n], |scaled| {
            scaled.iter_mut().zip(h).for_each(|(y, &x)| *y = times_power(x.to_f64(), -unit));
        });
        let product = self.inverse.matmul(&h);
        let trace: f64 = (0..n).map(|i| product.at([i, i])).sum();
        self.write(&(&self.inverse * trace - product.matmul(&self.inverse)), unit, out);
    }

    /// det(A) Xᵀ 2ᵘ.
    fn write<T: Float>(&self, x: &Tensor<f64>, unit: i64, out: &mut [T]) {
        for (y, x) in out.iter_mut().zip(x.t().to_vec()) {
            *y = self.det.times(x).in_range(unit);
        }
    }
}
