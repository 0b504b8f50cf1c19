//! Optimisers on flat parameter vectors, from SGD to Newton-CG.
//!
//! Everything here works on slices: parameters, gradients and an optimiser's state are flat vectors of one layout
//! ([`Layout`] names the parts where a method needs them). Nothing knows of layers or tapes.
//!
//! ```
//! use wengert_optim::{Adam, Optimizer};
//!
//! let mut params = [1.0f32, -2.0];
//! let mut adam = Adam::new(0.1);
//! for _ in 0..200 {
//!     let grads = params.map(|p| 2.0 * p); // of p₁² + p₂²
//!     adam.step(&mut params, &grads);
//! }
//! assert!(params.iter().all(|p| p.abs() < 1e-2));
//! ```

mod agc;
mod average;
mod bits;
mod clip;
mod early_stopping;
mod error;
pub mod first;
mod goal;
mod groups;
mod layout;
mod loops;
mod optimizer;
mod regularize;
pub mod schedule;
mod state;
mod stepper;

pub use agc::AdaptiveClip;
pub use average::{Average, Averaged};
pub use clip::{clip_by_global_norm, clip_by_value, global_norm};
pub use early_stopping::EarlyStopping;
pub use error::{Check, HyperParameterError};
pub use first::*;
pub use goal::Goal;
pub use groups::{Groups, GroupsBuilder, GroupsError};
pub use layout::{Layout, Segment};
pub use optimizer::{Evaluate, Optimizer};
pub use regularize::{ElasticNet, MaxNorm};
pub use state::{Scalar, State, StateError, Values};
pub use wengert_tensor::names::{PatternError, name_matches};

// Second-order and closure methods.
pub mod constrained;
pub mod curvature;
mod kronecker;
pub mod linear;
mod objective;
mod outcome;
pub mod search;
mod second;
mod stopping;
pub mod vector;

pub use kronecker::{Kronecker, KroneckerBlock, KroneckerInverse};
pub use objective::{
    Batched, Counted, Counts, DenseOperator, Jacobian, LeastSquares, Objective, Operator, Problem, Residuals,
    Ridge,
};
pub use outcome::{MinimizeError, Multipliers, Outcome, Reason, Record};
pub use second::*;
// `first::Method`, the description of a first-order method, has the same name: the trait is the one at the root.
pub use second::Method;
pub use stepper::{NonFinite, Step, StepError, Stepper};
pub use stopping::Stopping;
