//! Minimisation of functions given as closures, with curvature where they have some.
//!
//! A [`Method`] minimises an [`Objective`]: a function of a flat vector with its gradient and, where it has them, curvatures as
//! [operators](operator). From below to above: [vectors](vector), [operators](operator), [linear solvers](linear) and
//! [estimates](estimate) that know a matrix by its products; objectives; [line searches](search); and the methods, which go
//! along a line ([`Descent`] of a [`Direction`]), minimise a model in a ball ([`TrustRegion`] of a [`Subproblem`]), adapt a
//! damping ([`DampedNewton`], [`HessianFree`], [`Kfac`]), or keep to [constraints](constrained).

mod bounds;
mod checkpoint;
pub mod constrained;
mod damped;
mod descent;
mod drive;
mod error;
pub mod estimate;
mod field;
mod forcing;
pub mod linear;
mod method;
mod noise;
mod objective;
pub mod operator;
mod outcome;
mod preconditioning;
mod probe;
mod rounding;
mod run;
mod saved;
pub mod search;
pub mod state;
mod stopping;
mod trial;
mod trust_region;
pub mod vector;

pub use damped::{DampedNewton, HessianFree, Kfac};
pub use descent::*;
pub use error::MinimizeError;
pub use forcing::Forcing;
pub use method::{Method, Minimizer};
pub use objective::{
    Batched, Counted, Counts, CurvatureAt, Curvatures, DenseResiduals, LeastSquares, Objective, Problem,
    Residuals, Ridge, Want,
};
pub use operator::{DenseOperator, Jacobian, Kronecker, KroneckerBlock, KroneckerInverse, Operator};
pub use outcome::{Multipliers, Outcome, Reason, Record};
pub use preconditioning::{Preconditioned, Preconditioner, Preconditioning};
pub use probe::{CurvatureProbe, Escape, LeastCurvature};
pub use run::{Iterate, Progress, Run};
pub use stopping::Stopping;
pub use trust_region::*;
