//! Bytes that communications cost, by their usual algorithms; and the checks that all transports share.

use std::cell::Cell;
use std::rc::Rc;

use super::{Communicated, CommunicatorError, MAX_TAG};

/// What a rank sent so far, shared by the communicators that were split from one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Rc<Cell<u64>>);

impl Traffic {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.get()
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.set(self.0.get() + bytes as u64);
    }

    /// A broadcast along a binomial tree: the ranks that have the numbers double with each step.
    pub(crate) fn broadcast(&self, bytes: usize, rank: usize, root: usize, size: usize) {
        let place = (rank + size - root) % size;
        let steps = std::iter::successors(Some(1), |step: &usize| step.checked_mul(2));
        self.add(bytes * steps.take_while(|step| place + step < size).filter(|&step| step > place).count());
    }

    /// A ring, or recursive halving and doubling: twice all but one part of `size`.
    pub(crate) fn all_reduce(&self, bytes: usize, size: usize) {
        self.add(2 * (bytes - bytes / size));
    }

    /// All segments but the own go to their owners.
    pub(crate) fn reduce_scatter(&self, width: usize, lengths: &[usize], rank: usize) {
        self.add(width * (lengths.iter().sum::<usize>() - lengths[rank]));
    }

    /// A ring: a rank passes on all segments but the one of the rank behind it.
    pub(crate) fn all_gather(&self, width: usize, lengths: &[usize], rank: usize) {
        let behind = (rank + 1) % lengths.len();
        self.add(width * (lengths.iter().sum::<usize>() - lengths[behind]));
    }
}

pub(crate) fn check_rank(operation: &'static str, rank: usize, size: usize) -> Communicated {
    if rank < size { Ok(()) } else { Err(CommunicatorError::NoSuchRank { operation, rank, size }) }
}

pub(crate) fn check_tag(operation: &'static str, tag: u32) -> Communicated {
    if tag <= MAX_TAG { Ok(()) } else { Err(CommunicatorError::NoSuchTag { operation, tag }) }
}

/// What a rank wants to receive: from a rank and of a tag that there are, where they are given.
pub(crate) fn check_envelope(
    operation: &'static str,
    from: Option<usize>,
    tag: Option<u32>,
    size: usize,
) -> Communicated {
    from.map_or(Ok(()), |from| check_rank(operation, from, size))?;
    tag.map_or(Ok(()), |tag| check_tag(operation, tag))
}

/// That `lengths` has one for each rank and that they make up the buffer; the start of `rank`'s segment.
pub(crate) fn check_lengths(
    operation: &'static str,
    lengths: &[usize],
    buffer: usize,
    rank: usize,
    size: usize,
) -> Communicated<usize> {
    let fits = lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length)) == Some(buffer);
    if lengths.len() != size {
        let reason = format!("{} segments for {size} ranks", lengths.len());
        Err(CommunicatorError::Mismatch { operation, reason })
    } else if !fits {
        let reason = format!("segments of {lengths:?} do not make up the buffer's {buffer} elements");
        Err(CommunicatorError::Mismatch { operation, reason })
    } else {
        Ok(lengths[..rank].iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(size: usize, count: impl Fn(&Traffic, usize)) -> u64 {
        let each = (0..size).map(|rank| {
            let traffic = Traffic::default();
            count(&traffic, rank);
            traffic.bytes()
        });
        each.sum()
    }

    #[test]
    fn all_but_the_root_are_sent_a_broadcast_once() {
        for size in 1..20 {
            for root in 0..size {
                let sent = total(size, |traffic, rank| traffic.broadcast(8, rank, root, size));
                assert_eq!(sent, 8 * (size as u64 - 1), "{size} ranks, root {root}");
            }
        }
    }

    #[test]
    fn segments_are_sent_to_all_that_lack_them() {
        let lengths = [3, 0, 5, 4];
        assert_eq!(total(4, |traffic, rank| traffic.reduce_scatter(4, &lengths, rank)), 4 * 3 * 12);
        assert_eq!(total(4, |traffic, rank| traffic.all_gather(4, &lengths, rank)), 4 * 3 * 12);
        assert_eq!(total(4, |traffic, _| traffic.all_reduce(48, 4)), 4 * 2 * 36);
        assert_eq!(total(1, |traffic, _| traffic.all_reduce(48, 1)), 0);
    }
}
