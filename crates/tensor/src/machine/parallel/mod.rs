//! Splitting work over threads so that the result does not depend on how many there are.
//!
//! Work is cut into chunks whose size depends on the problem alone. Each chunk writes its own part of the
//! output, or gives a partial result that is combined in the order of the chunks. Threads are those of one team for the whole
//! process, or of the one of the [`with_threads`] that is running. A loop within a loop, and one that comes while the team
//! works for another thread of the program, stays on its thread: so there are never more threads at work than were asked for
//! and threads of the program.

mod chunks;
mod team;

pub(crate) use chunks::for_each_chunk_pair;
pub use chunks::{for_each_chunk, for_each_chunk_of_all};

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;
use std::thread;

use smallvec::SmallVec;

use crate::array::size;
use crate::machine::precision;

use team::Team;

/// Elements below which an elementwise loop stays on the calling thread: two chunks, which one thread works through in a few times
/// what it takes to hand a job out.
pub const PARALLEL_THRESHOLD: usize = 1 << 15;

/// Elements of a chunk of an elementwise loop or a reduction: 64 KiB of `f32`, so that a chunk stays in L2.
pub const CHUNK: usize = 1 << 14;

/// The environment variable that says how many threads the process's team has, where no program does.
pub const THREADS_VARIABLE: &str = "WENGERT_NUM_THREADS";

/// The team of all threads that have none of their own.
static TEAM: OnceLock<Team> = OnceLock::new();

thread_local! {
    /// The team of the [`with_threads`] that is running.
    static OWN_TEAM: RefCell<Option<Rc<Team>>> = const { RefCell::new(None) };
    /// Whether this thread is doing pieces of a team's job.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

fn team() -> &'static Team {
    TEAM.get_or_init(|| {
        let asked = std::env::var(THREADS_VARIABLE).ok().and_then(|text| text.trim().parse().ok());
        let threads = asked.filter(|&threads| threads > 0);
        Team::new_at_most(threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)))
    })
}

/// The result of `work`, whose loops stay on this thread.
fn within<R>(work: impl FnOnce() -> R) -> R {
    let _before = Restored::set(true, None);
    work()
}

/// What a thread's loops are split over. Dropped, it is again what it was.
struct Restored {
    within: bool,
    /// None where it stayed the same.
    team: Option<Option<Rc<Team>>>,
}

impl Restored {
    fn set(within: bool, team: Option<Rc<Team>>) -> Self {
        let team = team.map(|team| OWN_TEAM.replace(Some(team)));
        Restored { within: WITHIN.replace(within), team }
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        WITHIN.set(self.within);
        if let Some(team) = self.team.take() {
            OWN_TEAM.set(team);
        }
    }
}

/// The number of threads that a loop would be split over here: those of the process's team, as many as the CPU has or
/// [`THREADS_VARIABLE`] says, unless [`set_threads`] or [`with_threads`] has said otherwise; 1 within a loop.
///
/// ```
/// use wengert_tensor::parallel::{threads, with_threads};
/// assert!(threads() >= 1);
/// assert_eq!(with_threads(1, threads), 1);
/// ```
pub fn threads() -> usize {
    if WITHIN.get() {
        return 1;
    }
    OWN_TEAM.with_borrow(|own| own.as_ref().map(|team| team.threads())).unwrap_or_else(|| team().threads())
}

/// Sets the number of threads of the process's team. Call it once, before any work.
///
/// # Errors
/// If `threads` is 0 or more than can be started, or there is a team already (by an earlier call or by earlier work).
///
/// ```
/// use wengert_tensor::parallel::set_threads;
/// assert!(set_threads(0).is_err());
/// ```
pub fn set_threads(threads: usize) -> Result<(), SetThreadsError> {
    if threads == 0 {
        return Err(SetThreadsError("the number of threads must be at least 1".into()));
    }
    let late =
        || SetThreadsError("the threads were already started, by an earlier call or by earlier work".into());
    if TEAM.get().is_some() {
        return Err(late());
    }
    let team = Team::new(threads).map_err(|error| SetThreadsError(format!("{threads} threads: {error}")))?;
    TEAM.set(team).map_err(|_| late())
}

/// Runs `work` with its parallel loops split over `threads` threads: this one, and others that are started for it and end with it.
///
/// # Panics
/// If `threads` is 0 or more than can be started.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_tensor::parallel::with_threads;
/// let x = Tensor::<f64>::linspace(0.0, 1.0, 100_000);
/// // The same bits by any number of threads.
/// assert_eq!(with_threads(1, || x.sum().item()), with_threads(2, || x.sum().item()));
/// ```
#[track_caller]
pub fn with_threads<R>(threads: usize, work: impl FnOnce() -> R) -> R {
    assert!(threads > 0, "with_threads: the number of threads must be at least 1");
    match Team::new(threads) {
        Ok(team) => {
            let _before = Restored::set(false, Some(Rc::new(team)));
            work()
        }
        Err(error) => panic!("with_threads: {threads} threads: {error}"),
    }
}

/// Why [`set_threads`] did nothing.
///
/// ```
/// use wengert_tensor::parallel::{SetThreadsError, set_threads};
/// let error: SetThreadsError = set_threads(0).unwrap_err();
/// assert!(!error.to_string().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetThreadsError(String);

impl std::fmt::Display for SetThreadsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "set_threads: {}", self.0)
    }
}

impl std::error::Error for SetThreadsError {}

/// Calls `work(i)` for every `i` in `0..count`, in parallel if `parallel` (and if there is more than one
/// thread and more than one piece), else in order. Each call must touch only what belongs to its `i`.
///
/// # Panics
/// If a call does, with its message. Calls that were begun have ended then, and others are not begun.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use wengert_tensor::parallel::for_each;
/// let sum = AtomicUsize::new(0);
/// for_each(10, true, |i| { sum.fetch_add(i, Ordering::Relaxed); });
/// assert_eq!(sum.into_inner(), 45);
/// ```
pub fn for_each(count: usize, parallel: bool, work: impl Fn(usize) + Sync + Send) {
    if parallel && count > 1 && threads() > 1 {
        on_threads(count, &work);
    } else {
        (0..count).for_each(work);
    }
}

/// `work(i)` for every `i` in `0..count`, on the threads of the team.
#[inline(never)]
fn on_threads(count: usize, work: &(dyn Fn(usize) + Sync)) {
    // Members round as the caller does.
    let rounds = precision::rounds();
    let work = &|i| precision::with_rounding(rounds, || work(i));
    match OWN_TEAM.with_borrow(Option::clone) {
        Some(own) => own.run(count, work),
        None => team().run(count, work),
    }
}

/// `partial(0), partial(1), …` folded by `merge` as a balanced tree of fixed shape, in parallel if `parallel`:
/// the same bits for any number of threads. `None` if `count` is 0.
///
/// # Panics
/// If the partial results take more memory than there is.
///
/// ```
/// use wengert_tensor::parallel::reduce;
/// assert_eq!(reduce(5, true, |i| i, |a, b| a + b), Some(10));
/// ```
#[track_caller]
#[inline]
pub fn reduce<R: Send>(
    count: usize,
    parallel: bool,
    partial: impl Fn(usize) -> R + Sync + Send,
    merge: impl Fn(R, R) -> R,
) -> Option<R> {
    merged(count, parallel, &partial, &merge)
}

/// [`reduce`], compiled once for each type of partial result.
#[track_caller]
#[inline(never)]
fn merged<R: Send>(
    count: usize,
    parallel: bool,
    partial: &(dyn Fn(usize) -> R + Sync),
    merge: &dyn Fn(R, R) -> R,
) -> Option<R> {
    // Of few, no list in memory.
    let mut parts: SmallVec<[Option<R>; 16]> =
        if count <= 16 { SmallVec::new() } else { SmallVec::from_vec(size::list("reduce", count)) };
    parts.resize_with(count, || None);
    for_each_chunk(&mut parts, 1, parallel, |i, part| part[0] = Some(partial(i)));
    // Each round merges neighbours, at twice the distance of the round before, into the left one.
    let mut distance = 1;
    while distance < count {
        for left in (0..count - distance).step_by(2 * distance) {
            let right = parts[left + distance].take();
            parts[left] = parts[left].take().zip(right).map(|(a, b)| merge(a, b));
        }
        distance *= 2;
    }
    parts.into_iter().next().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduce_gives_the_same_bits_for_any_number_of_threads() {
        let values: Vec<f32> = (0..10_007).map(|i| ((i * 7919) % 1000) as f32 * 1e-3 + 1e3).collect();
        let sum = || {
            reduce(
                values.len().div_ceil(13),
                true,
                |i| values.iter().skip(13 * i).take(13).sum(),
                |a: f32, b| a + b,
            )
        };
        let expected = with_threads(1, sum);
        for n in [2, 3, 8] {
            assert_eq!(with_threads(n, sum), expected);
        }
        assert_eq!(reduce(0, true, |_| 0.0, |a: f32, b| a + b), None);
    }

    #[test]
    fn loops_within_loops_stay_on_their_thread() {
        with_threads(3, || {
            assert_eq!(threads(), 3);
            for_each(6, true, |_| assert_eq!((threads(), with_threads(2, threads)), (1, 2)));
            assert_eq!((with_threads(2, threads), threads()), (2, 3));
        });
    }

    #[test]
    fn a_panic_of_any_piece_reaches_the_caller() {
        for threads in [1, 3] {
            let result = std::panic::catch_unwind(|| {
                with_threads(threads, || for_each(9, true, |i| assert!(i != 8, "piece {i}")));
            });
            assert_eq!(*result.unwrap_err().downcast::<String>().unwrap(), "piece 8");
            assert!(!WITHIN.get() && OWN_TEAM.with_borrow(Option::is_none));
        }
    }

    #[test]
    #[should_panic(expected = "with_threads: the number of threads must be at least 1")]
    fn with_no_threads() {
        with_threads(0, || ());
    }

    #[test]
    fn zero_threads_is_an_error() {
        assert!(set_threads(0).unwrap_err().to_string().contains("at least 1"));
    }
}
