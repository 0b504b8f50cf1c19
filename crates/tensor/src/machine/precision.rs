//! Whether this thread's matrix products may round their operands.

use std::cell::Cell;

thread_local! {
    static ROUNDS: Cell<bool> = const { Cell::new(false) };
}

/// Whether they may: not unless said so.
#[inline]
pub(crate) fn rounds() -> bool {
    ROUNDS.get()
}

/// Calls `work`, in which they may or may not.
#[inline]
pub(crate) fn with_rounding<R>(rounds: bool, work: impl FnOnce() -> R) -> R {
    /// Restores what was said before, also after a panic.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ROUNDS.set(self.0);
        }
    }
    let _before = Before(ROUNDS.replace(rounds));
    work()
}
