//! Training on several processes and machines.
//!
//! Ranks talk by a [`Communicator`]: over MPI, as threads of one process, or as a single rank.

pub mod communicator;

pub use communicator::{Communicator, CommunicatorError, Reduction};
