//! Packing buffers, recycled per thread.

use std::cell::Cell;

use crate::array::element::Float;

/// A cache line: the unit and the alignment of the buffers.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Which of a thread's buffers to use.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    /// A packed block of the left operand.
    Left,
    /// A packed block of the right operand.
    Right,
    /// An image with its padding.
    Image,
    /// A product before it is cut out of the rows that it was computed in.
    Product,
    /// What lives through a whole operation of several products.
    Operation,
}

thread_local! {
    static BUFFERS: [Cell<Vec<Line>>; 5] = const { [const { Cell::new(Vec::new()) }; 5] };
}

/// Calls `work` with a buffer of at least `len` elements, aligned to a cache line, whose contents are any
/// former ones. The buffer is the thread's own and stays allocated; nested uses of a slot get a fresh one.
///
/// # Panics
/// If the system has no such memory, also for lengths that were counted wrongly and overflow here.
pub(crate) fn with_scratch<T: Float, R>(slot: Slot, len: usize, work: impl FnOnce(*mut T) -> R) -> R {
    let mut buffer = BUFFERS.with(|b| b[slot as usize].take());
    let lines = len.div_ceil(64 / size_of::<T>());
    if buffer.len() < lines {
        // Given back first, so that the two are never there together.
        buffer = Vec::new();
        if buffer.try_reserve_exact(lines).is_err() {
            panic!("a work buffer of {len} elements takes more memory than the system has");
        }
        buffer.resize(lines, Line([0; 64]));
    }
    let result = work(buffer.as_mut_ptr().cast());
    BUFFERS.with(|b| b[slot as usize].set(buffer));
    result
}
