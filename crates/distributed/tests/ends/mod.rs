//! An end in the middle of a run.

use std::ops::ControlFlow;

use wengert_train::{Event, Moment, RunObserver};

/// Ends the run after some steps.
pub(crate) struct Ends(pub(crate) u64);

impl RunObserver for Ends {
    fn on(&mut self, event: &Event<'_>, now: &Moment) -> ControlFlow<String> {
        match event {
            Event::Step(_) if now.step >= self.0 => ControlFlow::Break("that will do".to_owned()),
            _ => ControlFlow::Continue(()),
        }
    }
}
