use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, need_hessian};
use crate::minimize::error::MinimizeError;
use crate::minimize::linear::lanczos;
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// Saddle-free Newton (Dauphin et al., 2014): d = −|H|⁻¹g in the Krylov space of g, where |H| has the absolute
/// eigenvalues, so that saddles repel.
pub type SaddleFreeNewton = Descent<SaddleFreeDirection>;

/// Settings of [`SaddleFreeNewton`].
///
/// ```
/// use wengert_optim::minimize::{Descent, SaddleFreeDirection};
/// use wengert_optim::search::MoreThuente;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].powi(4) - x[0] * x[0])
///     .with_gradient(|x, g| g[0] = 4.0 * x[0].powi(3) - 2.0 * x[0])
///     .with_hvp(|x, v, out| out[0] = (12.0 * x[0] * x[0] - 2.0) * v[0]);
/// let direction = SaddleFreeDirection { krylov: 1, ..SaddleFreeDirection::default() };
/// // From near the maximum at 0, which plain Newton steps would go to.
/// let outcome = Descent::new(direction).with_search(MoreThuente::default()).minimize(&f, &[0.1])?;
/// assert!((outcome.value + 0.25).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaddleFreeDirection {
    /// Dimension of the Krylov space: Hessian products a step, and vectors of memory; 40.
    pub krylov: usize,
    /// The least absolute eigenvalue, relative to the largest; 1e-8.
    pub floor: f64,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl Default for SaddleFreeDirection {
    fn default() -> Self {
        Self { krylov: 40, floor: 1e-8, probe: CurvatureProbe::default() }
    }
}

impl DescentDefaults for SaddleFreeDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

impl<T: Float> Direction<T> for SaddleFreeDirection {
    type Memory = ();
    const READS_HESSIAN: bool = true;

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::at_least_one("krylov", Some(self.krylov as u64))?;
        MinimizeError::require("floor", self.floor, "in (0, 1)", |f| f > 0.0 && f < 1.0)
    }

    fn check(&self, (): &(), _: usize) -> Result<(), MinimizeError> {
        Ok(())
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<(), MinimizeError> {
        need_hessian("SaddleFreeNewton", problem, at)
    }

    fn compute(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        _: &mut (),
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let krylov = lanczos(&*hessian, &at.gradient, self.krylov);
        let k = krylov.diagonal.len();
        let (values, vectors) = krylov.ritz();
        let largest = vector::norm_inf(&values);
        if largest == 0.0 || largest.is_nan() {
            return Ok(f64::NAN);
        }
        // g = ‖g‖ e₁ in the basis.
        let norm = vector::norm(&at.gradient);
        let mut y = vec![0.0; k];
        for (value, q) in values.iter().zip(vectors.chunks_exact(k)) {
            let coefficient = -norm * q[0] / value.abs().max(self.floor * largest);
            y.iter_mut().zip(q).for_each(|(y, q)| *y += coefficient * q);
        }
        krylov.combine(&y, direction);
        Ok(1.0)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Escape {
        self.probe.escape(problem, at)
    }
}
