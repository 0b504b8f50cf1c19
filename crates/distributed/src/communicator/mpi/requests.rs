//! Calls of MPI by one thread at a time, and the requests that a thread of their own takes on meanwhile.

use std::ffi::c_int;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mpi::ffi;

use super::environment::result;
use crate::communicator::Communicated;

/// Between two looks of the thread at what is under way: MPI moves data in its calls alone. Each look costs a core some 7 µs, so that
/// four times as many took 3 ms more of the step in which a sum of 36 to 65 ms was hidden.
const PAUSE: Duration = Duration::from_micros(200);

/// How long a rank that ends all waits for a call that another thread is in.
const PATIENCE: u32 = 1000;

/// What is held by the thread that is in MPI: where it may be used by several, they take turns (`MPI_THREAD_SERIALIZED`).
static REQUESTS: Mutex<Requests> = Mutex::new(Requests { under_way: Vec::new(), number: 0, ended: false });

/// There is a request again, or no more will come.
static CHANGED: Condvar = Condvar::new();

struct Requests {
    /// Those that have not been asked for their end, in the order of their start.
    under_way: Vec<UnderWay>,
    /// Of the next.
    number: u64,
    ended: bool,
}

struct UnderWay {
    number: u64,
    request: ffi::MPI_Request,
    /// What MPI said when it was at its end.
    outcome: Option<c_int>,
}

// SAFETY: a request is a handle, which any thread may give to MPI; they take turns by the lock.
unsafe impl Send for UnderWay {}

impl UnderWay {
    /// Has MPI go on with all that is under way; whether this is at its end.
    fn test(&mut self) -> bool {
        if self.outcome.is_none() {
            let mut done = 0;
            // SAFETY: the request is not done, and MPI is told of it no more once it is.
            let code = unsafe { ffi::MPI_Test(&mut self.request, &mut done, ffi::RSMPI_STATUS_IGNORE) };
            self.outcome = (done != 0 || code != 0).then_some(code);
        }
        self.outcome.is_some()
    }
}

fn requests() -> MutexGuard<'static, Requests> {
    REQUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a call of MPI while no other thread is in one.
pub(super) fn in_turn<R>(call: impl FnOnce() -> R) -> R {
    let _turn = requests();
    call()
}

/// Keeps other threads out of MPI from now on, as this one ends the program. It does not wait for ever.
pub(super) fn last_turn() {
    for _ in 0..PATIENCE {
        match REQUESTS.try_lock() {
            Ok(turn) => return mem::forget(turn),
            Err(TryLockError::Poisoned(turn)) => return mem::forget(turn),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// A call of MPI that goes on. Dropped, it is waited for.
pub(super) struct Request {
    operation: &'static str,
    number: u64,
    open: bool,
}

impl Request {
    /// Of a call that starts it. Its memory stays until the request is done or dropped.
    pub(super) fn start(
        operation: &'static str,
        call: impl FnOnce(&mut ffi::MPI_Request) -> c_int,
    ) -> Communicated<Self> {
        // SAFETY: a request is a plain handle or pointer, which the call writes.
        let mut request = unsafe { mem::zeroed() };
        let mut requests = requests();
        let code = call(&mut request);
        let number = requests.number;
        if code == 0 {
            requests.number += 1;
            requests.under_way.push(UnderWay { number, request, outcome: None });
        }
        drop(requests);
        result(operation, code)?;
        CHANGED.notify_one();
        Ok(Self { operation, number, open: true })
    }

    /// Lets it go on; whether it is at its end.
    pub(super) fn test(&mut self) -> Communicated<bool> {
        if self.open {
            let mut requests = requests();
            let place = requests.place(self.number);
            if requests.under_way[place].test() {
                self.close(requests, place)?;
            }
        }
        Ok(!self.open)
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self) -> Communicated {
        if !self.open {
            return Ok(());
        }
        let mut requests = requests();
        let place = requests.place(self.number);
        let under_way = &mut requests.under_way[place];
        if under_way.outcome.is_none() {
            // SAFETY: as in `UnderWay::test`.
            under_way.outcome =
                Some(unsafe { ffi::MPI_Wait(&mut under_way.request, ffi::RSMPI_STATUS_IGNORE) });
        }
        self.close(requests, place)
    }

    fn close(&mut self, mut requests: MutexGuard<'_, Requests>, place: usize) -> Communicated {
        self.open = false;
        let outcome = requests.under_way.remove(place).outcome;
        drop(requests);
        result(self.operation, outcome.unwrap_or(0))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The memory that it reads and writes may not go before. Of an error nobody is there to hear.
        let _ = self.wait();
    }
}

impl Requests {
    fn place(&self, number: u64) -> usize {
        let found = self.under_way.iter().position(|under_way| under_way.number == number);
        found.expect("a request that is open is under way")
    }
}

/// A thread that has MPI go on with requests while the others compute. It sleeps while there are none.
pub(super) struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// None if the system gives no thread: requests then go on in the calls of others.
    pub(super) fn start() -> Self {
        Self(thread::Builder::new().name("mpi".into()).spawn(go_on).ok())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        requests().ended = true;
        CHANGED.notify_one();
        if let Some(thread) = self.0.take() {
            // It does not panic.
            let _ = thread.join();
        }
    }
}

fn go_on() {
    let mut turn = requests();
    loop {
        let idle = |requests: &mut Requests| {
            !requests.ended && requests.under_way.iter().all(|under_way| under_way.outcome.is_some())
        };
        turn = CHANGED.wait_while(turn, idle).unwrap_or_else(PoisonError::into_inner);
        if turn.ended {
            return;
        }
        // The test of the first that is not at its end takes all others on.
        let _ = turn.under_way.iter_mut().all(UnderWay::test);
        drop(turn);
        thread::sleep(PAUSE);
        turn = requests();
    }
}
