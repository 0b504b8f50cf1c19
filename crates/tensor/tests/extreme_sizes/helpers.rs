//! Sizes, and what may come of a call with them.

use std::fmt::Display;

use wengert_tensor::size::MAX_ELEMENTS;

use super::panics::outcome;

/// Lengths of an axis and counts: small ones, and such as no memory holds, about every limit.
pub(crate) const SIZES: [usize; 19] = [
    0,
    1,
    2,
    3,
    1 << 32,
    (1 << 32) + 1,
    1 << 48,
    MAX_ELEMENTS,
    MAX_ELEMENTS + 1,
    (1 << 62) - 1,
    1 << 62,
    isize::MAX as usize - 1,
    isize::MAX as usize,
    1 << 63,
    usize::MAX / 8 * 7,
    usize::MAX / 8 * 7 + 1,
    usize::MAX - 63,
    usize::MAX - 1,
    usize::MAX,
];

/// Positions and offsets.
pub(crate) const OFFSETS: [isize; 15] = [
    isize::MIN,
    isize::MIN + 1,
    -(1 << 32),
    -4,
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    4,
    1 << 32,
    isize::MAX - 1,
    isize::MAX,
];

/// What is known of a tensor of these lengths before it is made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fate {
    /// It is small.
    Made,
    /// There is no such tensor, or no machine has the memory.
    Refused,
    /// Some machines have the memory.
    Unknown,
}

/// The fate of a tensor of these lengths: one in memory, or a view.
pub(crate) fn fate(lengths: &[usize], in_memory: bool) -> Fate {
    let product = |f: fn(usize) -> usize| lengths.iter().fold(1u128, |n, &d| n.saturating_mul(f(d) as u128));
    let elements = product(|d| d);
    if product(|d| d.max(1)) > MAX_ELEMENTS as u128 || in_memory && elements >= 1 << 48 {
        Fate::Refused
    } else if !in_memory || elements <= 1 << 20 {
        Fate::Made
    } else {
        Fate::Unknown
    }
}

/// What `work` gives, or `None` after a panic that names the operation, all of the sizes and a line of these tests.
#[track_caller]
pub(crate) fn given<R>(operation: &str, sizes: &[&dyn Display], work: impl FnOnce() -> R) -> Option<R> {
    match outcome(work) {
        Ok(result) => Some(result),
        Err(panic) => {
            let message = &panic.message;
            assert!(message.starts_with(operation), "{operation} does not begin {message:?}");
            for size in sizes {
                assert!(message.contains(&size.to_string()), "{message:?} does not name {size}");
            }
            let place = format!("{}:{}", panic.file, panic.line);
            assert!(place.contains("extreme_sizes"), "{message:?} points at {place}");
            None
        }
    }
}

/// Asserts that `work` panics as [`given`] wants it.
#[track_caller]
pub(crate) fn refused<R>(operation: &str, sizes: &[&dyn Display], work: impl FnOnce() -> R) {
    let sizes_text = || sizes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(given(operation, sizes, work).is_none(), "{operation} accepts {:?}", sizes_text());
}

/// What `work` gives for a result of these lengths, after a check against its fate.
#[track_caller]
pub(crate) fn fated<R>(
    operation: &str,
    lengths: &[usize],
    in_memory: bool,
    sizes: &[&dyn Display],
    work: impl FnOnce() -> R,
) -> Option<R> {
    match fate(lengths, in_memory) {
        Fate::Unknown => None,
        Fate::Refused => {
            refused(operation, sizes, work);
            None
        }
        Fate::Made => Some(work()),
    }
}
