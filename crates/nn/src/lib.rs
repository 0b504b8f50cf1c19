//! Parameters, layers, initialisers and losses for the Wengert autodiff framework.
//!
//! [`Params`] holds all parameters of a model in one flat vector; a layer is a plain struct of ids with a
//! [`forward`](Layer::forward); [`Params::value_and_grad`] differentiates a loss.

mod ctx;
mod file;
pub mod init;
mod kfac;
pub mod layer;
pub mod loss;
mod objective;
mod observe;
mod params;
mod summary;

pub use ctx::{Ctx, Mode};
pub use file::{FileError, FormatError, StoredTensor};
pub use init::Init;
pub use kfac::{KroneckerBlock, KroneckerFactors, Targets};
pub use layer::*;
pub use loss::*;
#[doc(hidden)]
pub use objective::Watched;
pub use objective::{Family, FlatLoss, GaussNewton, Hessian, Likelihood};
pub use observe::{Affine, AffineUse, LayerUse, Observer, ParamUse};
pub use params::{BufferId, GradError, Grads, ParamId, Params, Scope, ValuesMut};
pub use summary::{Summary, SummaryRow};
pub use wengert_tensor::names::name_matches;
