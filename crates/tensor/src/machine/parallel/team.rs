//! Threads that share the pieces of one job at a time.
//!
//! A job is opened by a store that its workers watch for, and closed when all its pieces are taken; the caller then waits only for
//! those workers that are still inside. So a worker that comes late, or never (a process that was forked has none), holds
//! nothing up. Workers watch for a while before they sleep: between two loops of a training step they stay awake,
//! and a job costs less than a microsecond to hand out instead of the several that it takes to wake a thread.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use super::within;

/// How long a worker watches for the next job before it sleeps: longer than what lies between the loops of a training step.
const WATCH: Duration = Duration::from_micros(200);
/// How long it does so without offering its core to other threads.
const WATCH_ALONE: Duration = Duration::from_micros(50);
/// Looks at the state between two looks at the clock.
const LOOKS: usize = 64;

/// Threads of a team at most.
const MOST: usize = 1 << 14;

/// The bit of the state that says that the job's pieces are being handed out. Below it stands how many workers are inside, above it
/// the job's number.
const OPEN: u64 = 1 << 31;
/// One job more.
const NEXT_JOB: u64 = 1 << 32;

/// Threads that work on one job at a time: the caller of [`run`](Team::run), and workers.
pub(super) struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Whether someone has a job done.
    busy: AtomicBool,
}

/// What the members of a team share.
struct Shared {
    /// The number of the job, whether it is open, and how many workers are inside.
    state: AtomicU64,
    job: UnsafeCell<Job>,
    /// For each member the next piece of its share of the job, of which the others help themselves when they are done.
    shares: Box<[Apart<AtomicUsize>]>,
    /// For each member whether it sleeps.
    asleep: Box<[Apart<AtomicBool>]>,
    /// Why a piece panicked first.
    panic: UnsafeCell<Option<Box<dyn Any + Send>>>,
    panicked: AtomicBool,
    over: AtomicBool,
}

/// Work on pieces that are numbered from 0, without its type.
#[derive(Clone, Copy)]
struct Job {
    pieces: usize,
    /// Among how many its pieces are shared out.
    members: usize,
    work: *const (),
    call: unsafe fn(*const (), usize),
}

/// A value on cache lines of its own: neighbouring lines are fetched in pairs.
#[repr(align(128))]
struct Apart<T>(T);

// SAFETY: `job` is written by the holder of `busy` while the state is closed with no worker inside, and read by workers that
// entered an open state and by that holder; the state orders the two. `panic` is written by whoever sets
// `panicked` first, and read by the holder of `busy` after all workers have left.
unsafe impl Sync for Shared {}
// SAFETY: the pointers of a job are used while its caller waits only, and lead to work that threads may share.
unsafe impl Send for Shared {}

impl Team {
    /// A team of so many threads, the caller of [`run`](Team::run) among them.
    ///
    /// # Errors
    /// If they are more than [`MOST`] or a thread cannot be started. The others are then ended.
    pub(super) fn new(threads: usize) -> std::io::Result<Team> {
        if threads > MOST {
            return Err(std::io::Error::other(format!("there are at most {MOST} threads")));
        }
        let (team, hired) = Team::hired(threads);
        hired.map(|()| team)
    }

    /// As [`new`](Team::new), with those threads that can be started.
    pub(super) fn new_at_most(threads: usize) -> Team {
        Team::hired(threads.min(MOST)).0
    }

    /// A team with as many of its workers as could be started, and why there are not more.
    fn hired(threads: usize) -> (Team, std::io::Result<()>) {
        let mut team = Team::of_caller(threads);
        let hired = (1..threads).try_for_each(|member| team.hire(member));
        (team, hired)
    }

    fn of_caller(threads: usize) -> Team {
        unsafe fn nothing(_: *const (), _: usize) {}
        let shared = Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(Job { pieces: 0, members: 1, work: std::ptr::null(), call: nothing }),
            shares: (0..threads).map(|_| Apart(AtomicUsize::new(0))).collect(),
            asleep: (0..threads).map(|_| Apart(AtomicBool::new(false))).collect(),
            panic: UnsafeCell::new(None),
            panicked: AtomicBool::new(false),
            over: AtomicBool::new(false),
        };
        Team { shared: Arc::new(shared), workers: Vec::new(), busy: AtomicBool::new(false) }
    }

    fn hire(&mut self, member: usize) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let builder = thread::Builder::new().name(format!("wengert-{member}"));
        self.workers.push(builder.spawn(move || within(|| shared.serve(member)))?);
        Ok(())
    }

    /// The number of its threads, the caller among them.
    pub(super) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// `work(i)` for every `i` below `pieces`, each once, on this thread and the workers. While another thread has a job done by
    /// the team, this one does its own alone.
    ///
    /// # Panics
    /// With what a piece panicked with first, after all pieces that were begun have ended; the others are not begun.
    pub(super) fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        if self.busy.swap(true, Ordering::Acquire) {
            return (0..pieces).for_each(work);
        }
        let shared = &*self.shared;
        let members = self.threads();
        for (member, share) in shared.shares.iter().take(members).enumerate() {
            share.0.store(start_of(member, members, pieces), Ordering::Relaxed);
        }
        /// # Safety
        /// `work` must come from a reference to such a reference that is still alive.
        unsafe fn call(work: *const (), piece: usize) {
            // SAFETY: as the caller guarantees.
            unsafe { (*work.cast::<&(dyn Fn(usize) + Sync)>())(piece) }
        }
        // SAFETY: this thread is the holder of `busy`, and left the state closed and empty, or found it so.
        unsafe { *shared.job.get() = Job { pieces, members, work: (&raw const work).cast(), call } };
        let closed = shared.state.load(Ordering::Relaxed);
        shared.state.store(closed.wrapping_add(NEXT_JOB) | OPEN, Ordering::SeqCst);
        for (worker, asleep) in self.workers.iter().zip(&shared.asleep[1..]).take(pieces.saturating_sub(1)) {
            if asleep.0.load(Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
        within(|| shared.take_part(0));
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut looks = 0;
        while shared.state.load(Ordering::Acquire) & (OPEN - 1) != 0 {
            looks += 1;
            if looks % (LOOKS * 16) == 0 { thread::yield_now() } else { std::hint::spin_loop() }
        }
        let panic = match shared.panicked.swap(false, Ordering::Relaxed) {
            // SAFETY: all workers have left, and this thread is the holder of `busy`.
            true => unsafe { (*shared.panic.get()).take() },
            false => None,
        };
        self.busy.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.workers.iter().map(JoinHandle::thread).for_each(Thread::unpark);
        for worker in self.workers.drain(..) {
            // What it ran cannot have panicked: pieces are caught.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// What a worker does all its life.
    fn serve(&self, member: usize) {
        let mut done = 0;
        while let Some(job) = self.next_job(member, done) {
            done = job / NEXT_JOB;
            let mut state = job;
            let entered = loop {
                if state & OPEN == 0 || state / NEXT_JOB != done {
                    break false;
                }
                match self.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed)
                {
                    Ok(_) => break true,
                    Err(now) => state = now,
                }
            };
            if entered {
                self.take_part(member);
                self.state.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// The state of an open job with another number than the last; None when the team is over.
    fn next_job(&self, member: usize, done: u64) -> Option<u64> {
        let found = || {
            let state = self.state.load(Ordering::SeqCst);
            (state & OPEN != 0 && state / NEXT_JOB != done).then_some(state)
        };
        loop {
            let start = Instant::now();
            loop {
                for _ in 0..LOOKS {
                    if let Some(state) = found() {
                        return Some(state);
                    }
                    std::hint::spin_loop();
                }
                let waited = start.elapsed();
                if waited > WATCH {
                    break;
                }
                if waited > WATCH_ALONE {
                    thread::yield_now();
                }
            }
            let asleep = &self.asleep[member].0;
            asleep.store(true, Ordering::SeqCst);
            // A job that was opened before the store would not have woken this thread; one behind it does.
            while found().is_none() && !self.over.load(Ordering::SeqCst) {
                thread::park();
            }
            asleep.store(false, Ordering::SeqCst);
            if self.over.load(Ordering::SeqCst) {
                return None;
            }
        }
    }

    /// Takes pieces of the open job until none is left, first those of the member's own share.
    fn take_part(&self, member: usize) {
        // SAFETY: the job is open, and this thread inside or the holder of `busy`.
        let job = unsafe { *self.job.get() };
        let members = job.members;
        let work = || {
            for turn in 0..members {
                let whose = (member + turn) % members;
                let (next, end) = (&self.shares[whose].0, start_of(whose + 1, members, job.pieces));
                while next.load(Ordering::Relaxed) < end {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece < end {
                        // SAFETY: the caller of `run` keeps its work alive until all who are inside have left.
                        unsafe { (job.call)(job.work, piece) };
                    }
                }
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            // No further pieces are begun.
            for whose in 0..members {
                self.shares[whose].0.store(start_of(whose + 1, members, job.pieces), Ordering::Relaxed);
            }
            if !self.panicked.swap(true, Ordering::Relaxed) {
                // SAFETY: this thread alone was the first.
                unsafe { *self.panic.get() = Some(panic) };
            }
        }
    }
}

/// The first piece of a member's share.
fn start_of(member: usize, members: usize, pieces: usize) -> usize {
    let (each, rest) = (pieces / members, pieces % members);
    member * each + member.min(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_all_pieces() {
        for pieces in [0, 1, 2, 7, 16, 17, usize::MAX] {
            for members in 1..9 {
                assert_eq!((start_of(0, members, pieces), start_of(members, members, pieces)), (0, pieces));
                let ends = (0..=members).map(|member| start_of(member, members, pieces));
                assert!(ends.is_sorted());
            }
        }
    }

    #[test]
    fn every_piece_is_done_once_in_every_job() {
        let (rounds, most) = if cfg!(miri) { (20, 7) } else { (3000, 40) };
        for threads in [1, 2, 3, 8] {
            let team = Team::new(threads).unwrap();
            let done: Vec<AtomicUsize> = (0..most).map(|_| AtomicUsize::new(0)).collect();
            for round in 0..rounds {
                let pieces = round % (most + 1);
                team.run(pieces, &|piece| {
                    done[piece].fetch_add(1, Ordering::Relaxed);
                });
                let counts = done.iter().map(|count| count.swap(0, Ordering::Relaxed));
                assert!(counts.enumerate().all(|(piece, count)| count == usize::from(piece < pieces)));
            }
        }
    }

    #[test]
    fn workers_that_sleep_wake_up() {
        let team = Team::new(2).unwrap();
        for _ in 0..3 {
            thread::sleep(2 * WATCH + Duration::from_millis(5));
            // Two pieces that wait for each other, so that both threads must take part.
            let here = AtomicUsize::new(0);
            team.run(2, &|_| {
                here.fetch_add(1, Ordering::SeqCst);
                while here.load(Ordering::SeqCst) < 2 {
                    thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_team_usable() {
        let team = Team::new(3).unwrap();
        for bad in [0, 4, 9] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(10, &|piece| assert!(piece != bad, "piece {piece} is bad"));
            }));
            let message = *result.unwrap_err().downcast::<String>().unwrap();
            assert_eq!(message, format!("piece {bad} is bad"));
            let sum = AtomicUsize::new(0);
            team.run(10, &|piece| {
                sum.fetch_add(piece, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 45);
        }
    }

    #[test]
    fn several_callers_and_calls_within_calls_get_all_their_pieces() {
        let team = Team::new(3).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..if cfg!(miri) { 3 } else { 200 } {
                        let sum = AtomicUsize::new(0);
                        team.run(5, &|_| {
                            team.run(4, &|piece| {
                                sum.fetch_add(piece, Ordering::Relaxed);
                            });
                        });
                        assert_eq!(sum.into_inner(), 30);
                    }
                });
            }
        });
    }
}
