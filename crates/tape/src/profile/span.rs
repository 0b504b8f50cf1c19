//! Stretches of a program.

use std::cell::RefCell;

use super::recorder::Timing;

/// A stretch of the program, which ends when this is dropped: made by [`span`].
#[must_use = "the span ends where this is dropped"]
pub struct Span {
    timing: Timing,
    name: RefCell<String>,
}

impl Span {
    /// Whether somebody profiles, and so whether its name matters.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.timing.is_on()
    }

    /// Gives it another name: for what is known only when it ends.
    ///
    /// ```
    /// use wengert_tape::{profile, span};
    /// let (_, profile) = profile(|| {
    ///     let step = span("step");
    ///     step.rename("step that was refused");
    /// });
    /// assert_eq!(profile.events[0].name, "step that was refused");
    /// ```
    pub fn rename(&self, name: &str) {
        if self.is_recorded() {
            self.name.replace(name.to_owned());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.timing.is_on() {
            std::mem::replace(&mut self.timing, Timing::nothing()).span(&self.name.borrow());
        }
    }
}

/// Names what the thread does until the result is dropped, for a [`profile`](crate::profile); while nobody profiles, it does
/// nothing. The layers of the library are spans by themselves.
///
/// ```
/// use wengert_tape::{EventKind, Var, profile, span};
/// let (_, profile) = profile(|| {
///     let batch = { let _span = span("load"); Var::from([1.0f32, 2.0]) };
///     let _span = span("loss");
///     batch.square().sum()
/// });
/// let spans: Vec<_> = profile.events.iter().filter(|event| event.kind == EventKind::Span).collect();
/// assert_eq!(spans.iter().map(|event| &event.name[..]).collect::<Vec<_>>(), ["load", "loss"]);
/// ```
#[doc(alias = "record_function")]
pub fn span(name: &str) -> Span {
    let timing = Timing::start();
    let name = if timing.is_on() { name.to_owned() } else { String::new() };
    Span { timing, name: RefCell::new(name) }
}
