use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wengert_tensor::linalg::{Cholesky, Ldl};

use super::driver::{Descent, DescentDefaults, Direction, need_hessian};
use crate::minimize::error::MinimizeError;
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// Newton's method with the whole Hessian and a line search, for small problems: Cholesky where the Hessian is positive
/// definite, else a factorisation with the signs of the negative eigenvalues turned (Cheng and Higham, 1998).
pub type Newton = Descent<NewtonDirection>;

/// Settings of [`Newton`].
///
/// ```
/// use wengert_optim::minimize::{Descent, NewtonDirection};
/// use wengert_optim::search::MoreThuente;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].cosh())
///     .with_gradient(|x, g| g[0] = x[0].sinh())
///     .with_hessian(|x, h| h[0] = x[0].cosh());
/// let direction = NewtonDirection { floor: 1e-4, ..NewtonDirection::default() };
/// assert!(Descent::new(direction).with_search(MoreThuente::default()).minimize(&f, &[1.0])?.point[0].abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewtonDirection {
    /// The least eigenvalue that an indefinite Hessian is given, relative to its largest element; 1e-8.
    pub floor: f64,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl Default for NewtonDirection {
    fn default() -> Self {
        Self { floor: 1e-8, probe: CurvatureProbe::default() }
    }
}

impl DescentDefaults for NewtonDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

impl<T: Float> Direction<T> for NewtonDirection {
    type Memory = ();
    const READS_HESSIAN: bool = true;

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("floor", self.floor, "in (0, 1)", |f| f > 0.0 && f < 1.0)
    }

    fn check(&self, (): &(), _: usize) -> Result<(), MinimizeError> {
        Ok(())
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<(), MinimizeError> {
        need_hessian("Newton", problem, at)
    }

    fn compute(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        _: &mut (),
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let (matrix, gradient) = (vector::to_f64(&hessian.dense()), vector::to_f64(&at.gradient));
        let n = gradient.len();
        let step = match Cholesky::new(&matrix, n) {
            Ok(factor) => factor.solve(&gradient),
            Err(_) => {
                // Not finite: steepest descent may lead out.
                let Ok(mut factor) = Ldl::new(&matrix, n) else { return Ok(f64::NAN) };
                factor.make_positive(self.floor);
                factor.solve(&gradient).map_err(|_| Reason::NonFinite)?
            }
        };
        vector::from_f64(&step, direction);
        vector::scale(-1.0, direction);
        Ok(1.0)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Escape {
        self.probe.escape(problem, at)
    }
}
