//! Descent: directions, one file each, and the driver that searches along them.

pub(super) mod conjugate;
pub(super) mod driver;
mod gauss_newton;
mod limited;
mod newton;
pub(super) mod newton_cg;
pub(super) mod quasi;
mod saddle_free;
mod steepest;
pub(super) mod stochastic;

pub use conjugate::{Beta, ConjugateDirection, NonlinearCg};
pub use driver::{Descent, DescentDefaults, Direction, Taken};
pub use gauss_newton::{GaussNewton, GaussNewtonDirection};
pub use limited::{Lbfgs, LbfgsDirection};
pub use newton::{Newton, NewtonDirection};
pub use newton_cg::{NewtonCg, NewtonCgDirection};
pub use quasi::{Bfgs, BfgsDirection, Dfp, DfpDirection, QuasiNewtonPair, QuasiNewtonUpdate};
pub use saddle_free::{SaddleFreeDirection, SaddleFreeNewton};
pub use steepest::{SteepestDescent, SteepestDirection};
pub use stochastic::StochasticLbfgs;
