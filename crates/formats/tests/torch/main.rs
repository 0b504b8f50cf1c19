//! Files of PyTorch. Those of `golden` were written by PyTorch itself, by the scripts beside them.

mod goldens;
mod hostile;
mod kinds;
mod models;
mod support;
mod values;
mod written;
