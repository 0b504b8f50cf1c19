//! Models for trust-region methods, one file each.

mod exact;
mod krylov;
mod levenberg_marquardt;
mod sr1;

pub use exact::{ExactModel, TrustRegionExact};
pub use krylov::{Curvature, KrylovMemory, KrylovModel, KrylovSolver, TrustRegionNewton};
pub use levenberg_marquardt::{
    LevenbergMarquardt, LevenbergMarquardtMemory, LevenbergMarquardtModel, Scaling,
};
pub use sr1::{Sr1, Sr1Memory, Sr1Model};
