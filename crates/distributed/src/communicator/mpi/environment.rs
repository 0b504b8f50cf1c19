//! MPI in this process: started once, by one thread, and ended when nothing uses it any more.

use std::cell::{OnceCell, RefCell};
use std::ffi::{c_char, c_int};
use std::panic;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use mpi::ffi;

use super::outbox::Outbox;
use super::requests::{Progress, in_turn, last_turn};
use crate::communicator::error::panic_message;
use crate::communicator::{Communicated, CommunicatorError};
use crate::launch::LaunchError;

/// What became of MPI in this process, and which thread uses it.
static LIFE: Mutex<Life> = Mutex::new(Life::Unborn);

#[derive(Clone, Copy)]
enum Life {
    Unborn,
    Running(ThreadId),
    Ended,
}

thread_local! {
    static RUNNING: RefCell<Weak<Environment>> = const { RefCell::new(Weak::new()) };
}

/// MPI, running. Only the thread that started it has one, so all calls come from there but those that have requests go on.
pub(super) struct Environment {
    pub(super) outbox: Outbox,
    /// The thread that has requests go on, from the first on, where another thread may call MPI.
    progress: OnceCell<Progress>,
    shares: bool,
    /// Whether it was started here, and not by another library.
    own: bool,
    not_send: std::marker::PhantomData<*const ()>,
}

impl Environment {
    /// Starts MPI, or finds it running.
    pub(super) fn get() -> Result<Rc<Self>, LaunchError> {
        if let Some(running) = RUNNING.with_borrow(Weak::upgrade) {
            return Ok(running);
        }
        let mut life = LIFE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match *life {
            Life::Unborn => {}
            Life::Running(_) => return Err(LaunchError::OtherThread),
            Life::Ended => return Err(LaunchError::Ended),
        }
        let (own, shares) = start()?;
        *life = Life::Running(thread::current().id());
        drop(life);
        abort_on_panic();
        let running = Rc::new(Self {
            outbox: Outbox::default(),
            progress: OnceCell::new(),
            shares,
            own,
            not_send: std::marker::PhantomData,
        });
        RUNNING.set(Rc::downgrade(&running));
        Ok(running)
    }

    /// Has requests go on while this thread computes.
    pub(super) fn progress(&self) {
        if self.shares {
            self.progress.get_or_init(Progress::start);
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // While it unwinds, the other ranks are in the middle of something: ending MPI would wait for them for ever.
        if thread::panicking() {
            last_turn();
            abort();
        }
        drop(self.progress.take());
        self.outbox.wait();
        *LIFE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Life::Ended;
        if self.own {
            // SAFETY: it runs, this is its thread, and all communicators, which hold this environment, are gone.
            in_turn(|| unsafe { ffi::MPI_Finalize() });
        }
    }
}

/// Starts MPI; whether that was here and not by another library, and whether several threads may call it in turn.
fn start() -> Communicated<(bool, bool)> {
    let (mut started, mut ended, mut level) = (0, 0, 0);
    // SAFETY: these may be called at any time, and write one number each.
    unsafe {
        check("MPI_Initialized", || ffi::MPI_Initialized(&mut started))?;
        check("MPI_Finalized", || ffi::MPI_Finalized(&mut ended))?;
    }
    if ended != 0 {
        let reason = "it was ended already".to_owned();
        return Err(CommunicatorError::Transport { operation: "MPI_Init", reason });
    }
    let own = started == 0;
    // SAFETY: if it has not been started, the program's arguments may be left out; else it runs. Both write one number.
    unsafe {
        if own {
            let wanted = ffi::RSMPI_THREAD_SERIALIZED;
            check("MPI_Init_thread", || {
                ffi::MPI_Init_thread(ptr::null_mut(), ptr::null_mut(), wanted, &mut level)
            })?;
        } else {
            check("MPI_Query_thread", || ffi::MPI_Query_thread(&mut level))?;
        }
    }
    // The calls of another library take no turns with those here. SAFETY: these are constants of the library.
    let needed = unsafe { if own { ffi::RSMPI_THREAD_SERIALIZED } else { ffi::RSMPI_THREAD_MULTIPLE } };
    // SAFETY: MPI runs. Errors become results instead of ends of the program.
    check("MPI_Comm_set_errhandler", || unsafe {
        ffi::MPI_Comm_set_errhandler(ffi::RSMPI_COMM_WORLD, ffi::RSMPI_ERRORS_RETURN)
    })?;
    Ok((own, level >= needed))
}

/// Has a panic of the thread that uses MPI end all ranks, once its message is printed: to unwind would leave them waiting.
/// A panic elsewhere does so if it reaches that thread.
fn abort_on_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        print(info);
        let life = LIFE.try_lock().map(|life| *life);
        if matches!(life, Ok(Life::Running(owner)) if owner == thread::current().id()) {
            abort_with(panic_message(info.payload()));
        }
    }));
}

/// Ends all ranks with this one's message.
pub(super) fn abort_with(message: &str) -> ! {
    last_turn();
    let (mut rank, mut size) = (0, 0);
    // SAFETY: MPI runs, and this is its thread; these write one number each.
    unsafe {
        ffi::MPI_Comm_rank(ffi::RSMPI_COMM_WORLD, &mut rank);
        ffi::MPI_Comm_size(ffi::RSMPI_COMM_WORLD, &mut size);
    }
    eprintln!("rank {rank} of {size} ends all: {message}");
    abort()
}

/// Ends all ranks, by a thread that has the [`last_turn`].
fn abort() -> ! {
    // SAFETY: MPI runs, and this is its thread.
    unsafe { ffi::MPI_Abort(ffi::RSMPI_COMM_WORLD, 1) };
    std::process::exit(1)
}

/// Makes a call of MPI while no other thread is in one; its result.
pub(super) fn check(operation: &'static str, call: impl FnOnce() -> c_int) -> Communicated {
    result(operation, in_turn(call))
}

/// What the code says that a call of MPI has returned.
pub(super) fn result(operation: &'static str, code: c_int) -> Communicated {
    // All implementations have 0 for success, as the standard says.
    if code == 0 {
        return Ok(());
    }
    let mut text = [0 as c_char; 4096];
    let mut length = 0;
    // SAFETY: the text has room for more than any implementation's MPI_MAX_ERROR_STRING.
    in_turn(|| unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr(), &mut length) });
    Err(CommunicatorError::Transport { operation, reason: text_of(&text, length) })
}

/// The name and version of the MPI library.
pub(super) fn library() -> String {
    let mut text = vec![0 as c_char; 1 << 16];
    let mut length = 0;
    // SAFETY: it may be called at any time; the text has room for more than any MPI_MAX_LIBRARY_VERSION_STRING.
    in_turn(|| unsafe { ffi::MPI_Get_library_version(text.as_mut_ptr(), &mut length) });
    let text = text_of(&text, length);
    text.split([',', '\n']).next().unwrap_or_default().trim().to_owned()
}

fn text_of(text: &[c_char], length: c_int) -> String {
    let length = usize::try_from(length).unwrap_or(0).min(text.len());
    let bytes: Vec<u8> =
        text[..length].iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
