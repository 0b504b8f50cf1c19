//! Sums with the same bits for any number of ranks.
//!
//! A sum over `S` *shards* is taken as a tree: `sum(0..S) = sum(0..m) + sum(m..S)`, `m` half of `S` rounded up, and so on. That is a
//! property of `S`, which belongs to the training; who computes which part of it, which belongs to the launch, changes no bit.
//! A rank has consecutive shards ([`owned`]). Where the number of ranks is a power of two, they are one part of the tree, and the
//! rest of it is summed by recursive halving and doubling, in which each pair of ranks adds its left and its right part: `2 (R − 1) / R`
//! times the bytes of a vector from each of `R` ranks, as of any all-reduce that is optimal. Otherwise a rank has several parts,
//! sends them segment by segment to the ranks that sum the segments, and these are gathered.

mod pending;

pub(crate) use pending::TreeSum;

use std::ops::Range;

use wengert_data::even_part;

use crate::communicator::{Communicated, Communicator, CommunicatorError, Shared, check_lengths};

/// The shards of which `rank` of `size` computes the vectors: all in order, shared out as evenly as parts of the tree allow.
///
/// ```
/// use wengert_distributed::tree;
///
/// assert_eq!(tree::owned(8, 1, 2), 4..8);
/// assert_eq!(tree::owned(8, 1, 3), 2..5);
/// ```
///
/// # Panics
///
/// Panics if there is no such rank.
#[track_caller]
pub fn owned(shards: usize, rank: usize, size: usize) -> Range<usize> {
    assert!(rank < size, "tree::owned: there is no rank {rank} among {size}");
    if !size.is_power_of_two() {
        return even_part(shards, rank, size);
    }
    let (mut part, mut ranks) = (0..shards, 0..size);
    while ranks.len() > 1 {
        let (left, right) = halves(&part);
        let half = ranks.start + ranks.len() / 2;
        (part, ranks) = if rank < half { (left, ranks.start..half) } else { (right, half..ranks.end) };
    }
    part
}

/// The sum of the vectors of `shards`, which are asked for in order: what one program computes without ranks.
///
/// At most one vector for each level of the tree is held at a time. The sum of no shards is empty.
///
/// # Errors
///
/// The first error of `vector`.
///
/// # Panics
///
/// Panics if the vectors have different lengths.
///
/// ```
/// use wengert_distributed::tree;
///
/// let squares = tree::sum(4, |shard| Ok::<_, std::convert::Infallible>(vec![(shard * shard) as f32; 2]));
/// assert_eq!(squares, Ok(vec![14.0, 14.0]));
/// ```
#[track_caller]
pub fn sum<T: Shared, E>(
    shards: usize,
    mut vector: impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    if shards == 0 { Ok(Vec::new()) } else { sum_part(0..shards, &mut vector) }
}

/// The same [`sum`], with the same bits, over all ranks of `communicator`: `vector` is asked for the [`owned`] shards of this one, in
/// order, for vectors of `length`, and all ranks are given the sum.
///
/// # Errors
///
/// Fewer shards than ranks, the first error of `vector`, or that of a communication.
///
/// # Panics
///
/// Panics if a vector does not have that length.
///
/// ```
/// use wengert_distributed::{CommunicatorError, threads, tree};
///
/// let vector = |shard: usize| Ok::<_, CommunicatorError>(vec![0.1 * shard as f32; 3]);
/// let alone = tree::sum(8, vector)?;
/// let sums = threads::run(3, |ranks| Ok(tree::all_reduce(&*ranks, 8, 3, vector)?))?;
/// assert_eq!(sums, vec![alone; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn all_reduce<T: Shared, E: From<CommunicatorError>>(
    communicator: &dyn Communicator,
    shards: usize,
    length: usize,
    mut vector: impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    let mut parts = own_parts("tree::all_reduce", communicator, shards, length, &mut vector)?;
    let (rank, size) = (communicator.rank(), communicator.size());
    if size.is_power_of_two() {
        let mut sum = parts.pop().unwrap_or_default();
        halve_and_double(communicator, &mut sum)?;
        return Ok(sum);
    }
    let segments = even_segments(length, size);
    let mut result = vec![T::default(); length];
    result[segments[rank].clone()].copy_from_slice(&sum_segment(communicator, shards, &segments, parts)?);
    let lengths: Vec<usize> = segments.iter().map(Range::len).collect();
    communicator.all_gather(T::buffer(&mut result), &lengths)?;
    Ok(result)
}

/// As [`all_reduce`], with the same bits, but each rank gets its own segment of the sum only: rank `r` the `lengths[r]` elements behind
/// those of the ranks before it.
///
/// # Errors
///
/// As [`all_reduce`], or if there is not a length for each rank.
///
/// # Panics
///
/// Panics if a vector does not have the length of all segments.
///
/// ```
/// use wengert_distributed::{CommunicatorError, threads, tree};
///
/// let vector = |shard: usize| Ok::<_, CommunicatorError>(vec![shard as f32, 0.5, 1.0]);
/// let segments = threads::run(2, |ranks| Ok(tree::reduce_scatter(&*ranks, 4, &[1, 2], vector)?))?;
/// assert_eq!(segments, [vec![6.0], vec![2.0, 4.0]]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
#[track_caller]
pub fn reduce_scatter<T: Shared, E: From<CommunicatorError>>(
    communicator: &dyn Communicator,
    shards: usize,
    lengths: &[usize],
    mut vector: impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    let length = lengths.iter().sum();
    check_lengths("tree::reduce_scatter", lengths, length, communicator.rank(), communicator.size())?;
    let parts = own_parts("tree::reduce_scatter", communicator, shards, length, &mut vector)?;
    Ok(sum_segment(communicator, shards, &behind_each_other(lengths), parts)?)
}

/// A segment of vectors of this length for each rank, as even as they can be.
fn even_segments(length: usize, size: usize) -> Vec<Range<usize>> {
    (0..size).map(|rank| even_part(length, rank, size)).collect()
}

/// What vectors have in a segment, one behind the other.
fn in_segment<T: Shared>(vectors: &[Vec<T>], segment: &Range<usize>) -> Vec<T> {
    let parts: Vec<&[T]> = vectors.iter().map(|vector| &vector[segment.clone()]).collect();
    parts.concat()
}

/// The vectors of these parts of the tree, each with the part's first shard, of numbers in which they stand one behind the other.
fn summands<T: Shared>(
    parts: &[Range<usize>],
    mut numbers: impl Iterator<Item = T>,
    length: usize,
) -> Vec<(usize, Vec<T>)> {
    parts.iter().map(|part| (part.start, numbers.by_ref().take(length).collect())).collect()
}

/// The places of segments of these lengths.
pub(crate) fn behind_each_other(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut end = 0;
    let segment = |length: &usize| {
        let start = end;
        end += length;
        start..end
    };
    lengths.iter().map(segment).collect()
}

/// The sums of the parts of the tree that this rank has, in order.
#[track_caller]
fn own_parts<T: Shared, E: From<CommunicatorError>>(
    operation: &'static str,
    communicator: &dyn Communicator,
    shards: usize,
    length: usize,
    vector: &mut impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Vec<Vec<T>>, E> {
    let (rank, size) = (communicator.rank(), communicator.size());
    if shards < size {
        let reason = format!("{shards} shards for {size} ranks");
        return Err(CommunicatorError::Mismatch { operation, reason }.into());
    }
    let mut parts = Vec::new();
    for part in whole_parts(shards, &owned(shards, rank, size)) {
        let sum = sum_part(part, vector)?;
        assert!(
            sum.len() == length,
            "{operation}: the vector of a shard has {} elements instead of {length}",
            sum.len()
        );
        parts.push(sum);
    }
    Ok(parts)
}

/// The two halves of a part with more than one shard.
fn halves(part: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = part.start + part.len().div_ceil(2);
    (part.start..middle, middle..part.end)
}

#[track_caller]
fn sum_part<T: Shared, E>(
    part: Range<usize>,
    vector: &mut impl FnMut(usize) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    if part.len() == 1 {
        return vector(part.start);
    }
    let (left, right) = halves(&part);
    let mut sum = sum_part(left, vector)?;
    let right = sum_part(right, vector)?;
    assert!(
        sum.len() == right.len(),
        "tree::sum: vectors of shards have {} and {} elements",
        sum.len(),
        right.len()
    );
    add(&mut sum, &right);
    Ok(sum)
}

fn add<T: Shared>(left: &mut [T], right: &[T]) {
    left.iter_mut().zip(right).for_each(|(left, &right)| *left += right);
}

/// The largest parts of the tree that are within `own`, in order.
fn whole_parts(shards: usize, own: &Range<usize>) -> Vec<Range<usize>> {
    fn collect(part: Range<usize>, own: &Range<usize>, whole: &mut Vec<Range<usize>>) {
        if own.start <= part.start && part.end <= own.end {
            whole.push(part);
        } else if part.start < own.end && own.start < part.end {
            let (left, right) = halves(&part);
            collect(left, own, whole);
            collect(right, own, whole);
        }
    }
    let mut whole = Vec::new();
    collect(0..shards, own, &mut whole);
    whole
}

/// Sums vectors, one of each rank, as the upper levels of the tree.
fn halve_and_double<T: Shared>(communicator: &dyn Communicator, sum: &mut [T]) -> Communicated {
    let (rank, size) = (communicator.rank(), communicator.size());
    let mut mine = 0..sum.len();
    let mut steps = Vec::new();
    let mut received = vec![T::default(); sum.len().div_ceil(2)];
    let mut distance = 1;
    while distance < size {
        let partner = rank ^ distance;
        let (left, right) = halves(&mine);
        let (keep, give) = if rank < partner { (left, right) } else { (right, left) };
        let received = &mut received[..keep.len()];
        communicator.exchange(partner, T::buffer(&mut sum[give.clone()]), T::buffer(received))?;
        let pairs = sum[keep.clone()].iter_mut().zip(received);
        if rank < partner {
            pairs.for_each(|(left, right)| *left += *right);
        } else {
            pairs.for_each(|(right, left)| *right = *left + *right);
        }
        steps.push((partner, keep.clone(), give));
        mine = keep;
        distance *= 2;
    }
    for (partner, keep, give) in steps.into_iter().rev() {
        let received = &mut received[..give.len()];
        communicator.exchange(partner, T::buffer(&mut sum[keep]), T::buffer(received))?;
        sum[give].copy_from_slice(received);
    }
    Ok(())
}

/// Sums the whole parts of all ranks, each rank its segment of the vectors.
fn sum_segment<T: Shared>(
    communicator: &dyn Communicator,
    shards: usize,
    segments: &[Range<usize>],
    parts: Vec<Vec<T>>,
) -> Communicated<Vec<T>> {
    let (rank, size) = (communicator.rank(), communicator.size());
    let mine = segments[rank].clone();
    let mut found: Vec<(usize, Vec<T>)> = Vec::new();
    // In each round, ranks are paired so that their numbers add up to the round's.
    for round in 0..size {
        let with = (round + size - rank) % size;
        let theirs = whole(shards, with, size);
        let mut out = in_segment(&parts, &segments[with]);
        let mut into = vec![T::default(); theirs.len() * mine.len()];
        communicator.exchange(with, T::buffer(&mut out), T::buffer(&mut into))?;
        match &theirs[..] {
            [part] => found.push((part.start, into)),
            _ => found.extend(summands(&theirs, into.into_iter(), mine.len())),
        }
    }
    Ok(sum_of_parts(shards, size, found))
}

/// The parts of the tree that a rank sums.
fn whole(shards: usize, rank: usize, size: usize) -> Vec<Range<usize>> {
    whole_parts(shards, &owned(shards, rank, size))
}

/// The sum over all shards, of those of the parts that the ranks have, with the first shard of each.
fn sum_of_parts<T: Shared>(shards: usize, size: usize, mut summands: Vec<(usize, Vec<T>)>) -> Vec<T> {
    summands.sort_unstable_by_key(|(start, _)| *start);
    let mut ends: Vec<Range<usize>> = (0..size).flat_map(|rank| whole(shards, rank, size)).collect();
    ends.sort_unstable_by_key(|part| part.start);
    sum_upwards(0..shards, &ends, &mut summands.into_iter())
}

/// The sum of a part of the tree, of which `whole` are the parts that are summed already.
fn sum_upwards<T: Shared>(
    part: Range<usize>,
    whole: &[Range<usize>],
    sums: &mut impl Iterator<Item = (usize, Vec<T>)>,
) -> Vec<T> {
    if whole.binary_search_by_key(&(part.start, part.end), |part| (part.start, part.end)).is_ok() {
        return sums.next().map(|(_, sum)| sum).unwrap_or_default();
    }
    let (left, right) = halves(&part);
    let mut sum = sum_upwards(left, whole, sums);
    add(&mut sum, &sum_upwards(right, whole, sums));
    sum
}
