//! Automatic differentiation of tensors on the CPU, to any order, with layers and optimisers from SGD to Newton-CG.
//!
//! This crate gathers the others under one name; [`prelude`] has what most programs need.
//!
//! ```
//! use wengert::prelude::*;
//!
//! # fn main() -> wengert::Result<()> {
//! // Fit y = 2x + 3 by a line.
//! let x = Var::from([[0.0f32], [1.0], [2.0], [3.0]]);
//! let y = &x * 2.0 + 3.0;
//! let mut params = Params::seeded(0);
//! let line = Linear::new(params.at("line"), 1, 1);
//! let mut sgd = Sgd::new(0.1);
//! for _ in 0..500 {
//!     let (_, grads) = params.value_and_grad(|cx| line.forward(cx, &x).mse(&y))?;
//!     sgd.step(params.values_mut(), &grads);
//! }
//! assert!((params.values()[0] - 2.0).abs() < 1e-3 && (params.values()[1] - 3.0).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```

mod error;
mod glue;
pub mod prelude;

pub use error::{Error, Result};
pub use glue::ParamsExt;

pub use wengert_data as data;
pub use wengert_nn as nn;
pub use wengert_optim as optim;
pub use wengert_tape as tape;
pub use wengert_tensor as tensor;
