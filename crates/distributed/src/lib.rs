//! Training on several processes and machines.
//!
//! Ranks talk by a [`Communicator`]: over MPI, as threads of one process, or as a single rank.

pub mod communicator;
pub mod compress;
pub mod hogwild;
pub mod local;
pub mod server;
pub mod simulate;
mod wire;

pub use communicator::{
    Buffer, Communicated, Communicator, CommunicatorError, Failure, Message, Pending, Reduction, Shared,
    Single, Values, threads,
};
pub use wire::WireError;
