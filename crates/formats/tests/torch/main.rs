//! Files of PyTorch. Those of `golden` were written by PyTorch itself, by the scripts beside them.

#[path = "../archive/mod.rs"]
mod archive;
mod goldens;
mod hostile;
mod kinds;
mod models;
mod optimizers;
mod sums;
mod support;
mod values;
mod written;
