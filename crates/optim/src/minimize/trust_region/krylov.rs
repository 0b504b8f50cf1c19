use serde::{Deserialize, Serialize};

use super::driver::TrustRegion;
use super::subproblem::{Model, Subproblem};
use crate::minimize::error::MinimizeError;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::{Settings, gltr, steihaug};
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::operator::Operator;
use crate::minimize::outcome::Reason;
use crate::minimize::preconditioning::{Preconditioning, PreconditioningMemory};
use crate::minimize::run::Iterate;
use crate::minimize::vector::Float;

/// Trust-region Newton: the Hessian by its products, steps by truncated conjugate gradients. The method of first choice
/// where Hessian products are to be had.
///
/// ```
/// use wengert_optim::{Method, Problem, TrustRegionNewton};
/// use wengert_optim::minimize::{KrylovModel, KrylovSolver};
///
/// // A saddle at the origin, reached exactly by a Newton step: the method leaves it.
/// let f = Problem::new(2, |x: &[f64]| x[0].powi(4) / 4.0 - x[0].powi(2) / 2.0 + x[1].powi(2) / 2.0)
///     .with_gradient(|x, g| { g[0] = x[0].powi(3) - x[0]; g[1] = x[1]; })
///     .with_hvp(|x, v, out| { out[0] = (3.0 * x[0] * x[0] - 1.0) * v[0]; out[1] = v[1]; });
/// let outcome = TrustRegionNewton::default().minimize(&f, &[0.0, 1.0]).unwrap();
/// assert!(outcome.converged() && (outcome.value + 0.25).abs() < 1e-12);
///
/// let gltr = TrustRegionNewton::new(KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() });
/// assert!(gltr.minimize(&f, &[0.1, 1.0]).unwrap().converged());
/// ```
pub type TrustRegionNewton = TrustRegion<KrylovModel>;

/// How the model is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum KrylovSolver {
    /// [`steihaug`]: stops at the boundary. The default.
    #[default]
    Steihaug,
    /// [`gltr`]: goes on along the boundary. Takes no preconditioning, and leaves an objective's own aside.
    Gltr,
}

/// Which matrix the model has.
///
/// ```
/// use wengert_optim::minimize::{Curvature, KrylovModel};
/// use wengert_optim::{LeastSquares, Method, TrustRegionNewton};
/// let fit = LeastSquares::new(1, 1, |a: &[f64], r| r[0] = a[0].exp() - 2.0, |a, j| j[0] = a[0].exp());
/// let method = TrustRegionNewton::new(KrylovModel { curvature: Curvature::GaussNewton, ..Default::default() });
/// assert!((method.minimize(&fit, &[0.0])?.point[0] - 2f64.ln()).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Curvature {
    /// The Hessian. The default.
    #[default]
    Hessian,
    /// The generalised Gauss–Newton matrix.
    GaussNewton,
}

/// Settings of [`TrustRegionNewton`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KrylovModel {
    /// How the model is minimised.
    pub solver: KrylovSolver,
    /// Which matrix the model has.
    pub curvature: Curvature,
    /// How conjugate gradients are preconditioned.
    pub preconditioning: Preconditioning,
    /// Products a step; `None`, the default, is ten times the dimension.
    pub max_products: Option<usize>,
}

/// What [`TrustRegionNewton`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KrylovMemory<T: Float> {
    forcing: Forcing,
    preconditioning: PreconditioningMemory<T>,
}

impl KrylovModel {
    /// What the solver can make use of.
    fn preconditioning(&self) -> Preconditioning {
        match self.solver {
            KrylovSolver::Steihaug => self.preconditioning,
            KrylovSolver::Gltr => Preconditioning::None,
        }
    }

    fn operator<'a, T: Float>(
        &self,
        problem: &'a Counted<'_, T>,
        x: &[T],
    ) -> Option<Box<dyn Operator<T> + 'a>> {
        match self.curvature {
            Curvature::Hessian => problem.hessian(x),
            Curvature::GaussNewton => problem.gauss_newton(x),
        }
    }
}

impl<T: Float> Subproblem<T> for KrylovModel {
    type Memory = KrylovMemory<T>;
    const SECOND_ORDER: bool = true;

    fn reads_hessian(&self) -> bool {
        self.curvature == Curvature::Hessian
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::at_least_one("max_products", self.max_products.map(|p| p as u64))?;
        if self.solver == KrylovSolver::Gltr && self.preconditioning != Preconditioning::Given {
            let what = "preconditioning with KrylovSolver::Gltr";
            return Err(MinimizeError::NotTaken { method: "TrustRegionNewton", what });
        }
        self.preconditioning.validate()
    }

    fn check(&self, memory: &KrylovMemory<T>, dimension: usize) -> Result<(), MinimizeError> {
        memory.forcing.check()?;
        memory.preconditioning.check(dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<KrylovMemory<T>, MinimizeError> {
        let what = match self.curvature {
            Curvature::Hessian => "a Hessian",
            Curvature::GaussNewton => "a Gauss–Newton matrix",
        };
        if self.operator(problem, &at.point).is_none() {
            return Err(MinimizeError::Missing { method: "TrustRegionNewton", what });
        }
        Ok(KrylovMemory {
            forcing: Forcing::begin(at),
            preconditioning: PreconditioningMemory::begin(self.preconditioning(), problem, at)?,
        })
    }

    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        memory: &'a mut KrylovMemory<T>,
    ) -> Result<Model<'a, T>, Reason> {
        let hessian = self.operator(problem, &at.point).ok_or(Reason::NonFinite)?;
        let tolerance = memory.forcing.since_the_start(problem, at);
        let settings = Settings { tolerance, max_iterations: self.max_products };
        let preconditioning = self.preconditioning();
        let (inverse, matrix) = memory.preconditioning.split(preconditioning, problem, &at.point, hessian);
        Ok(Box::new(move |radius| match self.solver {
            KrylovSolver::Steihaug => steihaug(&matrix, &at.gradient, radius, inverse.as_deref(), &settings),
            KrylovSolver::Gltr => gltr(&matrix, &at.gradient, radius, &settings),
        }))
    }
}
