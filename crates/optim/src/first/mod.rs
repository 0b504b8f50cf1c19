//! First-order methods, a file each.
//!
//! A method is a *rule*: a struct of hyper-parameters that implements [`Rule`], the formula. [`FirstOrder`] makes an
//! optimiser of it: it owns the state vectors, counts the steps, saves and restores. `Adam` is
//! `FirstOrder<AdamConfig>`. Adding a method is a file here and a line in this list.

mod adam;
mod adamw;
mod first_order;
mod rule;
mod sgd;

pub use adam::{Adam, AdamConfig};
pub use adamw::{AdamW, AdamWConfig};
pub use first_order::FirstOrder;
pub use rule::{Convention, Elementwise, Memory, Rule, Slots};
pub use sgd::{Sgd, SgdConfig};
