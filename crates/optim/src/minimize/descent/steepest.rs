use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, Taken, unit_length};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// Steepest descent with a line search: the baseline.
pub type SteepestDescent = Descent<SteepestDirection>;

/// d = −g.
///
/// ```
/// use wengert_optim::minimize::{Descent, SteepestDirection};
/// use wengert_optim::search::Armijo;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// assert!(Descent::new(SteepestDirection).with_search(Armijo::default()).minimize(&f, &[3.0])?.converged());
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SteepestDirection;

impl DescentDefaults for SteepestDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente::default())
    }
}

impl<T: Float> Direction<T> for SteepestDirection {
    /// α gᵀd of the last step: the next is expected to change f as much to first order.
    type Memory = Option<f64>;

    fn check(&self, memory: &Option<f64>, _: usize) -> Result<(), MinimizeError> {
        let change = memory.unwrap_or(0.0);
        Field("change").holds(change, "at most 0", change <= 0.0 && change.is_finite())
    }

    fn begin(&self, _: &Counted<'_, T>, _: &Iterate<T>) -> Result<Option<f64>, MinimizeError> {
        Ok(None)
    }

    fn compute(
        &self,
        _: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Option<f64>,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        vector::scaled(-1.0, &at.gradient, direction);
        Ok(memory.map_or_else(|| unit_length(direction), |m| m / vector::dot(&at.gradient, direction)))
    }

    fn learn(&self, memory: &mut Option<f64>, taken: &Taken<'_, T>) {
        *memory = Some(taken.alpha * vector::dot(&taken.before.gradient, taken.direction));
    }

    fn forget(&self, memory: &mut Option<f64>) -> bool {
        memory.take().is_some()
    }
}
