//! A reduction under way.

use std::cell::RefCell;
use std::mem;
use std::rc::Rc;

use mpi::ffi;
use wengert_train::take_fitting;

use super::environment::Environment;
use super::rank::Handle;
use super::requests::Request;
use super::{count, operation, parts};
use crate::communicator::{Communicated, Pending, Reduction, Values};

/// Vectors of reductions that are at their end, for the next to be written to: memory that is fresh each time costs a page fault for every
/// 4 KiB of it.
#[derive(Default)]
pub(super) struct Spare(RefCell<Vec<Values>>);

impl Spare {
    /// As many numbers of the same kind, whatever they are.
    fn take(&self, like: &mut Values) -> Values {
        let (kind, length) = (like.kind(), like.len());
        let of_kind = |values: &Values| (values.kind() == kind).then(|| values.len());
        match take_fitting(&mut self.0.borrow_mut(), length, of_kind) {
            Some(mut values) => {
                values.truncate(length);
                values
            }
            None => like.buffer().to_values(),
        }
    }
}

/// MPI reads `values` and writes `result` until the request is done; both are owned here, and neither moves.
pub(super) struct Reducing {
    /// Before what it reads and writes, which goes after it.
    request: Request,
    values: Values,
    result: Values,
    spare: Rc<Spare>,
    /// Not freed before: Open MPI 4.1 does not keep what a reduction under way needs of it.
    _communicator: Rc<Handle>,
    /// MPI is not ended before.
    _environment: Rc<Environment>,
}

impl Reducing {
    pub(super) fn start(
        environment: Rc<Environment>,
        communicator: Rc<Handle>,
        spare: Rc<Spare>,
        mut values: Values,
        reduction: Reduction,
    ) -> Communicated<Self> {
        let length = count("start_all_reduce", values.len())?;
        let mut result = spare.take(&mut values);
        let ((from, kind), (into, _)) = (parts(&mut values.buffer()), parts(&mut result.buffer()));
        // SAFETY: both have `length` elements of this kind, do not overlap, and stay until the request is done: its `drop` waits for it.
        let request = Request::start("MPI_Iallreduce", |request| unsafe {
            ffi::MPI_Iallreduce(from, into, length, kind, operation(reduction), communicator.0, request)
        })?;
        environment.progress();
        Ok(Self { request, values, result, spare, _communicator: communicator, _environment: environment })
    }
}

impl Pending for Reducing {
    fn progress(&mut self) -> Communicated<bool> {
        self.request.test()
    }

    fn finish(mut self: Box<Self>) -> Communicated<Values> {
        self.request.wait()?;
        self.spare.0.borrow_mut().push(mem::replace(&mut self.values, Values::U8(Vec::new())));
        Ok(mem::replace(&mut self.result, Values::U8(Vec::new())))
    }
}
