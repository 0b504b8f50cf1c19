//! Asynchronous training by the threads of one process on shared parameters, without locks (Recht 2011).
//!
//! Every thread takes a copy of the parameters, evaluates a gradient at it, steps with an optimiser of its own, and adds what the
//! step changed to the shared parameters, element by element. Others do the same at the same time: a copy may mix elements of
//! several steps, and a step is added to parameters that have moved on. No addition is lost. The memory is atomic numbers with
//! relaxed order, so there is no data race in the sense of the language.
//!
//! **Two runs do not give the same bits**, as the threads' steps fall in another order each time. With one thread there is nobody to
//! interleave with, and the bits are those of the serial program.

mod shared;

pub use shared::{Atomic, SharedVector};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wengert_nn::{Grads, Params};
use wengert_optim::Optimizer;

use crate::server::Histogram;

/// Another thread has failed: what it returned or panicked with is the result of [`run`].
///
/// ```
/// use wengert_distributed::hogwild::Stopped;
/// assert_eq!(Stopped.to_string(), "another thread has failed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another thread has failed")]
pub struct Stopped;

/// What all threads of a [`run`] share.
struct Board<'a, T: Atomic> {
    shared: &'a SharedVector<T>,
    updates: AtomicU64,
    stopped: AtomicBool,
}

/// One of the threads of a [`run`], to it.
pub struct Worker<'a, T: Atomic = f32> {
    index: usize,
    workers: usize,
    board: &'a Board<'a, T>,
    /// The parameters as they were pulled, and the number of updates by then.
    pulled: Vec<T>,
    seen: u64,
    staleness: Histogram,
}

impl<T: Atomic> Worker<'_, T> {
    /// The number of this thread, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many threads there are.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// The updates of all threads so far, for schedules.
    pub fn updates(&self) -> u64 {
        self.board.updates.load(Ordering::Relaxed)
    }

    /// Copies the shared parameters.
    ///
    /// # Errors
    /// If another thread has failed.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn pull(&mut self, params: &mut Params<T>) -> Result<(), Stopped> {
        self.check("pull", params);
        if self.board.stopped.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        self.seen = self.updates();
        self.board.shared.read(&mut self.pulled);
        params.values_mut().copy_from_slice(&self.pulled);
        // With the values of frozen ones, which do not move.
        self.pulled.copy_from_slice(params.values());
        Ok(())
    }

    /// One step of this thread's optimiser from the parameters that were pulled last, which is added to the shared ones. Running
    /// statistics are this thread's own. A gradient that is not finite is not refused, and is soon in the parameters of all threads: where
    /// that can be, look at the loss first, and return an error.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn push(&mut self, params: &mut Params<T>, optimizer: &mut dyn Optimizer<T>, grads: &Grads<T>) {
        self.check("push", params);
        let (len, own) = (params.len(), grads.len());
        assert!(own == len, "push: a gradient of {own} for {len} parameters");
        optimizer.step(&mut params.values_mut(), grads);
        params.update_buffers(grads);
        self.board.shared.advance(&self.pulled, params.values());
        let before = self.board.updates.fetch_add(1, Ordering::Relaxed);
        self.staleness.count(before.saturating_sub(self.seen));
    }

    #[track_caller]
    fn check(&self, operation: &str, params: &Params<T>) {
        let (len, shared) = (params.len(), self.pulled.len());
        assert!(len == shared, "{operation}: {len} parameters, but the threads share {shared}");
    }
}

/// What the threads of a [`run`] returned, and how stale their gradients were.
///
/// ```
/// use wengert_distributed::hogwild::{self, Outcome, SharedVector, Stopped, Worker};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::Sgd;
///
/// let shared = SharedVector::new(&[0.0f32]);
/// let outcome: Outcome<usize> = hogwild::run(&shared, 3, |worker: &mut Worker| {
///     let mut params: Params = Params::seeded(0);
///     let x = params.root().param("x", [1], Init::Zeros);
///     for _ in 0..100 {
///         worker.pull(&mut params)?;
///         let (_, grads) = params.value_and_grad(|cx| (cx.param(x) - 2.0).square().sum()).unwrap();
///         worker.push(&mut params, &mut Sgd::new(0.1), &grads);
///     }
///     Ok::<usize, Stopped>(worker.index())
/// })?;
/// assert_eq!((outcome.results, outcome.updates, outcome.staleness.total()), (vec![0, 1, 2], 300, 300));
/// # assert!((shared.to_vec()[0] - 2.0).abs() < 1e-2);
/// # Ok::<(), Stopped>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outcome<R> {
    /// The results, in the order of the threads.
    pub results: Vec<R>,
    /// Steps of all threads.
    pub updates: u64,
    /// How many steps of others were added between a thread's copy and its own addition.
    pub staleness: Histogram,
}

/// Runs `work` on `threads` threads that share `parameters`. It builds its model and `Params` for itself.
///
/// When one fails, the others get [`Stopped`] when they pull next.
///
/// # Errors
/// The error of the first thread, in their order, that failed by itself.
///
/// # Panics
/// If `threads` is 0, or with the panic of a thread.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_distributed::hogwild::{self, SharedVector, Stopped, Worker};
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
///
/// let data = synthetic::digits(400, 0);
/// let build = || {
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     (params, model)
/// };
/// let shared = SharedVector::new(build().0.values());
/// let outcome = hogwild::run(&shared, 2, |worker: &mut Worker| {
///     let ((mut params, model), mut adam) = (build(), Adam::new(3e-3));
///     for epoch in 0..8 {
///         for (images, labels) in data.batches(20).shuffled(epoch).sharded(worker.index(), worker.workers()) {
///             worker.pull(&mut params)?;
///             let (_, grads) = params.value_and_grad(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
///             worker.push(&mut params, &mut adam, &grads);
///         }
///     }
///     Ok::<(), Stopped>(())
/// })?;
/// assert_eq!(outcome.updates, 8 * 20);
///
/// let (mut params, model) = build();
/// params.set_values(&shared.to_vec());
/// assert!(wengert_train::accuracy(&model, &params, &data) > 0.8);
/// # Ok::<(), Stopped>(())
/// ```
#[track_caller]
pub fn run<T: Atomic, R: Send, E: Send + From<Stopped>>(
    parameters: &SharedVector<T>,
    threads: usize,
    work: impl Fn(&mut Worker<'_, T>) -> Result<R, E> + Sync,
) -> Result<Outcome<R>, E> {
    assert!(threads > 0, "hogwild::run: there must be at least 1 thread");
    let board = Board { shared: parameters, updates: AtomicU64::new(0), stopped: AtomicBool::new(false) };
    let (board, work) = (&board, &work);
    let one = |index| {
        let pulled = vec![T::ZERO; parameters.len()];
        let staleness = Histogram::default();
        let mut worker = Worker { index, workers: threads, board, pulled, seen: 0, staleness };
        let stops_others = Stops(board);
        let result = work(&mut worker);
        let was_told = board.stopped.load(Ordering::Relaxed);
        if result.is_ok() {
            std::mem::forget(stops_others);
        }
        (result, was_told, worker.staleness)
    };
    let ended = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|index| scope.spawn(move || one(index))).collect();
        handles.into_iter().map(|handle| handle.join()).collect::<Vec<_>>()
    });
    let (mut results, mut failures, mut staleness) = (Vec::new(), Vec::new(), Histogram::default());
    for thread in ended {
        let (result, was_told, seen) = thread.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        staleness.merge(&seen);
        match result {
            Ok(result) => results.push(result),
            Err(error) => failures.push((was_told, error)),
        }
    }
    // Those that failed by themselves stand before those that were told to stop.
    match failures.into_iter().min_by_key(|(was_told, _)| *was_told) {
        Some((_, error)) => Err(error),
        None => Ok(Outcome { results, updates: board.updates.load(Ordering::Relaxed), staleness }),
    }
}

/// Dropped, by an error or a panic, it stops the others.
struct Stops<'a, T: Atomic>(&'a Board<'a, T>);

impl<T: Atomic> Drop for Stops<'_, T> {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}
