//! Directions of descent, one file each.

mod conjugate;
mod gauss_newton;
mod limited;
mod newton;
mod newton_cg;
mod quasi;
mod saddle_free;
mod steepest;

pub use conjugate::{Beta, ConjugateDirection, ConjugateMemory, NonlinearCg};
pub use gauss_newton::{GaussNewton, GaussNewtonDirection};
pub use limited::{Lbfgs, LbfgsDirection};
pub use newton::{Newton, NewtonDirection};
pub use newton_cg::{NewtonCg, NewtonCgDirection, NewtonCgMemory};
pub use quasi::{Bfgs, BfgsDirection, Dfp, DfpDirection, InverseHessian, QuasiNewtonPair, QuasiNewtonUpdate};
pub use saddle_free::{SaddleFreeDirection, SaddleFreeNewton};
pub use steepest::{SteepestDescent, SteepestDirection};
