//! The curvature of networks, and functions written in operations on `Var`, as objectives and operators of the closure
//! methods: where `wengert_nn` and `wengert_optim`, which do not know each other, meet.
//!
//! [`Objectives`] makes a [`FlatLoss`] of a model's parameters and a loss: an objective with gradient, [`Hessian`],
//! [Gauss–Newton](GaussNewton) and [Fisher](FisherInformation) matrices and Kronecker factors. [`FunctionObjective`] makes
//! one of a function of a vector, [`FunctionResiduals`] least squares.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod examples;
mod fisher;
mod flat;
mod flat_loss;
mod function;
mod gauss_newton;
mod hessian;
mod kfac;
mod likelihood;
mod objectives;
mod output_curvature;
mod residuals;

pub use examples::Examples;
pub use fisher::{Fisher, FisherInformation};
pub use flat_loss::FlatLoss;
pub use function::{FunctionConstraints, FunctionObjective};
pub use gauss_newton::GaussNewton;
pub use hessian::Hessian;
pub use kfac::Targets;
pub use likelihood::{Family, Likelihood};
pub use objectives::Objectives;
pub use residuals::{FlatResiduals, FunctionResiduals};

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
