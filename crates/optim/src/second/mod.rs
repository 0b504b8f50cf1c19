//! Minimisation of smooth functions with curvature.

mod checkpoint;
mod damped;
mod descent;
mod direction;
mod forcing;
mod hessian_free;
mod kfac;
mod method;
mod preconditioning;
mod probe;
mod stochastic;
mod subproblem;
mod trust_region;

pub(crate) use checkpoint::Field;
pub use damped::{DampedNewton, DampedState};
pub use descent::{Descent, DescentDefaults, DescentState, Direction, Taken};
pub use direction::*;
pub use forcing::Forcing;
pub use hessian_free::{HessianFree, HessianFreeState};
pub use kfac::{Kfac, KfacState};
pub use method::{Iterate, Method, Minimizer, Run};
pub use preconditioning::{Preconditioned, Preconditioner, Preconditioning, PreconditioningMemory};
pub use probe::{CurvatureProbe, Escape, LeastCurvature};
pub use stochastic::{StochasticLbfgs, StochasticState};
pub use subproblem::*;
pub use trust_region::{LocalModel, Model, RadiusTrial, Subproblem, TrustRegion, TrustState};
