//! Files of PyTorch. Those of `golden` were written by PyTorch itself, by the scripts beside them.

#[path = "../archive/mod.rs"]
mod archive;
mod differential;
mod goldens;
mod hostile;
mod kinds;
mod models;
mod optimizers;
mod random_optimizers;
mod sums;
mod support;
mod values;
mod written;
