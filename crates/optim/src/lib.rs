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
//!
//! There are two rooms: [`first`] holds the first-order methods with groups, schedules and all that goes with training, and
//! [`minimize`] the methods that are given a function. Here is what most programs need of them.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
pub mod first;
pub mod minimize;

pub use error::{Check, HyperParameterError};
pub use wengert_tensor::names::{PatternError, name_matches};

pub use first::optimizers::*;
pub use first::{
    AdaptiveClip, Average, Averaged, ByNameError, EarlyStopping, Groups, GroupsError, Layout, Lookahead,
    Optimizer, Sam, State, StateError, Step, StepError, Stepper, by_name, clip_by_global_norm, clip_by_value,
    global_norm, schedule,
};
pub use minimize::{
    Batched, Bfgs, Counts, CurvatureAt, Curvatures, DampedNewton, DenseOperator, Dfp, GaussNewton,
    HessianFree, Jacobian, Kfac, Kronecker, KroneckerBlock, KroneckerInverse, Lbfgs, LeastSquares,
    LevenbergMarquardt, Method, MinimizeError, Minimizer, Multipliers, Newton, NewtonCg, NonlinearCg,
    Objective, Operator, Outcome, Preconditioned, Preconditioning, Problem, Progress, Reason, Record,
    Residuals, Ridge, Run, SaddleFreeNewton, Sr1, SteepestDescent, StochasticLbfgs, Stopping,
    TrustRegionExact, TrustRegionNewton, Want, constrained, estimate, linear, operator, search, vector,
};

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
