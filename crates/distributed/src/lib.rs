//! Training on several processes and machines.
//!
//! Ranks talk by a [`Communicator`]: over MPI, as threads of one process, or as a single rank.
//!
//! A program trains on several by one line more, [`Trainer::parallel`](wengert_train::Trainer::parallel) with a [`DataParallel`], and
//! methods on the whole loss by a [`ShardedObjective`].

#![cfg_attr(docsrs, feature(doc_cfg))]

mod agreement;
pub mod communicator;
pub mod compress;
pub mod hogwild;
pub mod launch;
pub mod local;
mod objective;
mod parallel;
mod residuals;
pub mod server;
pub mod simulate;
pub mod tree;
mod wire;

pub use agreement::{agree, agree_on_data};
#[cfg(feature = "mpi")]
pub use communicator::mpi;
pub use communicator::{
    Buffer, Communicated, Communicator, CommunicatorError, Failure, Message, Pending, Reduction, Shared,
    Single, Values, threads,
};
pub use objective::ShardedObjective;
pub use parallel::{BatchShards, DataParallel, ParallelError};
pub use residuals::ShardedResiduals;
pub use wire::WireError;

/// The programs of the guide are compiled and run with the tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/guide/parallel.md")]
    struct Parallel;
    #[doc = include_str!("../../../docs/guide/asynchronous.md")]
    struct Asynchronous;
}

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
