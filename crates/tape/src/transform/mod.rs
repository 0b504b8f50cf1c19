//! Functions of functions: gradients, products with Jacobians and Hessians, whole Jacobians and Hessians.

mod arguments;
mod checkpoint;
mod dense;
mod forward;
mod hessian;
mod reverse;
mod scan;
mod segments;

pub use arguments::{Arguments, Primals};
pub use checkpoint::checkpoint;
pub(crate) use checkpoint::{pull_back_through, push_forward_through};
pub use dense::{hessian, jacobian_forward, jacobian_reverse};
pub use forward::{Linearized, jvp, linearize};
pub use hessian::{HessianOperator, hvp};
pub use reverse::{Pullback, grad, value_and_grad, vjp};
pub use scan::{Scan, scan};
pub use segments::{RecomputedScan, Segment};
