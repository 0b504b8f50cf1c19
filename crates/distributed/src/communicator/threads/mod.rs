//! Ranks that are threads of one process, for tests and for the cores of one machine.

mod rank;
mod round;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

use super::error::panic_message;
use super::{Communicator, Failure};
use rank::{Aborted, Rank};
use world::World;

/// The rank that was the first to fail, and its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rank {rank}: {message}")]
pub struct RankFailed {
    /// Which one.
    pub rank: usize,
    /// Its error, or what it panicked with.
    pub message: String,
}

/// Runs `program` on `size` ranks, each a thread with a communicator of its own, and returns what they return, in their order.
///
/// # Errors
///
/// The message of the first rank that returned an error, panicked or aborted. Communications of the others fail from then on with
/// [`Gone`](super::CommunicatorError::Gone), also those that they wait in, so that they end, too. Where all ranks wait for each other, in
/// different collectives say, or for messages that nobody sends, all end with what each waits for.
///
/// # Panics
///
/// Panics if there are no ranks.
///
/// ```
/// use wengert_distributed::{Buffer, Reduction, threads};
///
/// let sums = threads::run(3, |ranks| {
///     let mut numbers = [ranks.rank() as f64, 1.0];
///     ranks.all_reduce(Buffer::F64(&mut numbers), Reduction::Sum)?;
///     Ok(numbers)
/// })?;
/// assert_eq!(sums, [[3.0, 3.0]; 3]);
///
/// let failed = threads::run(2, |ranks| match ranks.rank() {
///     0 => Ok(ranks.barrier()?),
///     _ => Err("no data".into()),
/// });
/// assert_eq!(failed.unwrap_err().to_string(), "rank 1: no data");
/// # Ok::<(), threads::RankFailed>(())
/// ```
#[track_caller]
pub fn run<R: Send>(
    size: usize,
    program: impl Fn(Rc<dyn Communicator>) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, RankFailed> {
    assert!(size > 0, "threads::run: no ranks (0)");
    let world = World::new(size);
    let results: Vec<Option<R>> = thread::scope(|scope| {
        let (world, program) = (&world, &program);
        let start = |rank: usize| {
            let work = move || run_rank(world, rank, program);
            let thread = thread::Builder::new().name(format!("rank {rank}")).spawn_scoped(scope, work);
            thread.map_err(|error| world.end(rank, &format!("no thread: {error}"))).ok()
        };
        let ranks: Vec<_> = (0..size).map(start).collect();
        ranks.into_iter().map(|rank| rank?.join().ok().flatten()).collect()
    });
    match world.failure() {
        Some((rank, message)) => Err(RankFailed { rank, message }),
        None => Ok(results.into_iter().flatten().collect()),
    }
}

/// What the program returned, if it did; otherwise the world ends with its message.
fn run_rank<R>(
    world: &std::sync::Arc<World>,
    rank: usize,
    program: &(impl Fn(Rc<dyn Communicator>) -> Result<R, Failure> + Sync),
) -> Option<R> {
    let communicator = Rc::new(Rank::of_world(world.clone(), rank));
    match catch_unwind(AssertUnwindSafe(|| program(communicator))) {
        Ok(Ok(result)) => {
            world.finish(rank);
            return Some(result);
        }
        Ok(Err(error)) => world.end(rank, &error.to_string()),
        Err(panic) if panic.is::<Aborted>() => {}
        Err(panic) => world.end(rank, panic_message(&*panic)),
    }
    None
}
