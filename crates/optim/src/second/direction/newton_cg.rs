use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::descent::{Descent, DescentDefaults, Direction, InitialNorm};
use super::super::method::Iterate;
use super::super::probe::CurvatureProbe;
use crate::linear::{Settings, cg};
use crate::objective::{Counted, Objective};
use crate::outcome::{MinimizeError, Reason};
use crate::search::{LineSearch, MoreThuente};
use crate::vector::{self, Float};

/// Newton-CG: Newton steps from truncated conjugate gradients, with a line search (Nocedal and Wright, algorithm 7.1).
/// Where conjugate gradients meet negative curvature, they stop, and at their start follow it.
pub type NewtonCg = Descent<NewtonCgDirection>;

/// Settings of [`NewtonCg`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewtonCgDirection {
    /// Conjugate gradient iterations a step; `None`, the default, is ten times the dimension.
    pub max_products: Option<usize>,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl DescentDefaults for NewtonCgDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

impl<T: Float> Direction<T> for NewtonCgDirection {
    type Memory = InitialNorm;

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<InitialNorm, MinimizeError> {
        match problem.hessian(&at.point) {
            Some(_) => Ok(InitialNorm::of(at)),
            None => Err(MinimizeError::Missing { method: "NewtonCg", what: "a Hessian" }),
        }
    }

    fn direction(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        initial: &mut InitialNorm,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let settings =
            Settings { tolerance: initial.forcing(problem, at), max_iterations: self.max_products };
        let mut minus_gradient = vec![T::ZERO; direction.len()];
        vector::scaled(-1.0, &at.gradient, &mut minus_gradient);
        direction.fill(T::ZERO);
        let solved = cg(&*hessian, &minus_gradient, direction, None, &settings);
        if let Some(p) = solved.negative_curvature
            && solved.solve.iterations == 1
        {
            // p = −g. As long a step as positive curvature of that size would ask for.
            let mut hp = vec![T::ZERO; p.len()];
            hessian.apply(&p, &mut hp);
            direction.copy_from_slice(&p);
            let curvature = vector::dot(&p, &hp).abs();
            return Ok(if curvature > 0.0 {
                vector::dot(&p, &p) / curvature
            } else {
                1.0 / vector::norm(&p)
            });
        }
        Ok(1.0)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Option<f64> {
        self.probe.escape(problem, at)
    }
}
