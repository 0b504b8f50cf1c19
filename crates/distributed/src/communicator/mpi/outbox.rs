//! Messages that were sent and may not have been received.

use std::cell::RefCell;
use std::ffi::c_int;

use mpi::ffi;

use super::environment::check;
use super::requests::in_turn;
use crate::communicator::Communicated;

/// Copies of messages under way, which MPI reads until they are received.
#[derive(Default)]
pub(super) struct Outbox {
    sending: RefCell<Vec<Sending>>,
}

struct Sending {
    request: ffi::MPI_Request,
    /// Read by MPI until the request is done.
    _bytes: Box<[u8]>,
}

impl Outbox {
    /// Sends without waiting.
    pub(super) fn send(
        &self,
        communicator: ffi::MPI_Comm,
        to: c_int,
        tag: c_int,
        bytes: &[u8],
    ) -> Communicated {
        self.tidy()?;
        let count = super::count("send", bytes.len())?;
        let bytes: Box<[u8]> = bytes.into();
        // SAFETY: a request is a plain handle or pointer, which MPI_Isend writes.
        let mut request = unsafe { std::mem::zeroed() };
        // SAFETY: the bytes are kept, and not moved, until the request is done.
        check("MPI_Isend", || unsafe {
            let (start, kind) = (bytes.as_ptr().cast(), ffi::RSMPI_UINT8_T);
            ffi::MPI_Isend(start, count, kind, to, tag, communicator, &mut request)
        })?;
        self.sending.borrow_mut().push(Sending { request, _bytes: bytes });
        Ok(())
    }

    /// Lets go of what has been received.
    pub(super) fn tidy(&self) -> Communicated {
        let mut sending = self.sending.borrow_mut();
        let mut place = 0;
        while place < sending.len() {
            let mut done = 0;
            // SAFETY: the request is one that is not done, and is not looked at again once it is.
            check("MPI_Test", || unsafe {
                ffi::MPI_Test(&mut sending[place].request, &mut done, ffi::RSMPI_STATUS_IGNORE)
            })?;
            if done != 0 {
                sending.swap_remove(place);
            } else {
                place += 1;
            }
        }
        Ok(())
    }

    /// Waits until all has been received.
    pub(super) fn wait(&self) {
        for mut message in self.sending.borrow_mut().drain(..) {
            // SAFETY: as in `tidy`. If it fails, MPI does not read the bytes any more.
            in_turn(|| unsafe { ffi::MPI_Wait(&mut message.request, ffi::RSMPI_STATUS_IGNORE) });
        }
    }
}
