use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wengert_tensor::linalg::Qr;

use super::driver::{Descent, DescentDefaults, Direction};
use crate::minimize::error::MinimizeError;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::{Settings, cg, lsmr};
use crate::minimize::objective::{Counted, Curvatures, Objective, Residuals};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// Gauss–Newton with a line search. For [least squares](crate::LeastSquares) each step solves min ‖J d + r‖, by QR for small
/// problems and by LSMR for large ones; for other objectives it solves with their Gauss–Newton matrix by conjugate
/// gradients.
pub type GaussNewton = Descent<GaussNewtonDirection>;

/// Settings of [`GaussNewton`].
///
/// ```
/// use wengert_optim::minimize::GaussNewtonDirection;
/// use wengert_optim::{GaussNewton, LeastSquares, Method};
/// let fit = LeastSquares::new(1, 1, |a: &[f64], r| r[0] = a[0].exp() - 2.0, |a, j| j[0] = a[0].exp());
/// let method = GaussNewton::new(GaussNewtonDirection::default());
/// assert!((method.minimize(&fit, &[0.0])?.point[0] - 2f64.ln()).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussNewtonDirection {
    /// Elements of the Jacobian up to which it is factorised whole; 250 000.
    pub dense_limit: usize,
}

impl Default for GaussNewtonDirection {
    fn default() -> Self {
        Self { dense_limit: 250_000 }
    }
}

impl DescentDefaults for GaussNewtonDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

impl<T: Float> Direction<T> for GaussNewtonDirection {
    type Memory = Forcing;
    const READS_RESIDUALS: bool = true;

    fn check(&self, forcing: &Forcing, _: usize) -> Result<(), MinimizeError> {
        forcing.check()
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Forcing, MinimizeError> {
        if problem.residuals().is_none() && problem.gauss_newton(&at.point).is_none() {
            return Err(MinimizeError::Missing {
                method: "GaussNewton",
                what: "residuals or a Gauss–Newton matrix",
            });
        }
        Ok(Forcing::begin(at))
    }

    fn compute(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        forcing: &mut Forcing,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let tolerance = forcing.since_the_start(problem, at);
        match problem.residuals() {
            Some(residuals) => self.least_squares(residuals, at, tolerance, direction),
            None => {
                let matrix = problem.gauss_newton(&at.point).ok_or(Reason::NonFinite)?;
                let mut rhs = vec![T::ZERO; direction.len()];
                vector::scaled(-1.0, &at.gradient, &mut rhs);
                direction.fill(T::ZERO);
                cg(&*matrix, &rhs, direction, None, &Settings::tolerance(tolerance));
            }
        }
        Ok(1.0)
    }
}

impl GaussNewtonDirection {
    fn least_squares<T: Float>(
        &self,
        residuals: &dyn Residuals<T>,
        at: &Iterate<T>,
        tolerance: f64,
        direction: &mut [T],
    ) {
        let (m, n) = (residuals.count(), residuals.dimension());
        let mut r = vec![T::ZERO; m];
        residuals.evaluate(&at.point, &mut r);
        vector::scale(-1.0, &mut r);
        if m >= n && m * n <= self.dense_limit {
            let jacobian = vector::to_f64(&residuals.dense_jacobian(&at.point));
            if let Ok(step) = Qr::new(jacobian, m, n).solve(&vector::to_f64(&r)) {
                return vector::from_f64(&step, direction);
            }
        }
        // Of the many solutions of a rank-deficient problem LSMR gives the shortest.
        lsmr(&*residuals.jacobian(&at.point), &r, direction, 0.0, &Settings::tolerance(tolerance));
    }
}
