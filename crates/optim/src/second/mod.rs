//! Minimisation of smooth functions with curvature.

mod descent;
mod direction;
mod method;
mod probe;
mod subproblem;
mod trust_region;

pub use descent::{Descent, DescentDefaults, Direction, InitialNorm, Taken};
pub use direction::*;
pub use method::{Iterate, Method, Minimizer, Run};
pub use probe::CurvatureProbe;
pub use subproblem::*;
pub use trust_region::{Model, Subproblem, TrustRegion, TrustState};
