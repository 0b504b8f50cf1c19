//! Minimisation under bounds, with an L1 term or another proximable one, and under general constraints.
//!
//! General problems are min f(x) with c_E(x) = 0, c_I(x) ≥ 0 and l ≤ x ≤ u. Multipliers belong to the Lagrangian
//! f − yᵀc_E − λᵀc_I − z_lᵀ(x − l) − z_uᵀ(u − x), with λ, z_l, z_u ≥ 0.
//!
//! Multipliers, violation and KKT residual are reported in the units of f and c as they were given. Methods scale constraints by
//! their gradients at the start, so that it does not matter whether one is written in metres or in kilometres. A run has
//! converged where the KKT residual is at most the tolerance, the violation of constraints whose gradient at the start is below
//! 1 being scaled up as if it were 1 there. Complementarity of a distance d (a constraint over the size of its gradient) and its
//! multiplier z is met as well as min(d, z, d z) is 0.

mod constraints;
mod feasibility;
mod kkt;
mod lbfgs_b;
pub(super) mod multiplier;
mod nonnegative;
mod owl_qn;
pub(super) mod primal_dual;
pub(super) mod projected;
pub(super) mod proximal;

pub use super::bounds::Bounds;
pub use constraints::Constraints;
pub use lbfgs_b::LbfgsB;
pub use multiplier::AugmentedLagrangian;
pub use owl_qn::OwlQn;
pub use primal_dual::{InteriorPoint, KktNewton};
pub use projected::ProjectedGradient;
pub use proximal::{L1, Proximable, ProximalGradient};
