//! Trust regions: models, one file each, and the driver that minimises them in a ball.

pub(super) mod driver;
mod exact;
pub(super) mod krylov;
pub(super) mod levenberg_marquardt;
pub(super) mod sr1;
mod subproblem;

pub use driver::TrustRegion;
pub use exact::{ExactModel, TrustRegionExact};
pub use krylov::{Curvature, KrylovModel, KrylovSolver, TrustRegionNewton};
pub use levenberg_marquardt::{LevenbergMarquardt, LevenbergMarquardtModel, Scaling};
pub use sr1::{Sr1, Sr1Model};
pub use subproblem::{LocalModel, Model, RadiusTrial, Subproblem};
