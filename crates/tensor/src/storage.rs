//! Aligned buffers, recycled by a pool per thread, so that a steady training loop asks the system for nothing.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::element::Element;

/// Alignment of every buffer, in bytes: a cache line and the widest vector register.
pub const ALIGNMENT: usize = 64;

/// Bytes of released buffers that a thread's pool keeps at most; more is given back to the system.
const RETAINED_BYTES: usize = 1 << 30;

/// A fixed number of elements in aligned memory, all of them initialised at all times: a fresh buffer is zeroed,
/// a recycled one holds what its last owner left.
pub(crate) struct Storage<T: Element> {
    pointer: NonNull<u8>,
    length: usize,
    bytes: usize,
    elements: PhantomData<T>,
}

// SAFETY: a `Storage` owns its memory alone and hands it out by the rules of `&` and `&mut`.
unsafe impl<T: Element> Send for Storage<T> {}
// SAFETY: as above.
unsafe impl<T: Element> Sync for Storage<T> {}

impl<T: Element> Storage<T> {
    /// A buffer of `length` elements with unspecified (but initialised) contents.
    pub(crate) fn unspecified(length: usize) -> Self {
        let wanted = length.checked_mul(size_of::<T>()).expect("a buffer's size in bytes overflows");
        let bytes = size_class_bytes(wanted);
        let pointer = acquire(bytes);
        // A recycled buffer may hold any bytes, and not every byte is a `bool`.
        if T::NAME == "bool" {
            // SAFETY: the buffer is ours and has `bytes` bytes.
            unsafe { std::ptr::write_bytes(pointer.as_ptr(), 0, bytes) };
        }
        Storage { pointer, length, bytes, elements: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: the buffer holds at least `length` initialised elements, aligned for any element type; every
        // bit pattern that can be in it is valid for `T` (see `unspecified` for `bool`).
        unsafe { std::slice::from_raw_parts(self.pointer.cast().as_ptr(), self.length) }
    }

    #[inline(always)]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`; `&mut self` makes it the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.cast().as_ptr(), self.length) }
    }
}

impl<T: Element> Drop for Storage<T> {
    fn drop(&mut self) {
        release(self.pointer, self.bytes);
    }
}

/// What the calling thread has allocated and released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Buffers acquired and not yet released on this thread.
    pub live_buffers: isize,
    /// Bytes of those buffers.
    pub live_bytes: isize,
    /// The most that `live_bytes` has been since this thread started or called [`reset_peak`].
    pub peak_bytes: isize,
    /// Bytes of released buffers that wait in this thread's pool.
    pub pooled_bytes: usize,
    /// Times that this thread asked the system for memory, since it started.
    pub system_allocations: usize,
}

/// What the calling thread has allocated and released so far. A buffer released by another thread than the one
/// that acquired it counts down there.
///
/// ```
/// use wengert_tensor::{Tensor, memory};
/// let x = Tensor::<f32>::zeros([1000]);
/// let before = memory::stats();
/// for _ in 0..100 {
///     let _y = &x + 1.0;
/// }
/// let after = memory::stats();
/// assert_eq!(after.live_buffers, before.live_buffers);
/// assert!(after.system_allocations <= before.system_allocations + 1);
/// ```
pub fn stats() -> MemoryStats {
    POOL.with_borrow(|pool| pool.stats)
}

/// Starts the measurement of [`peak_bytes`](MemoryStats::peak_bytes) anew, from what is alive on this thread.
///
/// ```
/// use wengert_tensor::{Tensor, memory};
/// memory::reset_peak();
/// let before = memory::stats().live_bytes;
/// drop(Tensor::<f32>::zeros([1024]));
/// assert_eq!(memory::stats().peak_bytes - before, 4096);
/// memory::reset_peak();
/// assert_eq!(memory::stats().peak_bytes, before);
/// ```
pub fn reset_peak() {
    POOL.with_borrow_mut(|pool| pool.stats.peak_bytes = pool.stats.live_bytes);
}

/// Gives the calling thread's pooled buffers back to the system.
pub fn trim() {
    POOL.with_borrow_mut(Pool::clear);
}

struct Pool {
    /// Released buffers by size class.
    free: Vec<Vec<NonNull<u8>>>,
    stats: MemoryStats,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool {
        free: Vec::new(),
        stats: MemoryStats {
            live_buffers: 0,
            live_bytes: 0,
            peak_bytes: 0,
            pooled_bytes: 0,
            system_allocations: 0,
        },
    }) };
}

impl Pool {
    fn clear(&mut self) {
        for (class, free) in self.free.iter_mut().enumerate() {
            for pointer in free.drain(..) {
                deallocate(pointer, class_bytes(class));
            }
        }
        self.stats.pooled_bytes = 0;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.clear();
    }
}

fn acquire(bytes: usize) -> NonNull<u8> {
    let recycled = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        pool.stats.live_buffers += 1;
        pool.stats.live_bytes += bytes as isize;
        pool.stats.peak_bytes = pool.stats.peak_bytes.max(pool.stats.live_bytes);
        let found = pool.free.get_mut(size_class(bytes)).and_then(Vec::pop);
        match found {
            Some(_) => pool.stats.pooled_bytes -= bytes,
            None => pool.stats.system_allocations += 1,
        }
        found
    });
    match recycled {
        Ok(Some(pointer)) => pointer,
        // The pool is empty, or this thread is ending and its pool is gone.
        _ => allocate(bytes),
    }
}

fn release(pointer: NonNull<u8>, bytes: usize) {
    let kept = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        pool.stats.live_buffers -= 1;
        pool.stats.live_bytes -= bytes as isize;
        if pool.stats.pooled_bytes + bytes > RETAINED_BYTES {
            return false;
        }
        let class = size_class(bytes);
        if pool.free.len() <= class {
            pool.free.resize_with(class + 1, Vec::new);
        }
        pool.free[class].push(pointer);
        pool.stats.pooled_bytes += bytes;
        true
    });
    if !matches!(kept, Ok(true)) {
        deallocate(pointer, bytes);
    }
}

fn allocate(bytes: usize) -> NonNull<u8> {
    let layout = layout(bytes);
    // SAFETY: the layout's size is at least `ALIGNMENT`, so not zero.
    NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

fn deallocate(pointer: NonNull<u8>, bytes: usize) {
    // SAFETY: `pointer` came from `allocate` with the same number of bytes, and its owner is gone.
    unsafe { dealloc(pointer.as_ptr(), layout(bytes)) }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, ALIGNMENT).expect("a buffer's size in bytes overflows")
}

/// Sizes are rounded up to four steps per power of two, from 64 bytes: at most a quarter is wasted.
fn size_class(bytes: usize) -> usize {
    let units = bytes.div_ceil(ALIGNMENT).max(1);
    if units <= 4 {
        return units - 1;
    }
    let shift = (units - 1).ilog2() - 2;
    ((units - 1) >> shift) + 4 * shift as usize
}

fn class_bytes(class: usize) -> usize {
    if class < 4 {
        return (class + 1) * ALIGNMENT;
    }
    let shift = class / 4 - 1;
    ((class % 4 + 5) << shift) * ALIGNMENT
}

fn size_class_bytes(bytes: usize) -> usize {
    class_bytes(size_class(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_are_monotonic_tight_and_invertible() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, (1 << 30) + 12345]) {
            let rounded = size_class_bytes(bytes);
            assert!(rounded >= bytes && rounded <= bytes + bytes / 4 + ALIGNMENT, "{bytes} -> {rounded}");
            assert_eq!(size_class_bytes(rounded), rounded);
        }
    }

    #[test]
    fn buffers_are_aligned_recycled_and_counted() {
        trim();
        let start = stats();
        let first = Storage::<f32>::unspecified(1000);
        assert_eq!(first.as_slice().as_ptr() as usize % ALIGNMENT, 0);
        assert_eq!(first.as_slice(), [0.0; 1000]);
        assert_eq!(stats().live_buffers, start.live_buffers + 1);
        let address = first.as_slice().as_ptr() as usize;
        drop(first);
        let again = Storage::<f32>::unspecified(999);
        assert_eq!(again.as_slice().as_ptr() as usize, address);
        assert_eq!(stats().system_allocations, start.system_allocations + 1);
    }

    #[test]
    fn recycled_bytes_are_valid_bools() {
        let mut ints = Storage::<u32>::unspecified(64);
        ints.as_mut_slice().fill(u32::MAX);
        drop(ints);
        assert!(Storage::<bool>::unspecified(256).as_slice().iter().all(|&b| !b));
    }

    #[test]
    fn buffers_may_be_released_by_another_thread() {
        let x = Storage::<f64>::unspecified(10);
        std::thread::spawn(move || drop(x)).join().unwrap();
    }

    #[test]
    fn empty_buffers() {
        assert!(Storage::<f64>::unspecified(0).as_slice().is_empty());
    }
}
