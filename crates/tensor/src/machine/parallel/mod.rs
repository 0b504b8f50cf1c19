//! Splitting work over threads so that the result does not depend on how many there are.
//!
//! Work is cut into chunks whose size depends on the problem alone. Each chunk writes its own part of the
//! output, or gives a partial result that is combined in the order of the chunks. Threads are those of one team for the whole
//! process, or of the one of the [`with_threads`] that is running. A loop within a loop, and one that comes while the team
//! works for another thread of the program, stays on its thread: so there are never more threads at work than were asked for
//! and threads of the program.

mod team;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::OnceLock;
use std::thread;

use smallvec::SmallVec;

use crate::array::size;

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
    match OWN_TEAM.with_borrow(Option::clone) {
        Some(own) => own.run(count, work),
        None => team().run(count, work),
    }
}

/// Calls `work(start, chunk)` for consecutive chunks of `out` of `size` elements (the last may be shorter),
/// where `start` is the position of the chunk's first element.
///
/// ```
/// use wengert_tensor::parallel::for_each_chunk;
/// let mut squares = [0; 10];
/// for_each_chunk(&mut squares, 4, true, |start, chunk| {
///     chunk.iter_mut().enumerate().for_each(|(i, x)| *x = (start + i) * (start + i));
/// });
/// assert_eq!(squares[9], 81);
/// ```
#[inline]
pub fn for_each_chunk<T: Send>(
    out: &mut [T],
    size: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    chunk_by_chunk(out, size, parallel, &work);
}

/// [`for_each_chunk`], compiled once for each type of element.
#[inline(never)]
fn chunk_by_chunk<T: Send>(
    out: &mut [T],
    size: usize,
    parallel: bool,
    work: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    let size = size.max(1);
    if parallel && out.len() > size && threads() > 1 {
        let chunks = Chunks::new(out, size);
        // SAFETY: each chunk is asked for once.
        on_threads(chunks.count(), &|i| work(i * size, unsafe { chunks.get(i) }));
    } else {
        out.chunks_mut(size).enumerate().for_each(|(i, chunk)| work(i * size, chunk));
    }
}

/// Calls `work(start, chunks)` for the chunks at the same place of slices of equal length, likewise.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use wengert_tensor::parallel::for_each_chunk_of_all;
/// let (mut squares, mut cubes) = ([0; 10], [0; 10]);
/// for_each_chunk_of_all(&mut [&mut squares[..], &mut cubes], 4, true, |start, chunks| {
///     for i in 0..chunks[0].len() {
///         chunks[0][i] = (start + i).pow(2);
///         chunks[1][i] = (start + i).pow(3);
///     }
/// });
/// assert_eq!((squares[9], cubes[9]), (81, 729));
/// ```
#[track_caller]
pub fn for_each_chunk_of_all<T: Send>(
    slices: &mut [&mut [T]],
    size: usize,
    parallel: bool,
    work: impl Fn(usize, &mut [&mut [T]]) + Sync + Send,
) {
    let size = size.max(1);
    let length = slices.first().map_or(0, |slice| slice.len());
    assert!(slices.iter().all(|slice| slice.len() == length), "for_each_chunk_of_all: the lengths differ");
    let all: SmallVec<[Chunks<'_, T>; 8]> = slices.iter_mut().map(|slice| Chunks::new(slice, size)).collect();
    let count = all.first().map_or(0, Chunks::count);
    for_each(count, parallel, |i| {
        // SAFETY: each chunk is asked for once.
        let mut chunks: SmallVec<[&mut [T]; 8]> = all.iter().map(|one| unsafe { one.get(i) }).collect();
        work(i * size, &mut chunks);
    });
}

/// Calls `work(i, a, b)` for the `i`-th chunks of two slices that have equally many, of sizes of their own.
pub(crate) fn for_each_chunk_pair<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    sizes: [usize; 2],
    parallel: bool,
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    let (a, b) = (Chunks::new(a, sizes[0]), Chunks::new(b, sizes[1]));
    assert_eq!(a.count(), b.count());
    // SAFETY: each chunk is asked for once.
    for_each(a.count(), parallel, |i| work(i, unsafe { a.get(i) }, unsafe { b.get(i) }));
}

/// A slice cut into chunks that are handed out by number, so that the threads need not know the elements' type.
struct Chunks<'a, T> {
    start: *mut T,
    len: usize,
    size: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: what threads share of it are disjoint parts of the slice, each used by one thread.
unsafe impl<T: Send> Sync for Chunks<'_, T> {}

impl<'a, T> Chunks<'a, T> {
    fn new(slice: &'a mut [T], size: usize) -> Self {
        assert!(size > 0);
        Chunks { start: slice.as_mut_ptr(), len: slice.len(), size, slice: PhantomData }
    }

    fn count(&self) -> usize {
        self.len.div_ceil(self.size)
    }

    /// Chunk number `i`.
    ///
    /// # Safety
    /// A number may be asked for once only.
    unsafe fn get(&self, i: usize) -> &'a mut [T] {
        assert!(i < self.count());
        let start = i * self.size;
        // SAFETY: the range lies in the slice (chunk `i` was checked to exist, so `start` is less than `len`), which is
        // borrowed for 'a, and no other chunk overlaps it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), self.size.min(self.len - start)) }
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
    fn chunks_cover_everything_once() {
        let mut out = vec![0usize; 1001];
        for_each_chunk(&mut out, 64, true, |start, chunk| {
            for (i, x) in chunk.iter_mut().enumerate() {
                *x += start + i;
            }
        });
        assert!(out.iter().enumerate().all(|(i, &x)| x == i));
    }

    #[test]
    fn pairs_of_chunks_cover_both_slices_once_on_any_number_of_threads() {
        for (length, size) in [(0, 3), (1, 3), (3, 3), (7, 3), (64, 1), (5, 100)] {
            for (threads, parallel, width) in [(1, true, 1), (4, false, 1), (4, true, 1), (4, true, 3)] {
                let (mut a, mut b) = (vec![0usize; length], vec![0u8; length * width]);
                with_threads(threads, || {
                    for_each_chunk_pair(&mut a, &mut b, [size, size * width], parallel, |i, a, b| {
                        assert_eq!(a.len() * width, b.len());
                        a.iter_mut().enumerate().for_each(|(j, x)| *x += i * size + j);
                        b.iter_mut().for_each(|x| *x += 1);
                    });
                });
                assert!(a.iter().enumerate().all(|(i, &x)| x == i) && b.iter().all(|&x| x == 1));
            }
        }
    }

    #[test]
    fn chunks_of_several_slices_cover_all_of_them_once() {
        for (length, size, threads) in [(0, 3, 1), (1, 3, 2), (7, 3, 1), (100, 7, 4), (5, 100, 4)] {
            let mut all = [vec![0usize; length], vec![0; length], vec![0; length]];
            with_threads(threads, || {
                let mut slices: Vec<&mut [usize]> = all.iter_mut().map(Vec::as_mut_slice).collect();
                for_each_chunk_of_all(&mut slices, size, true, |start, chunks| {
                    for (k, chunk) in chunks.iter_mut().enumerate() {
                        chunk.iter_mut().enumerate().for_each(|(i, x)| *x += (start + i) * 3 + k);
                    }
                });
            });
            for (k, slice) in all.iter().enumerate() {
                assert!(slice.iter().enumerate().all(|(i, &x)| x == 3 * i + k));
            }
        }
        for_each_chunk_of_all::<u8>(&mut [], 3, true, |_, _| unreachable!("there is nothing"));
    }

    #[test]
    #[should_panic(expected = "i < self.count()")]
    fn a_chunk_behind_the_last() {
        // SAFETY: it is asked for once.
        unsafe { Chunks::new(&mut [0; 6], 3).get(2) };
    }

    #[test]
    fn zero_threads_is_an_error() {
        assert!(set_threads(0).unwrap_err().to_string().contains("at least 1"));
    }
}
