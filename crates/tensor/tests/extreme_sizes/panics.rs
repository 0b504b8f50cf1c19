//! Catching a panic with its text and place.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

thread_local! {
    /// The last panic of this thread, while it is catching.
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs `work`: what it gives, or its panic.
pub(crate) fn outcome<R>(work: impl FnOnce() -> R) -> Result<R, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            let quiet = CAUGHT.with_borrow_mut(|caught| {
                caught.as_mut().is_some_and(|caught| {
                    let place = info.location().expect("a panic has a location");
                    let payload = info.payload();
                    let text = payload.downcast_ref::<String>().map(String::as_str);
                    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
                    let message = text.unwrap_or_default().to_owned();
                    *caught = Caught { message, file: place.file().to_owned(), line: place.line() };
                    true
                })
            });
            if !quiet {
                usual(info);
            }
        }));
    });
    CAUGHT.set(Some(Caught::default()));
    let result = catch_unwind(AssertUnwindSafe(work));
    let caught = CAUGHT.take().expect("set above");
    result.map_err(|_| caught)
}

/// Runs `work`, which must panic.
#[track_caller]
#[allow(dead_code, reason = "this file is part of several tests")]
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Caught {
    match outcome(work) {
        Ok(_) => panic!("nothing panicked"),
        Err(caught) => caught,
    }
}

/// Asserts that `work` panics with this text, at a line of the caller's file.
#[track_caller]
#[allow(dead_code, reason = "this file is part of several tests")]
pub(crate) fn says(expected: &str, work: impl FnOnce()) {
    let caught = caught(work);
    assert_eq!(caught.message, expected);
    let here = Location::caller().file();
    assert_eq!(caught.file, here, "`{expected}` points at {}:{}", caught.file, caught.line);
}
