//! Optimisers on flat parameter vectors, from SGD to Newton-CG.

// Second-order and closure methods.
pub mod constrained;
pub mod linear;
mod objective;
mod outcome;
pub mod search;
mod second;
mod stopping;
pub mod vector;

pub use objective::{Counted, Counts, Jacobian, LeastSquares, Objective, Operator, Problem, Residuals};
pub use outcome::{MinimizeError, Multipliers, Outcome, Reason, Record};
pub use second::*;
pub use stopping::Stopping;
