//! Reading a model and running it.

mod attributes;
mod build;
mod call;
mod control;
mod error;
mod graph;
mod inputs;
mod model;
mod names;
mod ops;
mod order;
mod roles;
mod run;
mod value;

pub use error::{NodeError, Problem, ReadError, RunError, UnsupportedOperator};
pub use inputs::Input;
pub use model::{Model, Outputs};
pub use value::{Ints, Sequence, Value};
