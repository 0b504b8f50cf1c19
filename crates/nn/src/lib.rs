//! Parameters, layers, initialisers and losses for the Wengert autodiff framework.
//!
//! [`Params`] holds all parameters of a model in one flat vector; a layer is a plain struct of ids with a
//! [`forward`](Layer::forward); [`Params::value_and_grad`] differentiates a loss.

mod ctx;
pub mod init;
pub mod layer;
pub mod loss;
mod params;

pub use ctx::{Ctx, Mode};
pub use init::Init;
pub use layer::*;
pub use loss::*;
pub use params::{BufferId, GradError, Grads, ParamId, Params, Scope};
