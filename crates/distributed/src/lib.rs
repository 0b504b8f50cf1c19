//! Training on several processes and machines.
//!
//! Ranks talk by a [`Communicator`]: over MPI, as threads of one process, or as a single rank.

pub mod communicator;
pub mod launch;
pub mod tree;

#[cfg(feature = "mpi")]
pub use communicator::mpi;
pub use communicator::{
    Buffer, Communicated, Communicator, CommunicatorError, Failure, Message, Pending, Reduction, Shared,
    Single, Values, threads,
};
