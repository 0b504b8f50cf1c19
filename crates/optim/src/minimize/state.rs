//! What methods remember between iterations: the [`State`](super::Method::State) of each, and the memories of directions and
//! models. They are saved as part of a [`Run`](super::Run::to_state); nothing else is to be done with them.
//! A callback of a method's own type sees them:
//!
//! ```
//! use std::ops::ControlFlow;
//! use wengert_optim::minimize::state::*;
//! use wengert_optim::{Bfgs, Method, Problem, Run, TrustRegionNewton};
//! let f = Problem::new(1, |x: &[f64]| x[0].cosh())
//!     .with_gradient(|x, g| g[0] = x[0].sinh())
//!     .with_hvp(|x, v, out| out[0] = x[0].cosh() * v[0]);
//! let mut saved = None;
//! TrustRegionNewton::default().minimize_with(&f, &[3.0], |run: &Run<f64, TrustState<KrylovMemory<f64>>>| {
//!     saved = run.to_state().ok();
//!     ControlFlow::Break(())
//! })?;
//! assert!(saved.is_some());
//! Bfgs::default().minimize_with(&f, &[3.0], |run: &Run<f64, DescentState<InverseHessian<f64>>>| {
//!     saved = run.to_state().ok();
//!     ControlFlow::Continue(())
//! })?;
//! # Ok::<(), wengert_optim::MinimizeError>(())
//! ```

pub use super::constrained::multiplier::MultiplierState;
pub use super::constrained::primal_dual::InteriorPointState;
pub use super::constrained::projected::ProjectionState;
pub use super::constrained::proximal::ProximalState;
pub use super::damped::hessian_free::HessianFreeState;
pub use super::damped::kfac::KfacState;
pub use super::damped::newton::DampedState;
pub use super::descent::conjugate::ConjugateMemory;
pub use super::descent::driver::DescentState;
pub use super::descent::newton_cg::NewtonCgMemory;
pub use super::descent::quasi::InverseHessian;
pub use super::descent::stochastic::StochasticState;
pub use super::preconditioning::PreconditioningMemory;
pub use super::trust_region::driver::TrustState;
pub use super::trust_region::krylov::KrylovMemory;
pub use super::trust_region::levenberg_marquardt::LevenbergMarquardtMemory;
pub use super::trust_region::sr1::Sr1Memory;
