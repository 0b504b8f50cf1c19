//! One thing that a profile saw.

use std::time::Duration;

/// An operation, a rule of one, or a span, that ran from [`start`](Event::start) for a [`time`](Event::time).
///
/// ```
/// use std::time::Duration;
/// use wengert_tape::{Event, EventKind, Var, profile};
/// let (_, profile) = profile(|| Var::from([[1.0f32; 3]; 2]).matmul(&Var::from([[1.0]; 3])));
/// let event: &Event = &profile.events[0];
/// assert_eq!((event.name.as_str(), event.kind), ("matmul", EventKind::Operation));
/// assert_eq!(event.shapes, "[2, 3], [3, 1] -> [2, 1]");
/// // 2 · 2 · 3 · 1, and the bytes of 6 + 3 + 2 numbers.
/// assert_eq!((event.flops, event.bytes), (12, 44));
/// assert!(event.own <= event.time && event.time > Duration::ZERO);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The operation's name, or the span's.
    pub name: String,
    /// What it is.
    pub kind: EventKind,
    /// Of what it is a part: 0 for values (the forward pass), 1 for first derivatives (the backward pass, or tangents), 2
    /// for derivatives of these, and so on. What was recorded before the profile began counts as values.
    pub order: u8,
    /// The thread, by number in the order in which the [`Profiler`](crate::Profiler) heard of them.
    pub thread: usize,
    /// How many events it is inside of.
    pub depth: usize,
    /// Since the profile began.
    pub start: Duration,
    /// How long it took, with all that ran inside of it.
    pub time: Duration,
    /// How long it took without the events inside of it.
    pub own: Duration,
    /// Floating-point operations of an operation, from its shapes: 2mnk of a matrix product, likewise for convolutions and
    /// attention; the leading term for factorisations and Fourier transforms; a few per element for softmax, normalisation
    /// and gates; one per element of the largest operand for all that is elementwise or a reduction, whatever the
    /// function; none for what only moves or compares. An operation of one's own may [say itself](crate::Op::flops).
    pub flops: u64,
    /// The bytes of an operation's operands and its result: the least that it reads and writes.
    pub bytes: u64,
    /// The bytes of tensors that were alive on the thread when it ended (as
    /// [`memory::stats`](wengert_tensor::memory::stats) counts them).
    pub live_bytes: i64,
    /// The shapes of an operation's operands and of its result; empty for others.
    pub shapes: String,
}

/// What an [`Event`] is.
///
/// ```
/// use wengert_tape::{EventKind, Var, grad, profile};
/// let (_, profile) = profile(|| grad(|x: &Var<f64>| x.sin(), &Var::scalar(0.0)));
/// let kinds: Vec<EventKind> = profile.events.iter().map(|event| event.kind).collect();
/// // sin, the sweep, its rule, and what that computes.
/// assert_eq!(kinds[..3], [EventKind::Operation, EventKind::Span, EventKind::Rule]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EventKind {
    /// An operation was computed.
    Operation,
    /// An operation's rule was run by a sweep; the operations that it consists of are inside of it.
    Rule,
    /// A stretch of the program: a layer, a sweep, or what was named by [`span`](crate::span).
    Span,
}
