//! Ranks that are processes, over MPI.
//!
//! The library's own interface is called here, as the safe one of the crate `mpi` ties buffers that are under way to scopes of the
//! stack, where ours are owned. `unsafe` is nothing but these calls: each gives MPI memory that is borrowed or owned until the call,
//! or the request that it started, is done.

mod environment;
mod outbox;
mod pending;
mod rank;
mod requests;

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::rc::Rc;

use mpi::ffi;

use super::{Buffer, Communicated, CommunicatorError, Reduction};
use crate::launch::LaunchError;

pub use rank::Mpi;

/// Elements of one call at most, as MPI counts in 32 bits.
const MOST: usize = 1 << 30;

/// A number of elements as MPI takes it.
fn count(operation: &'static str, length: usize) -> Communicated<c_int> {
    c_int::try_from(length).map_err(|_| {
        let reason = format!("{length} elements are more than MPI counts, {}", c_int::MAX);
        CommunicatorError::Transport { operation, reason }
    })
}

/// The start of a buffer and the type of its elements.
fn parts(buffer: &mut Buffer<'_>) -> (*mut c_void, ffi::MPI_Datatype) {
    // SAFETY: these are constants of the library.
    unsafe {
        match buffer {
            Buffer::F32(values) => (values.as_mut_ptr().cast(), ffi::RSMPI_FLOAT),
            Buffer::F64(values) => (values.as_mut_ptr().cast(), ffi::RSMPI_DOUBLE),
            Buffer::U64(values) => (values.as_mut_ptr().cast(), ffi::RSMPI_UINT64_T),
            // No bytes are at address 1, which is what MPI_IN_PLACE is to Open MPI.
            Buffer::U8([]) => (NonNull::<u64>::dangling().as_ptr().cast(), ffi::RSMPI_UINT8_T),
            Buffer::U8(values) => (values.as_mut_ptr().cast(), ffi::RSMPI_UINT8_T),
        }
    }
}

fn operation(reduction: Reduction) -> ffi::MPI_Op {
    // SAFETY: these are constants of the library.
    unsafe {
        match reduction {
            Reduction::Sum => ffi::RSMPI_SUM,
            Reduction::Max => ffi::RSMPI_MAX,
            Reduction::Min => ffi::RSMPI_MIN,
        }
    }
}

/// All processes that the launcher started, or this one alone where there was none. MPI is started at the first call, and ended when
/// the last communicator is dropped; a panic of this thread ends all ranks. From the first
/// [`start_all_reduce`](crate::Communicator::start_all_reduce) on a thread of its own has such reductions go on while this one
/// computes, if MPI may be called by several in turn (`MPI_THREAD_SERIALIZED`).
///
/// Most programs call [`run`](crate::launch::run) or [`world`](crate::launch::world) instead, which need MPI only under a launcher.
///
/// # Errors
///
/// [`LaunchError`] if MPI could not be started, was ended before, or is used by another thread.
///
/// ```
/// use std::rc::Rc;
/// use wengert_distributed::Communicator;
/// use wengert_distributed::mpi::{self, Mpi};
///
/// let ranks: Rc<Mpi> = mpi::world()?;
/// assert!(ranks.rank() < ranks.size());
/// # Ok::<(), wengert_distributed::launch::LaunchError>(())
/// ```
pub fn world() -> Result<Rc<Mpi>, LaunchError> {
    Ok(Rc::new(Mpi::of_world(environment::Environment::get()?)?))
}

/// The name and version of the MPI library that the program runs with.
///
/// ```
/// assert!(!wengert_distributed::mpi::library().is_empty());
/// ```
pub fn library() -> String {
    environment::library()
}
