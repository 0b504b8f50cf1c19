//! MPI in this process: started once, by one thread, and ended when nothing uses it any more.

use std::cell::RefCell;
use std::ffi::{c_char, c_int};
use std::panic;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use mpi::ffi;

use super::outbox::Outbox;
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

/// MPI, running. Only the thread that started it has one, so all calls come from there.
pub(super) struct Environment {
    pub(super) outbox: Outbox,
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
        let own = start()?;
        *life = Life::Running(thread::current().id());
        drop(life);
        abort_on_panic();
        let running = Rc::new(Self { outbox: Outbox::default(), own, not_send: std::marker::PhantomData });
        RUNNING.set(Rc::downgrade(&running));
        Ok(running)
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // While it unwinds, the other ranks are in the middle of something: ending MPI would wait for them for ever.
        if thread::panicking() {
            abort();
        }
        self.outbox.wait();
        *LIFE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Life::Ended;
        if self.own {
            // SAFETY: it runs, this is its thread, and all communicators, which hold this environment, are gone.
            unsafe { ffi::MPI_Finalize() };
        }
    }
}

/// Starts MPI; false if another library has done so.
fn start() -> Communicated<bool> {
    let (mut started, mut ended, mut level) = (0, 0, 0);
    // SAFETY: these may be called at any time, and write one number each.
    unsafe {
        check("MPI_Initialized", ffi::MPI_Initialized(&mut started))?;
        check("MPI_Finalized", ffi::MPI_Finalized(&mut ended))?;
    }
    if ended != 0 {
        let reason = "it was ended already".to_owned();
        return Err(CommunicatorError::Transport { operation: "MPI_Init", reason });
    }
    if started == 0 {
        // Other threads compute, and none of them communicates.
        // SAFETY: it has not been started; the program's arguments may be left out.
        let code = unsafe {
            ffi::MPI_Init_thread(ptr::null_mut(), ptr::null_mut(), ffi::RSMPI_THREAD_FUNNELED, &mut level)
        };
        check("MPI_Init_thread", code)?;
    }
    // SAFETY: MPI runs. Errors become results instead of ends of the program.
    check("MPI_Comm_set_errhandler", unsafe {
        ffi::MPI_Comm_set_errhandler(ffi::RSMPI_COMM_WORLD, ffi::RSMPI_ERRORS_RETURN)
    })?;
    Ok(started == 0)
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
    let (mut rank, mut size) = (0, 0);
    // SAFETY: MPI runs, and this is its thread; these write one number each.
    unsafe {
        ffi::MPI_Comm_rank(ffi::RSMPI_COMM_WORLD, &mut rank);
        ffi::MPI_Comm_size(ffi::RSMPI_COMM_WORLD, &mut size);
    }
    eprintln!("rank {rank} of {size} ends all: {message}");
    abort()
}

fn abort() -> ! {
    // SAFETY: MPI runs, and this is its thread.
    unsafe { ffi::MPI_Abort(ffi::RSMPI_COMM_WORLD, 1) };
    std::process::exit(1)
}

/// The result of a call of MPI.
pub(super) fn check(operation: &'static str, code: c_int) -> Communicated {
    // All implementations have 0 for success, as the standard says.
    if code == 0 {
        return Ok(());
    }
    let mut text = [0 as c_char; 4096];
    let mut length = 0;
    // SAFETY: the text has room for more than any implementation's MPI_MAX_ERROR_STRING.
    unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr(), &mut length) };
    Err(CommunicatorError::Transport { operation, reason: text_of(&text, length) })
}

/// The name and version of the MPI library.
pub(super) fn library() -> String {
    let mut text = vec![0 as c_char; 1 << 16];
    let mut length = 0;
    // SAFETY: it may be called at any time; the text has room for more than any MPI_MAX_LIBRARY_VERSION_STRING.
    unsafe { ffi::MPI_Get_library_version(text.as_mut_ptr(), &mut length) };
    let text = text_of(&text, length);
    text.split([',', '\n']).next().unwrap_or_default().trim().to_owned()
}

fn text_of(text: &[c_char], length: c_int) -> String {
    let length = usize::try_from(length).unwrap_or(0).min(text.len());
    let bytes: Vec<u8> =
        text[..length].iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
