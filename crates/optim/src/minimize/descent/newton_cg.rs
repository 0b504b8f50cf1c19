use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, need_hessian};
use crate::minimize::error::MinimizeError;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::{Settings, Stop, cg};
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::preconditioning::{Preconditioning, PreconditioningMemory};
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float};

/// Newton-CG: Newton steps from truncated conjugate gradients, with a line search (Nocedal and Wright, algorithm 7.1).
/// Where conjugate gradients meet negative curvature, they stop and follow it: as far as positive curvature of that size would,
/// but after their start at most ten times as far as they have come.
pub type NewtonCg = Descent<NewtonCgDirection>;

/// How far negative curvature is followed, relative to the step up to it.
const FOLLOWED: f64 = 10.0;

/// Settings of [`NewtonCg`].
///
/// ```
/// use wengert_optim::minimize::{Descent, NewtonCgDirection};
/// use wengert_optim::search::MoreThuente;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].cosh())
///     .with_gradient(|x, g| g[0] = x[0].sinh())
///     .with_hvp(|x, v, out| out[0] = x[0].cosh() * v[0]);
/// let method = Descent::new(NewtonCgDirection::default()).with_search(MoreThuente::default());
/// assert!(method.minimize(&f, &[1.0])?.point[0].abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewtonCgDirection {
    /// Conjugate gradient iterations a step; `None`, the default, is ten times the dimension.
    pub max_products: Option<usize>,
    /// How conjugate gradients are preconditioned.
    pub preconditioning: Preconditioning,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl DescentDefaults for NewtonCgDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

/// What [`NewtonCg`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct NewtonCgMemory<T: Float> {
    forcing: Forcing,
    preconditioning: PreconditioningMemory<T>,
}

impl<T: Float> Direction<T> for NewtonCgDirection {
    type Memory = NewtonCgMemory<T>;
    const READS_HESSIAN: bool = true;

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::at_least_one("max_products", self.max_products.map(|p| p as u64))?;
        self.preconditioning.validate()
    }

    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError> {
        memory.forcing.check()?;
        memory.preconditioning.check(dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError> {
        need_hessian("NewtonCg", problem, at)?;
        Ok(NewtonCgMemory {
            forcing: Forcing::begin(at),
            preconditioning: PreconditioningMemory::begin(self.preconditioning, problem, at)?,
        })
    }

    fn compute(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Self::Memory,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let settings =
            Settings { tolerance: memory.forcing.next(problem, at), max_iterations: self.max_products };
        let mut minus_gradient = vec![T::ZERO; direction.len()];
        vector::scaled(-1.0, &at.gradient, &mut minus_gradient);
        direction.fill(T::ZERO);
        let (inverse, matrix) =
            memory.preconditioning.split(self.preconditioning, problem, &at.point, hessian);
        let solved = cg(&matrix, &minus_gradient, direction, inverse.as_deref(), &settings);
        if solved.solve.stop == Stop::IndefinitePreconditioner {
            return Err(Reason::IndefinitePreconditioner);
        }
        if let Some((p, curvature)) = solved.negative_curvature {
            if solved.solve.iterations == 1 {
                // p = −M⁻¹g. As long a step as positive curvature of that size would ask for.
                direction.copy_from_slice(&p);
                let square = vector::dot(&p, &p);
                return Ok(if curvature != 0.0 { square / curvature.abs() } else { 1.0 / square.sqrt() });
            }
            // Without p the step would keep to the steep directions, and the iterates crawl along where f bends down.
            let alike = -vector::dot(&at.gradient, &p) / curvature.abs();
            let most = FOLLOWED * vector::norm(direction) / vector::norm(&p);
            vector::axpy(alike.min(most), &p, direction);
        }
        Ok(1.0)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Escape {
        self.probe.escape(problem, at)
    }
}
