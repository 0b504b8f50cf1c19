//! Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};

static HAPPENED: AtomicBool = AtomicBool::new(false);

/// Whether the program was asked to end since it began to listen.
pub(crate) fn happened() -> bool {
    HAPPENED.load(Ordering::Relaxed)
}

/// From now on the first Ctrl-C is noted, and the second one ends the program. Nothing happens at the second call.
#[cfg(feature = "interrupt")]
pub(crate) fn listen() -> Result<(), crate::TrainError> {
    use std::sync::OnceLock;
    static LISTENING: OnceLock<Result<(), String>> = OnceLock::new();
    let listening = LISTENING.get_or_init(|| {
        let handler = || {
            if HAPPENED.swap(true, Ordering::Relaxed) {
                // The code that shells give for it.
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(handler).map_err(|error| error.to_string())
    });
    listening.clone().map_err(|reason| crate::TrainError::Interrupt { reason })
}
