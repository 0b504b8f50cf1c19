//! A reduction under way.

use std::mem;
use std::rc::Rc;

use mpi::ffi;

use super::environment::{Environment, check};
use super::rank::Handle;
use super::{count, operation, parts};
use crate::communicator::{Communicated, Pending, Reduction, Values};

/// MPI reads `values` and writes `result` until the request is done; both are owned here, and neither moves.
pub(super) struct Reducing {
    request: ffi::MPI_Request,
    _values: Values,
    result: Values,
    open: bool,
    /// Not freed before: Open MPI 4.1 does not keep what a reduction under way needs of it.
    _communicator: Rc<Handle>,
    /// MPI is not ended before.
    _environment: Rc<Environment>,
}

impl Reducing {
    pub(super) fn start(
        environment: Rc<Environment>,
        communicator: Rc<Handle>,
        mut values: Values,
        reduction: Reduction,
    ) -> Communicated<Self> {
        let length = count("start_all_reduce", values.len())?;
        let mut result = values.buffer().to_values();
        // SAFETY: a request is a plain handle or pointer, which MPI_Iallreduce writes.
        let mut request = unsafe { mem::zeroed() };
        let ((from, kind), (into, _)) = (parts(&mut values.buffer()), parts(&mut result.buffer()));
        // SAFETY: both have `length` elements of this kind, do not overlap, and stay until the request is done: `drop` waits for it.
        check("MPI_Iallreduce", unsafe {
            ffi::MPI_Iallreduce(from, into, length, kind, operation(reduction), communicator.0, &mut request)
        })?;
        Ok(Self {
            request,
            _values: values,
            result,
            open: true,
            _communicator: communicator,
            _environment: environment,
        })
    }
}

impl Pending for Reducing {
    fn progress(&mut self) -> Communicated<bool> {
        if self.open {
            let mut done = 0;
            // SAFETY: the request is not done; MPI is told of it no more once it is.
            check("MPI_Test", unsafe {
                ffi::MPI_Test(&mut self.request, &mut done, ffi::RSMPI_STATUS_IGNORE)
            })?;
            self.open = done == 0;
        }
        Ok(!self.open)
    }

    fn finish(mut self: Box<Self>) -> Communicated<Values> {
        if mem::take(&mut self.open) {
            // SAFETY: as in `progress`.
            check("MPI_Wait", unsafe { ffi::MPI_Wait(&mut self.request, ffi::RSMPI_STATUS_IGNORE) })?;
        }
        Ok(mem::replace(&mut self.result, Values::U8(Vec::new())))
    }
}

impl Drop for Reducing {
    fn drop(&mut self) {
        if self.open {
            // SAFETY: as in `progress`. The memory may not go before.
            unsafe { ffi::MPI_Wait(&mut self.request, ffi::RSMPI_STATUS_IGNORE) };
        }
    }
}
