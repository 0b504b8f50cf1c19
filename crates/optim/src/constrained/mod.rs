//! Minimisation under bounds, with an L1 term or another proximable one, and under general constraints.
//!
//! General problems are min f(x) with c_E(x) = 0, c_I(x) ≥ 0 and l ≤ x ≤ u. Multipliers belong to the Lagrangian
//! f − yᵀc_E − λᵀc_I − z_lᵀ(x − l) − z_uᵀ(u − x), with λ, z_l, z_u ≥ 0.

mod bounds;
mod lbfgs_b;
mod multiplier;
mod owl_qn;
mod primal_dual;
mod problem;
mod proximal;

pub use bounds::Bounds;
pub use lbfgs_b::LbfgsB;
pub use multiplier::{AugmentedLagrangian, MultiplierState, QuadraticPenalty};
pub use owl_qn::OwlQn;
pub use primal_dual::{InteriorPoint, InteriorPointState, KktNewton};
pub use problem::Constraints;
pub use proximal::{L1, ProjectedGradient, ProjectionState, Proximable, ProximalGradient, ProximalState};
