//! Classes of operations whose rules follow from one formula.

mod bilinear;
mod code;
mod decision;
mod elementwise;
mod linear;
mod pairwise;
mod piecewise;
mod routing;
mod slope;

pub use bilinear::BilinearMap;
pub(crate) use bilinear::BilinearOp;
pub use code::Code;
pub(crate) use code::{Function, Moves, by_formula};
pub(crate) use decision::{Decision, DecisionOp, decision};
pub use elementwise::{Elementwise, Reads};
pub use linear::LinearMap;
pub(crate) use linear::LinearOp;
pub(crate) use pairwise::{Pairwise, PairwiseOp, pairwise};
pub(crate) use piecewise::{Piecewise, PiecewiseOp, piecewise};
pub(crate) use routing::{Routing, RoutingOp, routed};
