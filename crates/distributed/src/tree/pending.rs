//! A sum of the tree that goes on while its ranks do something else.

use std::ops::Range;
use std::rc::Rc;

use super::{even_segments, own_parts, sum_of_parts, summands, whole};
use crate::communicator::{Communicated, Communicator, CommunicatorError, MAX_TAG, Shared};
use crate::wire::{bytes, numbers};

/// Tags of the messages: two for each of so many sums that may be under way together.
const FIRST_TAG: u32 = MAX_TAG - 4 - 2 * AT_ONCE;
const AT_ONCE: u32 = 4096;

/// A sum over shards, with the bits of [`all_reduce`](super::all_reduce): of what all ranks bring, each sums a segment, and sends it to
/// all. It is made of messages, which go on by themselves or when a rank looks for those to it.
pub(crate) struct TreeSum<T: Shared> {
    communicator: Rc<dyn Communicator>,
    shards: usize,
    segments: Vec<Range<usize>>,
    tag: u32,
    /// The message of each rank with its parts of the tree in this one's segment, as they stand in the tree; none if it did not come yet.
    parts: Vec<Option<Vec<u8>>>,
    /// The sum, and the ranks whose segments of it are still to come; none before the own is summed.
    sum: Vec<T>,
    missing: Option<Vec<usize>>,
}

impl<T: Shared> TreeSum<T> {
    /// Starts sum number `number`, of vectors of `length`; ranks start several in the same order.
    pub(crate) fn start(
        communicator: Rc<dyn Communicator>,
        shards: usize,
        vectors: Vec<Vec<T>>,
        number: u64,
    ) -> Communicated<Self> {
        let (rank, size) = (communicator.rank(), communicator.size());
        let length = vectors.first().map_or(0, Vec::len);
        let mut vectors = vectors.into_iter();
        let own = own_parts("tree", &*communicator, shards, length, &mut |_| {
            Ok::<_, CommunicatorError>(vectors.next().unwrap_or_default())
        })?;
        let segments = even_segments(length, size);
        let tag = FIRST_TAG + 2 * (number % u64::from(AT_ONCE)) as u32;
        // Ranks are begun with that of the next number, so that not all send to the same.
        for other in (rank + 1..size).chain(0..rank) {
            communicator.send(other, tag, &message(&own, &segments[other]))?;
        }
        let mut parts = vec![None; size];
        parts[rank] = Some(message(&own, &segments[rank]));
        let sum = vec![T::default(); length];
        Ok(TreeSum { communicator, shards, segments, tag, parts, sum, missing: None })
    }

    /// Takes what has come, or waits for all.
    fn advance(&mut self, wait: bool) -> Communicated<bool> {
        for rank in 0..self.parts.len() {
            if self.parts[rank].is_none() {
                match self.message(rank, self.tag, wait)? {
                    None => return Ok(false),
                    came => self.parts[rank] = came,
                }
            }
        }
        if self.missing.is_none() {
            self.sum_segment()?;
        }
        while let Some(rank) = self.missing.as_ref().and_then(|missing| missing.last().copied()) {
            let Some(bytes) = self.message(rank, self.tag + 1, wait)? else { return Ok(false) };
            let segment = &mut self.sum[self.segments[rank].clone()];
            if bytes.len() != size_of_val(segment) {
                let reason =
                    format!("a segment of {} bytes instead of {} elements", bytes.len(), segment.len());
                return Err(CommunicatorError::Mismatch { operation: "tree", reason });
            }
            segment.iter_mut().zip(numbers(&bytes)).for_each(|(sum, number)| *sum = number);
            self.missing.as_mut().map(Vec::pop);
        }
        Ok(true)
    }

    fn message(&self, from: usize, tag: u32, wait: bool) -> Communicated<Option<Vec<u8>>> {
        let message = match wait {
            true => Some(self.communicator.receive(Some(from), Some(tag))?),
            false => self.communicator.try_receive(Some(from), Some(tag))?,
        };
        Ok(message.map(|message| message.bytes))
    }

    /// Sums the own segment, and sends it to all.
    fn sum_segment(&mut self) -> Communicated {
        let (rank, size) = (self.communicator.rank(), self.communicator.size());
        let mine = self.segments[rank].clone();
        let mut found = Vec::new();
        for (of, sent) in self.parts.iter_mut().enumerate() {
            let (whole, sent) = (whole(self.shards, of, size), sent.replace(Vec::new()).unwrap_or_default());
            if sent.len() != whole.len() * mine.len() * size_of::<T>() {
                let reason =
                    format!("{} bytes instead of {} times {} elements", sent.len(), whole.len(), mine.len());
                return Err(CommunicatorError::Mismatch { operation: "tree", reason });
            }
            found.extend(summands(&whole, numbers(&sent), mine.len()));
        }
        let sum = sum_of_parts(self.shards, size, found);
        let message = bytes(&sum);
        let others = || (rank + 1..size).chain(0..rank);
        for other in others() {
            self.communicator.send(other, self.tag + 1, &message)?;
        }
        self.sum[mine].copy_from_slice(&sum);
        self.missing = Some(others().collect());
        Ok(())
    }

    /// Lets it go on; whether it is at its end.
    pub(crate) fn progress(&mut self) -> Communicated<bool> {
        self.advance(false)
    }

    /// Waits for the sum.
    pub(crate) fn finish(mut self) -> Communicated<Vec<T>> {
        self.advance(true)?;
        Ok(self.sum)
    }
}

/// What vectors have in a segment, one behind the other, as a message.
fn message<T: Shared>(vectors: &[Vec<T>], segment: &Range<usize>) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = vectors.iter().map(|vector| bytes(&vector[segment.clone()])).collect();
    match <[Vec<u8>; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => parts.concat(),
    }
}
