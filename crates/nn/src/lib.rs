//! Parameters, layers, initialisers and losses for the Wengert autodiff framework.
//!
//! [`Params`] holds all parameters of a model in one flat vector; a layer is a plain struct of ids with a
//! [`forward`](Layer::forward); [`Params::value_and_grad`] differentiates a loss.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod checkpoint;
mod ctx;
mod entered;
mod file;
pub mod init;
pub mod layer;
pub mod loss;
mod observe;
mod params;
mod penalty;
mod replaced;
mod replay;
mod sampling;
mod scan;
mod shards;
mod summary;

pub use checkpoint::Checkpoint;
pub use ctx::{Ctx, Mode};
pub use entered::Entered;
pub use file::{
    FileError, FormatError, LoadReport, Loading, MisshapenTensor, MissingTensor, StoredTensor, tensor_file,
};
pub use init::Init;
pub use layer::*;
pub use loss::*;
pub use observe::{Affine, AffineUse, LayerUse, Observer, ParamUse};
pub use params::{
    BufferId, CountId, Entry, GradError, Grads, Layout, ParamId, Params, Scope, Snapshot, ValuesMut,
};
#[doc(hidden)]
pub use params::{pieces, pull_back};
pub use replaced::Replacement;
pub use replay::{CompiledLoss, CompiledModel};
pub use sampling::Sampling;
pub use shards::Shards;
pub use summary::{Summary, SummaryRow};
pub use wengert_tensor::names::name_matches;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
