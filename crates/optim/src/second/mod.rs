//! Minimisation of smooth functions with curvature.

mod method;

pub use method::{Iterate, Method, Minimizer, Run};
