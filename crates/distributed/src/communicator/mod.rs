//! How ranks talk to each other.

mod buffer;
mod error;
#[cfg(feature = "mpi")]
pub mod mpi;
mod single;
pub mod threads;
mod traffic;

pub use buffer::{Buffer, Shared, Values};
pub use error::CommunicatorError;
pub use single::Single;
pub(crate) use traffic::check_lengths;

use std::rc::Rc;

/// What an [`all_reduce`](Communicator::all_reduce) makes of the ranks' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

/// A message from another rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The rank that sent it.
    pub from: usize,
    /// Its tag.
    pub tag: u32,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// The largest tag of a message: what every MPI library has.
pub const MAX_TAG: u32 = 32_767;

/// Result of a communication.
pub type Communicated<R = ()> = Result<R, CommunicatorError>;

/// What a program of ranks may fail with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A reduction that goes on while the rank does other work.
///
/// Dropped without [`finish`](Pending::finish), it is waited for or given up, as the transport can; its result is lost.
///
/// ```
/// use wengert_distributed::{Reduction, Values, threads};
///
/// let sums = threads::run(2, |ranks| {
///     let mut pending = ranks.start_all_reduce(Values::F32(vec![1.5; 3]), Reduction::Sum)?;
///     // … work on something else, and now and then:
///     pending.progress()?;
///     Ok(pending.finish()?)
/// })?;
/// assert_eq!(sums, vec![Values::F32(vec![3.0; 3]); 2]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub trait Pending {
    /// Lets it go on, where it needs this rank to call for that, as over an MPI that one thread alone may call; whether it is at its end.
    fn progress(&mut self) -> Communicated<bool>;

    /// Waits for it: the reduction of all ranks' numbers.
    fn finish(self: Box<Self>) -> Communicated<Values>;
}

/// One rank of several that run the same program and talk to each other: over MPI, as threads of one process, or alone.
///
/// The collective methods (all but [`send`](Communicator::send), [`receive`](Communicator::receive),
/// [`try_receive`](Communicator::try_receive), [`exchange`](Communicator::exchange) and [`abort`](Communicator::abort)) are
/// called by all ranks in the same order, with buffers of the same kind and length; they return when this rank's part is done.
/// Messages of the same tag between two ranks are received in the order in which they were sent.
///
/// ```
/// use wengert_distributed::{Buffer, Message, Reduction, threads};
///
/// threads::run(2, |ranks| {
///     let (rank, other) = (ranks.rank(), 1 - ranks.rank());
///     // A collective: called by all.
///     let mut largest = [rank as f32, 1.0];
///     ranks.all_reduce(Buffer::F32(&mut largest), Reduction::Max)?;
///     assert_eq!(largest, [1.0, 1.0]);
///     // A message to one.
///     ranks.send(other, 7, b"hello")?;
///     let message = ranks.receive(None, Some(7))?;
///     assert_eq!(message, Message { from: other, tag: 7, bytes: b"hello".to_vec() });
///     // Segments, of which each rank has its own: one element on the first, two on the second.
///     let mut parts = if rank == 0 { [1, 0, 0] } else { [0, 2, 3] };
///     ranks.all_gather(Buffer::U64(&mut parts), &[1, 2])?;
///     assert_eq!(parts, [1, 2, 3]);
///     Ok(())
/// })?;
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub trait Communicator {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// How they talk: `"mpi"`, `"threads"` or `"single"`.
    fn transport(&self) -> &'static str;

    /// Waits until all ranks are here.
    fn barrier(&self) -> Communicated;

    /// Gives all ranks what `root` has in the buffer.
    fn broadcast(&self, buffer: Buffer<'_>, root: usize) -> Communicated;

    /// Puts the elementwise reduction of all ranks' buffers in all of them. The order in which a sum is taken is not specified.
    fn all_reduce(&self, buffer: Buffer<'_>, reduction: Reduction) -> Communicated;

    /// Starts an [`all_reduce`](Communicator::all_reduce) of numbers that it owns meanwhile, and returns at once. Ranks start several
    /// in the same order, and other collectives may come between start and finish.
    fn start_all_reduce(&self, values: Values, reduction: Reduction) -> Communicated<Box<dyn Pending>>;

    /// As [`all_reduce`](Communicator::all_reduce), but each rank gets its own segment of the result only; the rest of its buffer
    /// is then undefined. Rank `r` owns the segment of `lengths[r]` elements behind those of the ranks before it.
    fn reduce_scatter(&self, buffer: Buffer<'_>, lengths: &[usize], reduction: Reduction) -> Communicated;

    /// Gives all ranks all segments, of which each brings its own, laid out as for [`reduce_scatter`](Communicator::reduce_scatter).
    fn all_gather(&self, buffer: Buffer<'_>, lengths: &[usize]) -> Communicated;

    /// Sends bytes to a rank. It returns before they are received, and keeps a copy until they are. Tags go up to [`MAX_TAG`].
    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated;

    /// Waits for a message, from any rank and of any tag where none is given.
    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message>;

    /// A message if one has come.
    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>>;

    /// Sends `out` to another rank, which calls this too, and puts what that sends in `into`, which has the length of its `out`.
    fn exchange(&self, with: usize, out: Buffer<'_>, into: Buffer<'_>) -> Communicated;

    /// The ranks of the same colour, in the order of their ranks here; called by all.
    fn split(&self, colour: u32) -> Communicated<Rc<dyn Communicator>>;

    /// The bytes that this rank sent so far, collectives as by their usual algorithms.
    fn bytes_sent(&self) -> u64;

    /// Ends all ranks with this rank's message.
    fn abort(&self, message: &str) -> !;
}
