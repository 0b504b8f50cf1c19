//! Models, data and optimisers together: one program, as each is linked with all crates.

mod buffers;
mod common;
mod frozen;
mod golden;
mod kfac;
mod kfac_mnist;
mod misuse;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod runs;
mod threads;
mod training;
