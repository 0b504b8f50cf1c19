//! What a program does with its time: which operations ran, in which layers, for how long, on how much work.

mod event;
mod recorder;
mod span;
mod table;
mod timed;
mod trace;
mod work;

pub use event::{Event, EventKind};
#[doc(hidden)]
pub use recorder::flops_so_far;
pub(crate) use recorder::{Stated, Timing, is_on, last_operation};
pub use span::{Span, span};
pub use table::{ProfileRow, ProfileTable};
pub(crate) use timed::{Timed, rule};

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use recorder::Recording;

/// Runs `work`, and says what operations ran meanwhile on this thread, and how long each took: a table by
/// [`Profile::table`] or by printing it, and a file for a viewer of traces by [`Profile::write_trace`].
///
/// What is computed has the same bits as without. While nobody profiles, an operation costs one load more. Kernels that split
/// over threads are measured as a whole, from the thread that waits for them; programs with several threads of their own make
/// one [`Profiler`] for all. A profile inside of another is part of it.
///
/// ```
/// use wengert_tape::{Var, grad, profile};
/// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
/// let (_, profile) = profile(|| grad(|x: &Var<f64>| x.matmul(x).tanh().sum(), &x));
/// let products: Vec<_> = profile.events.iter().filter(|e| e.name == "matmul").collect();
/// // One for the value and two for the derivatives, the second of which is added in place.
/// assert_eq!((products[0].order, products[0].flops, products[1].order), (0, 16, 1));
/// println!("{profile}");
/// ```
#[doc(alias = "torch.profiler")]
pub fn profile<R>(work: impl FnOnce() -> R) -> (R, Profile) {
    let profiler = Profiler::new();
    let result = profiler.record(work);
    (result, profiler.finish())
}

/// Collects what operations take from one thread or several: [`profile`] for programs that have threads.
///
/// ```
/// use wengert_tape::{Profiler, Var};
/// let profiler = Profiler::new();
/// std::thread::scope(|threads| {
///     for _ in 0..2 {
///         threads.spawn(|| profiler.record(|| Var::from([1.0f32, 2.0]).exp().len()));
///     }
/// });
/// let profile = profiler.finish();
/// let mut threads: Vec<usize> = profile.events.iter().map(|event| event.thread).collect();
/// threads.sort();
/// assert_eq!(threads, [0, 1]);
/// ```
#[derive(Debug)]
pub struct Profiler {
    began: Duration,
    collected: Mutex<Collected>,
}

#[derive(Debug, Default)]
struct Collected {
    threads: Vec<ThreadId>,
    events: Vec<Event>,
}

impl Default for Profiler {
    fn default() -> Self {
        Profiler::new()
    }
}

impl Profiler {
    /// One that has seen nothing, and whose time begins now.
    pub fn new() -> Self {
        Profiler { began: recorder::now(), collected: Mutex::default() }
    }

    /// Runs `work`, and collects what this thread does meanwhile. What happened before a panic is kept.
    pub fn record<R>(&self, work: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        work()
    }

    /// Collects what this thread does until the result is dropped, which must come before what was attached earlier is: for
    /// where a closure would lose the caller's line.
    #[doc(hidden)]
    pub fn attach(&self) -> ProfileGuard<'_> {
        ProfileGuard { profiler: self, recording: Some(Recording::begin()), thread: PhantomData }
    }

    fn collect(&self, events: Vec<Event>) {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        let id = thread::current().id();
        let known = collected.threads.iter().position(|&thread| thread == id);
        let number = known.unwrap_or(collected.threads.len());
        if known.is_none() {
            collected.threads.push(id);
        }
        let began = self.began;
        collected.events.extend(events.into_iter().map(|event| Event {
            thread: number,
            start: event.start.saturating_sub(began),
            ..event
        }));
    }

    /// All that was collected.
    pub fn finish(self) -> Profile {
        let wall = recorder::now().saturating_sub(self.began);
        let mut events = self.collected.into_inner().unwrap_or_else(PoisonError::into_inner).events;
        // What contains others comes before them.
        events.sort_by_key(|event| (event.thread, event.start, event.depth));
        Profile { events, wall }
    }
}

/// Hands over what was recorded, also when the thread panics.
#[doc(hidden)]
pub struct ProfileGuard<'a> {
    profiler: &'a Profiler,
    recording: Option<Recording>,
    /// It stays on its thread.
    thread: PhantomData<*const ()>,
}

impl Drop for ProfileGuard<'_> {
    fn drop(&mut self) {
        let events = self.recording.take().map_or_else(Vec::new, Recording::end);
        self.profiler.collect(events);
    }
}

/// What ran: made by [`profile`] or a [`Profiler`]. It prints as its [table](Profile::table).
///
/// ```
/// use wengert_tape::{Profile, Var, profile, span};
/// let (_, profile): (_, Profile) = profile(|| {
///     let _span = span("encoder");
///     Var::from([1.0f32, 2.0]).exp().sum().item()
/// });
/// let names: Vec<&str> = profile.events.iter().map(|event| event.name.as_str()).collect();
/// assert_eq!(names, ["encoder", "exp", "sum"]);
/// assert_eq!(profile.events[1].depth, 1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Operations, rules and spans, by thread and by when they began.
    pub events: Vec<Event>,
    /// From the profiler's making to its end.
    pub wall: Duration,
}

impl Profile {
    /// The floating-point operations of all events: see [`Event::flops`].
    pub fn flops(&self) -> u64 {
        self.events.iter().map(|event| event.flops).sum()
    }

    /// The most bytes of tensors that a thread held at the end of an operation: see [`Event::live_bytes`].
    pub fn peak_bytes(&self) -> i64 {
        self.events.iter().map(|event| event.live_bytes).max().unwrap_or(0)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}
