//! What a thread writes down while it is profiled.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wengert_tensor::{Float, Shape, Tensor, memory};

use super::event::{Event, EventKind};
use super::work;
use crate::data::{Data, Kind};
use crate::describe::Attributes;
use crate::op::Description;

/// How many threads are profiled: what all others look at before they look at anything.
static PROFILED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Whether this thread is profiled.
#[inline]
pub(crate) fn is_on() -> bool {
    PROFILED.load(Ordering::Relaxed) != 0 && this_thread()
}

#[cold]
#[inline(never)]
fn this_thread() -> bool {
    RECORDER.with_borrow(Option::is_some)
}

/// The time since this process first asked.
pub(super) fn now() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

struct Recorder {
    id: u64,
    events: Vec<Event>,
    open: Vec<Open>,
    /// The order of the derivatives that are being computed.
    order: u8,
    in_rule: bool,
    /// Of all events.
    flops: u64,
    /// How long the last operation took, until a tape asks.
    last: Duration,
}

/// What has begun and not ended.
struct Open {
    start: Duration,
    /// In events inside of it.
    inside: Duration,
}

/// A profile under way on this thread.
#[derive(Debug)]
pub(super) struct Recording {
    outer: Outer,
    began: Duration,
}

/// Who recorded before.
struct Outer(Option<Recorder>);

impl std::fmt::Debug for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Outer" } else { "None" })
    }
}

impl Recording {
    pub(super) fn begin() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let began = now();
        // A profile inside of a backward pass is one of a backward pass.
        let (order, in_rule) = (current_order(), in_rule());
        let (events, open) = (Vec::new(), Vec::new());
        let recorder = Recorder { id, events, open, order, in_rule, flops: 0, last: Duration::ZERO };
        PROFILED.fetch_add(1, Ordering::Relaxed);
        Recording { outer: Outer(RECORDER.replace(Some(recorder))), began }
    }

    /// What was recorded; who recorded before has it, too.
    pub(super) fn end(mut self) -> Vec<Event> {
        PROFILED.fetch_sub(1, Ordering::Relaxed);
        let mut outer = self.outer.0.take();
        let recorder = RECORDER.take();
        let events = recorder.map_or_else(Vec::new, |recorder| recorder.events);
        if let Some(outer) = &mut outer {
            let depth = outer.open.len();
            let inside =
                events.iter().filter(|event| event.depth == 0).map(|event| event.time).sum::<Duration>();
            if let Some(open) = outer.open.last_mut() {
                open.inside += inside.min(now().saturating_sub(self.began));
            }
            outer
                .events
                .extend(events.iter().cloned().map(|event| Event { depth: event.depth + depth, ..event }));
        }
        RECORDER.set(outer);
        events
    }
}

/// Runs a rule, which computes derivatives of that order.
pub(super) fn rule_of_order<R>(order: u8, rule: impl FnOnce() -> R) -> R {
    /// Puts back what was, also when the rule panics.
    struct Restore((u8, bool));
    impl Drop for Restore {
        fn drop(&mut self) {
            replace(self.0);
        }
    }
    fn replace((order, in_rule): (u8, bool)) -> (u8, bool) {
        RECORDER.with_borrow_mut(|r| match r {
            Some(r) => (std::mem::replace(&mut r.order, order), std::mem::replace(&mut r.in_rule, in_rule)),
            None => (0, false),
        })
    }
    let _restore = Restore(replace((order, true)));
    rule()
}

/// Whether a rule is being run.
pub(super) fn in_rule() -> bool {
    RECORDER.with_borrow(|r| r.as_ref().is_some_and(|r| r.in_rule))
}

/// The time that the last operation took; asked for once.
pub(crate) fn last_operation() -> Duration {
    RECORDER.with_borrow_mut(|r| r.as_mut().map_or(Duration::ZERO, |r| std::mem::take(&mut r.last)))
}

/// The floating-point operations that the profile of this thread has counted so far; 0 if there is none.
#[doc(hidden)]
pub fn flops_so_far() -> u64 {
    RECORDER.with_borrow(|r| r.as_ref().map_or(0, |r| r.flops))
}

/// The order of what is computed now.
pub(super) fn current_order() -> u8 {
    RECORDER.with_borrow(|r| r.as_ref().map_or(0, |r| r.order))
}

/// What is asked of an operation that was computed.
pub(crate) trait Stated<T: Float> {
    fn description(&self) -> Description;
    /// See [`Op::flops`](crate::Op::flops).
    fn flops(&self, inputs: &[&Shape], output: &Shape) -> Option<u64>;
}

impl<T: Float> Stated<T> for Description {
    fn description(&self) -> Description {
        self.clone()
    }
    fn flops(&self, _: &[&Shape], _: &Shape) -> Option<u64> {
        None
    }
}

/// Measures from its making to its end, if the thread is profiled. What does not come to its end, because of a panic, is not
/// recorded.
pub(crate) struct Timing {
    /// The recorder, and the number of what had begun before.
    of: Option<(u64, usize)>,
    /// It stays on its thread.
    thread: PhantomData<*const ()>,
}

impl Timing {
    #[inline]
    pub(crate) fn start() -> Self {
        let of = if is_on() { Timing::begin() } else { None };
        Timing { of, thread: PhantomData }
    }

    pub(super) fn nothing() -> Self {
        Timing { of: None, thread: PhantomData }
    }

    #[cold]
    #[inline(never)]
    fn begin() -> Option<(u64, usize)> {
        RECORDER.with_borrow_mut(|r| {
            let r = r.as_mut()?;
            r.open.push(Open { start: now(), inside: Duration::ZERO });
            Some((r.id, r.open.len() - 1))
        })
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.of.is_some()
    }

    /// It was an operation on these, with such a result.
    #[cold]
    #[inline(never)]
    pub(crate) fn operation<T: Float, S: Stated<T> + ?Sized>(
        self,
        op: &S,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        output: &Shape,
        kind: Kind,
    ) {
        let ended = now();
        let shapes: Vec<&Shape> = inputs.iter().map(|x| x.shape()).collect();
        let what = op.description();
        let flops = match (kind, op.flops(&shapes, output)) {
            (_, Some(flops)) => flops,
            (Kind::Float, None) => work::flops(&what.name, &what.attributes, &shapes, output),
            _ => 0,
        };
        let bytes_given = given.iter().map(|data| bytes::<T>(data.shape(), data.kind())).sum::<u64>();
        let shapes: Vec<&Shape> = shapes.into_iter().chain(given.iter().map(|data| data.shape())).collect();
        self.record_operation::<T>(ended, what.name, flops, [&shapes[..], &[output]], kind, bytes_given);
    }

    /// It was one of that name and without attributes, whose value comes by another way than that of operations; its result is
    /// a floating-point number.
    #[inline]
    pub(crate) fn named<T: Float>(self, name: &str, inputs: &[&Shape], output: &Shape) {
        if self.is_on() {
            let flops = work::flops(name, &Attributes::default(), inputs, output);
            self.record_operation::<T>(now(), name.to_owned(), flops, [inputs, &[output]], Kind::Float, 0);
        }
    }

    /// The kinds of operands of which `bytes_given` are not counted here are floating-point.
    fn record_operation<T: Float>(
        self,
        ended: Duration,
        name: String,
        flops: u64,
        [inputs, output]: [&[&Shape]; 2],
        kind: Kind,
        bytes_given: u64,
    ) {
        let output = output[0];
        let texts: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let floats: u64 = inputs.iter().map(|shape| bytes::<T>(shape, Kind::Float)).sum();
        self.record(
            ended,
            Event {
                flops,
                bytes: floats + bytes_given + bytes::<T>(output, kind),
                shapes: format!("{} -> {output}", texts.join(", ")),
                ..event(name, EventKind::Operation)
            },
        );
    }

    /// It was the rule of an operation.
    pub(crate) fn rule(self, name: &str) -> Duration {
        let Some(ended) = self.ended() else { return Duration::ZERO };
        self.record(ended, event(name.to_owned(), EventKind::Rule))
    }

    /// It was a stretch of the program.
    pub(crate) fn span(self, name: &str) {
        if let Some(ended) = self.ended() {
            self.record(ended, event(name.to_owned(), EventKind::Span));
        }
    }

    fn ended(&self) -> Option<Duration> {
        self.of.map(|_| now())
    }

    #[cold]
    #[inline(never)]
    fn record(mut self, ended: Duration, event: Event) -> Duration {
        let Some((id, depth)) = self.of.take() else { return Duration::ZERO };
        RECORDER.with_borrow_mut(|r| {
            // A span may have been carried out of the profile that it began in.
            let Some(r) = r.as_mut().filter(|r| r.id == id && r.open.len() > depth) else {
                return Duration::ZERO;
            };
            let Open { start, inside } = r.open.swap_remove(depth);
            r.open.truncate(depth);
            let time = ended.saturating_sub(start);
            if let Some(outer) = r.open.last_mut() {
                outer.inside += time;
            }
            if event.kind == EventKind::Operation {
                r.last = time;
            }
            r.flops += event.flops;
            let (order, own) = (r.order, time.saturating_sub(inside));
            let live_bytes = memory::stats().live_bytes as i64;
            r.events.push(Event { order, depth, start, time, own, live_bytes, ..event });
            time
        })
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        let Some((id, depth)) = self.of else { return };
        RECORDER.with_borrow_mut(|r| {
            if let Some(r) = r.as_mut().filter(|r| r.id == id) {
                r.open.truncate(depth);
            }
        });
    }
}

fn bytes<T: Float>(shape: &Shape, kind: Kind) -> u64 {
    let element = match kind {
        Kind::Float => size_of::<T>(),
        Kind::Index => size_of::<u32>(),
        Kind::Mask => size_of::<bool>(),
    };
    (shape.count() * element) as u64
}

fn event(name: String, kind: EventKind) -> Event {
    Event {
        name,
        kind,
        order: 0,
        thread: 0,
        depth: 0,
        start: Duration::ZERO,
        time: Duration::ZERO,
        own: Duration::ZERO,
        flops: 0,
        bytes: 0,
        live_bytes: 0,
        shapes: String::new(),
    }
}
