//! Memory that is asked for before it is needed.

/// Bytes of a cache line.
const LINE: usize = 64;
/// Bytes that are asked for at most: what comes later would find its line gone again.
const MOST: usize = 1 << 14;

/// How many rows ahead a loop asks that takes them from places that a CPU cannot foresee.
pub(crate) const AHEAD: usize = 3;

/// Asks for the `part`-th of so many parts of the elements to be brought into the cache. A CPU fetches ahead by itself within a page
/// of memory only, which the rows of many matrices are; but it has few places for lines that are under way, so that one who asks for a whole
/// row at once waits. A loop over rows asks for a part of the next before each of the passes over a row.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T], part: usize, parts: usize) {
    let lines = size_of_val(values).min(MOST) / LINE;
    #[cfg(target_arch = "x86_64")]
    for line in part * lines / parts..(part + 1) * lines / parts {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 CPU has the instruction, which reads nothing and never faults; the address is in the slice.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().add(line * LINE)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (part, parts, lines);
}
