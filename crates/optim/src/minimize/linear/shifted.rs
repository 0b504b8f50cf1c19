use super::Lanczos;
use super::tridiagonal::{least_eigenvalue, shifted_solve};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float};

/// (H + λI) s = −g for one g and any λ, from one Krylov space: a Krylov space of H is one of every H + λI, so solving again with
/// another λ takes no product but those for which the space has to grow. Keeps its basis, one vector a product.
pub(crate) struct ShiftedSystems<'a, T> {
    hessian: &'a dyn Operator<T>,
    krylov: Lanczos<T>,
    norm: f64,
    /// Of the residual.
    target: f64,
    limit: usize,
}

/// The solution for one λ.
pub(crate) struct ShiftedSolution<T> {
    pub(crate) step: Vec<T>,
    /// −gᵀs − ½ sᵀHs.
    pub(crate) reduction: f64,
}

impl<'a, T: Float> ShiftedSystems<'a, T> {
    /// For solutions with a residual of at most `tolerance` times ‖g‖, by at most `limit` products.
    pub(crate) fn new(hessian: &'a dyn Operator<T>, gradient: &[T], tolerance: f64, limit: usize) -> Self {
        let norm = vector::norm(gradient);
        let krylov = super::lanczos(hessian, gradient, 1);
        Self { hessian, krylov, norm, target: tolerance * norm, limit }
    }

    /// The solution, or where H + λI is not positive definite, the least Ritz value of H: λ must be above minus that. `None`
    /// inside for products that are not finite.
    pub(crate) fn solve(&mut self, lambda: f64) -> Result<ShiftedSolution<T>, Option<f64>> {
        loop {
            let (diagonal, off) = (&self.krylov.diagonal, &self.krylov.off_diagonal);
            let steps = diagonal.len();
            if steps == 0 || self.krylov.residual.is_nan() {
                return Err(None);
            }
            let Some((h, _)) = shifted_solve(diagonal, off, self.norm, lambda) else {
                return Err(Some(least_eigenvalue(diagonal, off)));
            };
            let residual = self.krylov.residual * h[steps - 1].abs();
            if residual <= self.target || steps >= self.limit || self.krylov.exhausted {
                let mut step = vec![T::ZERO; self.krylov.basis[0].len()];
                self.krylov.combine(&h, &mut step);
                let square = vector::dot(&h, &h);
                let reduction = 0.5 * (lambda * square - self.norm * h[0]);
                return Ok(ShiftedSolution { step, reduction });
            }
            self.krylov.extend(self.hessian, steps + 1);
        }
    }
}
