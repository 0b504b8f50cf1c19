//! A process's communicator.

use std::cell::RefCell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::rc::Rc;

use mpi::ffi;

use super::environment::{Environment, abort_with, check};
use super::pending::{Reducing, Spare};
use super::requests::in_turn;
use super::{MOST, count, operation, parts};
use crate::communicator::single::exchange_with_itself;
use crate::communicator::traffic::{Traffic, check_envelope, check_lengths, check_rank, check_tag};
use crate::communicator::{
    Buffer, Communicated, Communicator, CommunicatorError, Message, Pending, Reduction, Values,
};

/// Bytes that are reduced at a time: so many stay in a core's cache while they are copied, as MPI reduces from one buffer to another.
const CHUNK: usize = 1 << 20;

/// A process among those that a launcher such as `mpirun` started, by [`mpi::world`](super::world).
///
/// Ranks that call different collectives, or with buffers that do not fit, are not found out as those of
/// [`threads`](crate::threads) are: what then happens is up to the library, which often waits for ever. Try a new program on
/// threads first.
pub struct Mpi {
    rank: usize,
    size: usize,
    /// Collectives and exchanges.
    together: Rc<Handle>,
    /// Messages, which have tags that exchanges must not meet.
    messages: Handle,
    traffic: Traffic,
    /// What MPI reduces from.
    chunk: RefCell<Vec<u64>>,
    spare: Rc<Spare>,
    environment: Rc<Environment>,
}

/// An MPI communicator of our own.
pub(super) struct Handle(pub(super) ffi::MPI_Comm);

impl Handle {
    /// One with the same ranks, whose messages do not mix with the other's.
    fn copy_of(communicator: ffi::MPI_Comm) -> Communicated<Self> {
        // SAFETY: a communicator is a plain handle or pointer, which MPI_Comm_dup writes.
        let mut copy = unsafe { std::mem::zeroed() };
        // SAFETY: the communicator is one that has not been freed.
        check("MPI_Comm_dup", || unsafe { ffi::MPI_Comm_dup(communicator, &mut copy) })?;
        Ok(Self(copy))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // While unwinding, the other ranks may not come to this.
        if !std::thread::panicking() {
            // SAFETY: MPI runs, as the environment is dropped after its communicators; the handle is ours, and not used again.
            in_turn(|| unsafe { ffi::MPI_Comm_free(&mut self.0) });
        }
    }
}

impl Mpi {
    pub(super) fn of_world(environment: Rc<Environment>) -> Communicated<Self> {
        // SAFETY: MPI runs.
        let world = Handle::copy_of(unsafe { ffi::RSMPI_COMM_WORLD })?;
        Self::new(environment, world, Traffic::default())
    }

    fn new(environment: Rc<Environment>, together: Handle, traffic: Traffic) -> Communicated<Self> {
        let (mut rank, mut size) = (0, 0);
        // SAFETY: the communicator is ours; these write one number each.
        unsafe {
            check("MPI_Comm_rank", || ffi::MPI_Comm_rank(together.0, &mut rank))?;
            check("MPI_Comm_size", || ffi::MPI_Comm_size(together.0, &mut size))?;
        }
        Ok(Self {
            rank: rank as usize,
            size: size as usize,
            messages: Handle::copy_of(together.0)?,
            together: Rc::new(together),
            traffic,
            chunk: RefCell::default(),
            spare: Rc::default(),
            environment,
        })
    }

    /// `source` and `tag` as MPI takes them.
    fn envelope(
        &self,
        operation: &'static str,
        from: Option<usize>,
        tag: Option<u32>,
    ) -> Communicated<(c_int, c_int)> {
        check_envelope(operation, from, tag, self.size)?;
        // SAFETY: these are constants of the library.
        let (any_source, any_tag) = unsafe { (ffi::RSMPI_ANY_SOURCE, ffi::RSMPI_ANY_TAG) };
        Ok((from.map_or(any_source, |from| from as c_int), tag.map_or(any_tag, |tag| tag as c_int)))
    }

    /// Receives the message that a probe has found.
    fn take(&self, mut message: ffi::MPI_Message, mut status: ffi::MPI_Status) -> Communicated<Message> {
        let mut length = 0;
        // SAFETY: the status is that of the probe; the bytes have room for what it found.
        let bytes = unsafe {
            check("MPI_Get_count", || ffi::MPI_Get_count(&status, ffi::RSMPI_UINT8_T, &mut length))?;
            let mut bytes = vec![0u8; usize::try_from(length).unwrap_or(0)];
            let (start, kind) = (bytes.as_mut_ptr().cast(), ffi::RSMPI_UINT8_T);
            check("MPI_Mrecv", || ffi::MPI_Mrecv(start, length, kind, &mut message, &mut status))?;
            bytes
        };
        Ok(Message { from: status.MPI_SOURCE as usize, tag: status.MPI_TAG as u32, bytes })
    }
}

/// The pieces of a buffer of `length` elements, `most` at a time, as starts and lengths.
fn pieces(length: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..length).step_by(most).map(move |start| (start, most.min(length - start)))
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn transport(&self) -> &'static str {
        "mpi"
    }

    fn barrier(&self) -> Communicated {
        // SAFETY: the communicator is ours.
        check("MPI_Barrier", || unsafe { ffi::MPI_Barrier(self.together.0) })
    }

    fn broadcast(&self, mut buffer: Buffer<'_>, root: usize) -> Communicated {
        check_rank("broadcast", root, self.size)?;
        self.traffic.broadcast(buffer.len() * buffer.width(), self.rank, root, self.size);
        for (start, length) in pieces(buffer.len(), MOST) {
            let (at, kind) = parts(&mut buffer.segment(start, length));
            // SAFETY: `length` elements of this kind are borrowed.
            check("MPI_Bcast", || unsafe {
                ffi::MPI_Bcast(at, length as c_int, kind, root as c_int, self.together.0)
            })?;
        }
        Ok(())
    }

    fn all_reduce(&self, mut buffer: Buffer<'_>, reduction: Reduction) -> Communicated {
        let width = buffer.width();
        self.traffic.all_reduce(buffer.len() * width, self.size);
        let mut chunk = self.chunk.borrow_mut();
        let room = CHUNK.min(buffer.len() * width).div_ceil(8).max(chunk.len());
        chunk.resize(room, 0);
        for (start, length) in pieces(buffer.len(), CHUNK / width) {
            let (at, kind) = parts(&mut buffer.segment(start, length));
            let from = chunk.as_mut_ptr();
            // SAFETY: the chunk has room for these bytes and is aligned for all kinds; it and the buffer do not overlap.
            check("MPI_Allreduce", || unsafe {
                std::ptr::copy_nonoverlapping(at.cast::<u8>(), from.cast::<u8>(), length * width);
                let operation = operation(reduction);
                ffi::MPI_Allreduce(from.cast(), at, length as c_int, kind, operation, self.together.0)
            })?;
        }
        Ok(())
    }

    fn start_all_reduce(&self, values: Values, reduction: Reduction) -> Communicated<Box<dyn Pending>> {
        self.traffic.all_reduce(values.bytes(), self.size);
        let (environment, together, spare) =
            (self.environment.clone(), self.together.clone(), self.spare.clone());
        Ok(Box::new(Reducing::start(environment, together, spare, values, reduction)?))
    }

    fn reduce_scatter(
        &self,
        mut buffer: Buffer<'_>,
        lengths: &[usize],
        reduction: Reduction,
    ) -> Communicated {
        let start = check_lengths("reduce_scatter", lengths, buffer.len(), self.rank, self.size)?;
        self.traffic.reduce_scatter(buffer.width(), lengths, self.rank);
        count("reduce_scatter", buffer.len())?;
        let counts: Vec<c_int> = lengths.iter().map(|&length| length as c_int).collect();
        let mut values = buffer.to_values();
        let (from, kind) = parts(&mut values.buffer());
        let (into, _) = parts(&mut buffer.segment(start, lengths[self.rank]));
        // SAFETY: the values make up all segments, the buffer's segment is this rank's, and they do not overlap.
        check("MPI_Reduce_scatter", || unsafe {
            ffi::MPI_Reduce_scatter(from, into, counts.as_ptr(), kind, operation(reduction), self.together.0)
        })
    }

    fn all_gather(&self, mut buffer: Buffer<'_>, lengths: &[usize]) -> Communicated {
        let start = check_lengths("all_gather", lengths, buffer.len(), self.rank, self.size)?;
        self.traffic.all_gather(buffer.width(), lengths, self.rank);
        count("all_gather", buffer.len())?;
        let counts: Vec<c_int> = lengths.iter().map(|&length| length as c_int).collect();
        let starts: Vec<c_int> =
            counts.iter().scan(0, |end, count| Some(std::mem::replace(end, *end + count))).collect();
        let mut own = buffer.segment(start, lengths[self.rank]).to_values();
        let (from, kind) = parts(&mut own.buffer());
        let (into, _) = parts(&mut buffer);
        // SAFETY: the segments make up the buffer, `own` is a copy of this rank's.
        check("MPI_Allgatherv", || unsafe {
            let (count, counts, starts) = (counts[self.rank], counts.as_ptr(), starts.as_ptr());
            ffi::MPI_Allgatherv(from, count, kind, into, counts, starts, kind, self.together.0)
        })
    }

    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated {
        check_rank("send", to, self.size)?;
        check_tag("send", tag)?;
        self.traffic.add(if to == self.rank { 0 } else { bytes.len() });
        self.environment.outbox.send(self.messages.0, to as c_int, tag as c_int, bytes)
    }

    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message> {
        let (source, tag) = self.envelope("receive", from, tag)?;
        self.environment.outbox.tidy()?;
        // SAFETY: a message is a plain handle or pointer and a status a struct of numbers, which MPI_Mprobe writes.
        let (mut message, mut status) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        // SAFETY: the communicator is ours.
        check("MPI_Mprobe", || unsafe {
            ffi::MPI_Mprobe(source, tag, self.messages.0, &mut message, &mut status)
        })?;
        self.take(message, status)
    }

    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>> {
        let (source, tag) = self.envelope("try_receive", from, tag)?;
        self.environment.outbox.tidy()?;
        let mut found = 0;
        // SAFETY: as in `receive`; if nothing is found, they are not looked at.
        let (mut message, mut status) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        // SAFETY: the communicator is ours.
        check("MPI_Improbe", || unsafe {
            ffi::MPI_Improbe(source, tag, self.messages.0, &mut found, &mut message, &mut status)
        })?;
        if found == 0 { Ok(None) } else { self.take(message, status).map(Some) }
    }

    fn exchange(&self, with: usize, mut out: Buffer<'_>, mut into: Buffer<'_>) -> Communicated {
        check_rank("exchange", with, self.size)?;
        if with == self.rank {
            return exchange_with_itself(&out, &mut into);
        }
        self.traffic.add(out.len() * out.width());
        let (sent, room) = (out.len(), into.len());
        let mut start = 0;
        loop {
            let piece = |length: usize| (start.min(length), MOST.min(length - start.min(length)));
            let ((send, send_length), (receive, receive_length)) = (piece(sent), piece(room));
            let (from, from_kind) = parts(&mut out.segment(send, send_length));
            let (at, at_kind) = parts(&mut into.segment(receive, receive_length));
            let mut status = MaybeUninit::<ffi::MPI_Status>::zeroed();
            let mut received = 0;
            // SAFETY: both are borrowed, one mutably, so that they do not overlap; what is longer than there is room for is an error.
            unsafe {
                check("exchange", || {
                    ffi::MPI_Sendrecv(
                        from,
                        send_length as c_int,
                        from_kind,
                        with as c_int,
                        0,
                        at,
                        receive_length as c_int,
                        at_kind,
                        with as c_int,
                        0,
                        self.together.0,
                        status.as_mut_ptr(),
                    )
                })?;
                check("MPI_Get_count", || ffi::MPI_Get_count(status.as_ptr(), at_kind, &mut received))?;
            }
            if usize::try_from(received) != Ok(receive_length) {
                let reason = format!(
                    "{received} elements of {} were received where there is room for {receive_length}",
                    into.kind()
                );
                return Err(CommunicatorError::Mismatch { operation: "exchange", reason });
            }
            start += MOST;
            if start >= sent.max(room) {
                return Ok(());
            }
        }
    }

    fn split(&self, colour: u32) -> Communicated<Rc<dyn Communicator>> {
        // MPI's colours end at 2^31 - 1, so they are numbered.
        let mut colours = vec![0u64; self.size];
        colours[self.rank] = colour.into();
        self.all_gather(Buffer::U64(&mut colours), &vec![1; self.size])?;
        colours.sort_unstable();
        colours.dedup();
        let number = colours.partition_point(|&other| other < u64::from(colour));
        // SAFETY: as in `Handle::copy_of`.
        let mut group = unsafe { std::mem::zeroed() };
        // SAFETY: the communicator is ours.
        check("MPI_Comm_split", || unsafe {
            ffi::MPI_Comm_split(self.together.0, number as c_int, self.rank as c_int, &mut group)
        })?;
        Ok(Rc::new(Self::new(self.environment.clone(), Handle(group), self.traffic.clone())?))
    }

    fn bytes_sent(&self) -> u64 {
        self.traffic.bytes()
    }

    fn abort(&self, message: &str) -> ! {
        abort_with(message)
    }
}
