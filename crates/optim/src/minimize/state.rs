//! What methods remember between iterations: the [`State`](super::Method::State) of each, and the memories of directions and
//! models. They are saved as part of a [`Run`](super::Run::to_state); nothing else is to be done with them.

pub use super::constrained::multiplier::MultiplierState;
pub use super::constrained::primal_dual::InteriorPointState;
pub use super::constrained::proximal::{ProjectionState, ProximalState};
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
