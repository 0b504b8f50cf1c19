use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, Taken, unit_length};
use crate::minimize::error::MinimizeError;
use crate::minimize::linear::CurvaturePairs;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// L-BFGS (Nocedal, 1980; Liu and Nocedal, 1989): the method of first choice for smooth problems of any size
/// without second derivatives.
///
/// ```
/// use wengert_optim::{Lbfgs, Method, Problem};
/// use wengert_optim::minimize::LbfgsDirection;
///
/// let n = 1000;
/// let problem = Problem::new(n, |x: &[f32]| x.iter().enumerate().map(|(i, x)| f64::from(x - 1.0).powi(2) * (1 + i % 7) as f64).sum())
///     .with_gradient(|x, g| for (i, (g, x)) in g.iter_mut().zip(x).enumerate() { *g = 2.0 * (x - 1.0) * (1 + i % 7) as f32; });
/// let outcome = Lbfgs::new(LbfgsDirection { history: 5 }).minimize(&problem, &vec![0.0; n]).unwrap();
/// assert!(outcome.converged());
/// ```
pub type Lbfgs = Descent<LbfgsDirection>;

/// Settings of [`Lbfgs`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LbfgsDirection {
    /// Pairs of steps and gradient changes remembered: twice as many vectors of memory; 10.
    pub history: usize,
}

impl Default for LbfgsDirection {
    fn default() -> Self {
        Self { history: 10 }
    }
}

impl DescentDefaults for LbfgsDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente::default())
    }
}

impl<T: Float> Direction<T> for LbfgsDirection {
    type Memory = CurvaturePairs<T>;

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::at_least_one("history", Some(self.history as u64))
    }

    fn check(&self, pairs: &CurvaturePairs<T>, dimension: usize) -> Result<(), MinimizeError> {
        pairs.check(dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError> {
        Ok(CurvaturePairs::new(at.point.len(), self.history))
    }

    fn compute(
        &self,
        _: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Self::Memory,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        vector::scaled(-1.0, &at.gradient, direction);
        if memory.is_empty() {
            return Ok(unit_length(direction));
        }
        memory.apply_in_place(direction);
        Ok(1.0)
    }

    fn learn(&self, memory: &mut Self::Memory, taken: &Taken<'_, T>) {
        memory.push(taken.step, taken.change);
    }

    fn forget(&self, memory: &mut Self::Memory) -> bool {
        let had = !memory.is_empty();
        memory.clear();
        had
    }
}
