//! Automatic differentiation of tensors on the CPU, to any order.
//!
//! Models are plain structs, parameters one flat vector, and every gradient can be differentiated again, so that
//! second-order methods are as near as SGD. The parts are crates of their own, here as modules: [`tensor`],
//! [`tape`], [`nn`], [`optim`], [`curvature`] and [`data`]; the features
//! `formats` (files of PyTorch and NumPy), `onnx` and `plot` add a module each; [`prelude`] has what most programs need of them.
//!
//! A line is fitted to points on y = 2x + 3:
//!
//! ```
//! use wengert::prelude::*;
//!
//! fn main() -> wengert::Result<()> {
//!     let x = Var::from(Tensor::linspace(-1.0, 1.0, 20).reshape([20, 1]));
//!     let y = &x * 2.0 + 3.0;
//!     let mut params: Params = Params::seeded(0);
//!     let line = Linear::new(params.at("line"), 1, 1);
//!     let mut sgd = Sgd::new(0.3);
//!     for _ in 0..100 {
//!         let (_, grads) = params.value_and_grad(|cx| line.forward(cx, &x).mse(&y))?;
//!         sgd.step(&mut params.values_mut(), &grads);
//!     }
//!     assert!((params.get("line.weight").unwrap()[0] - 2.0).abs() < 1e-3);
//!     assert!((params.get("line.bias").unwrap()[0] - 3.0).abs() < 1e-3);
//!     Ok(())
//! }
//! ```
//!
//! A network that reads digits, complete; with [`data::Mnist`] in the place of the synthetic ones it learns MNIST:
//!
//! ```
//! use wengert::prelude::*;
//!
//! struct Mlp { hidden: Linear, out: Linear }
//!
//! impl Mlp {
//!     fn new(p: &mut Params) -> Self {
//!         Mlp { hidden: Linear::new(p.at("hidden"), 784, 32), out: Linear::new(p.at("out"), 32, 10) }
//!     }
//! }
//!
//! impl Layer for Mlp {
//!     fn forward(&self, cx: &Ctx, x: &Var) -> Var {
//!         self.out.forward(cx, &self.hidden.forward(cx, x).relu())
//!     }
//! }
//!
//! fn main() -> wengert::Result<()> {
//!     let (train, test) = (synthetic::digits(2000, 0), synthetic::digits(200, 1));
//!     let mut params = Params::seeded(0);
//!     let model = Mlp::new(&mut params);
//!     let mut adam = Adam::new(3e-3);
//!     for epoch in 0..3 {
//!         for (images, labels) in train.batches(64).shuffled(epoch) {
//!             let loss = |cx: &Ctx| model.forward(cx, &images).cross_entropy(&labels);
//!             let (_loss, grads) = params.value_and_grad(loss)?;
//!             adam.step(&mut params.values_mut(), &grads);
//!         }
//!     }
//!     assert!(accuracy(&model, &params, &test) > 0.8);
//!     Ok(())
//! }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
pub mod prelude;

pub use error::{Error, Result};
pub use wengert_train::{Segments, Training, accuracy};

pub use wengert_curvature as curvature;
pub use wengert_data as data;
#[cfg(feature = "formats")]
pub use wengert_formats as formats;
pub use wengert_nn as nn;
#[cfg(feature = "onnx")]
pub use wengert_onnx as onnx;
pub use wengert_optim as optim;
#[cfg(feature = "plot")]
pub use wengert_plot as plot;
pub use wengert_state as state;
pub use wengert_tape as tape;
pub use wengert_tensor as tensor;
pub use wengert_train as train;

/// The programs of the README and the guides are compiled and run with the tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../README.md")]
    struct ReadmeOfThisCrate;
    #[doc = include_str!("../../../docs/guide/attention.md")]
    struct Attention;
    #[doc = include_str!("../../../docs/guide/choosing-an-optimiser.md")]
    struct ChoosingAnOptimiser;
    #[doc = include_str!("../../../docs/guide/custom-layer.md")]
    struct CustomLayer;
    #[doc = include_str!("../../../docs/guide/custom-operation.md")]
    struct CustomOperation;
    #[doc = include_str!("../../../docs/guide/data.md")]
    struct Data;
    #[cfg(feature = "formats")]
    #[doc = include_str!("../../../docs/guide/files.md")]
    struct Files;
    #[doc = include_str!("../../../docs/guide/from-pytorch.md")]
    struct FromPytorch;
    #[cfg(feature = "image")]
    #[doc = include_str!("../../../docs/guide/images.md")]
    struct Images;
    #[doc = include_str!("../../../docs/guide/kinks.md")]
    struct Kinks;
    #[cfg(feature = "onnx")]
    #[doc = include_str!("../../../docs/guide/onnx-export.md")]
    struct OnnxExport;
    #[doc = include_str!("../../../docs/guide/profiling.md")]
    struct Profiling;
    #[cfg(feature = "formats")]
    #[doc = include_str!("../../../docs/guide/pytorch-files.md")]
    struct PytorchFiles;
    #[cfg(feature = "onnx")]
    #[doc = include_str!("../../../docs/guide/onnx.md")]
    struct Onnx;
    #[doc = include_str!("../../../docs/guide/replay.md")]
    struct Replay;
    #[doc = include_str!("../../../docs/guide/recordings.md")]
    struct Recordings;
    #[doc = include_str!("../../../docs/guide/second-order.md")]
    struct SecondOrder;
    #[doc = include_str!("../../../docs/guide/sequences.md")]
    struct Sequences;
    #[doc = include_str!("../../../docs/guide/sharp-bits.md")]
    struct SharpBits;
    #[doc = include_str!("../../../docs/guide/training.md")]
    struct Training;
}
