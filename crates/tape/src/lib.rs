//! A Wengert list: reverse-mode and forward-mode differentiation of tensors, to any order.
//!
//! [`Var`] is the type to compute with. [`grad`], [`vjp`], [`jvp`], [`hvp`] and their kin differentiate functions of
//! variables; [`Tape`] is there for programs that are not one function. An operation of one's own is an
//! [`Elementwise`], a [`LinearMap`], a [`BilinearMap`] or, in general, an [`Op`]; [`check_grads`] tests it.
//!
//! ```
//! use wengert_tape::{Var, grad, hvp};
//!
//! // Rosenbrock's function of n variables.
//! let f = |x: &Var<f64>| {
//!     let valley = (x.slice(1..) - x.slice(..-1).powi(2)).powi(2).sum() * 100.0;
//!     valley + (1.0 - x.slice(..-1)).powi(2).sum()
//! };
//! let x = Var::from([-1.2, 1.0]);
//! assert!((grad(f, &x).value().at([0]) + 215.6).abs() < 1e-10);
//! let v = Var::from([1.0, 0.0]);
//! assert!((hvp(f, &x, &v).value().at([0]) - 1330.0).abs() < 1e-9);
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod algebra;
mod check;
mod class;
mod cotangent;
mod data;
mod describe;
mod draw;
mod fault;
mod op;
mod ops;
mod profile;
mod replay;
mod sweep;
mod tape;
mod transform;
mod var;
mod walk;

pub use algebra::{Lane, Real};
pub use check::{GradientMismatch, check_grads};
#[doc(hidden)]
pub use class::Code;
pub use class::{BilinearMap, Elementwise, LinearMap, Reads};
pub use data::{Data, Discrete, DiscreteElement, Given, Index, Kind, Mask};
pub use describe::{Attribute, Attributes};
pub use fault::{Extent, Fault, Pass, find_fault};
#[doc(hidden)]
pub use op::Replays;
pub use op::{Cotangents, Description, Op, Point, Saves, apply, apply_given, fused};
#[doc(hidden)]
pub use ops::Side;
pub use ops::{
    AttentionMask, AttentionOptions, GridMode, GridPadding, GridSampleOptions, Indexing, LuFactors,
    MatrixError, MatrixNorm, Operand, PadMode, Pool1dOptions, Pool2dOptions, Pool3dOptions, PoolOptions,
    QuantileMethod, Resize, ScatterReduce, Segments, SvdFactors,
};
#[cfg(feature = "fft")]
pub use ops::{FftNorm, FftOptions, StftOptions};
pub use profile::{Event, EventKind, Profile, ProfileRow, ProfileTable, Profiler, Span, profile, span};
#[doc(hidden)]
pub use profile::{ProfileGuard, flops_so_far};
pub use replay::{Compiled, Feed, Inputs, Mismatch, Program, Ran, Reason, compile};
pub use sweep::{Sweep, SweepObserver};
pub use tape::Tape;
pub use transform::{
    Arguments, HessianOperator, Linearized, Primals, Pullback, RecomputedScan, Scan, Segment, checkpoint,
    grad, hessian, hvp, jacobian_forward, jacobian_reverse, jvp, linearize, scan, value_and_grad, vjp,
};
pub use var::Var;
pub use walk::{Recorded, Step};
#[doc(hidden)]
pub use wengert_tensor as __tensor;
pub use wengert_tensor::axis_map::Interpolation;
pub use wengert_tensor::linalg::{LinalgError, Triangle};
pub use wengert_tensor::pool::Divisor;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
