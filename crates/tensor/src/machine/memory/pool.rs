//! Released blocks, kept by the thread that made them, so that a steady training loop asks the system for nothing.
//!
//! A pool holds blocks of its own thread alone. What another thread drops goes back to its maker (see
//! [`returned`](super::returned)): a thread that only drops tensors keeps nothing of them, and one that makes batches
//! for another finds their memory again.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::Arc;

use super::{ALIGNMENT, large_pages, returned};

/// Bytes of released blocks that a thread's pool keeps at most; more is given back to the system.
pub(super) const RETAINED_BYTES: usize = if cfg!(test) { 1 << 24 } else { 1 << 30 };

/// From this size on the system hands out pages that are zero once they are touched, so none has to be written to begin with.
const FRESH_PAGES: usize = 1 << 17;

/// Aligned, initialised memory of the size of a class, with the number of the thread that made it.
pub(crate) struct Block {
    start: NonNull<u8>,
    /// What the system gave, of which `start` is the first aligned byte.
    given: NonNull<u8>,
    bytes: usize,
    /// 0 if the thread was ending.
    maker: u64,
}

// SAFETY: a block owns its memory alone.
unsafe impl Send for Block {}

// SAFETY: shared, it gives no more than its address and its numbers.
unsafe impl Sync for Block {}

impl Block {
    /// The first byte.
    #[inline(always)]
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the thread that made it.
    pub(super) fn maker(&self) -> u64 {
        self.maker
    }

    /// Zeroed memory from the system, if it has any.
    fn allocate(bytes: usize, maker: u64) -> Option<Arc<Block>> {
        let layout = Block::layout(bytes)?;
        if bytes < FRESH_PAGES {
            // SAFETY: the size of a class is at least `ALIGNMENT`, so not zero.
            let start = NonNull::new(unsafe { alloc(layout) })?;
            // SAFETY: the block was just allocated with so many bytes.
            unsafe { start.write_bytes(0, bytes) };
            return Some(Arc::new(Block { start, given: start, bytes, maker }));
        }
        // SAFETY: the size is not zero.
        let given = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        // SAFETY: the layout has `ALIGNMENT` bytes more than `bytes`, and the step is shorter than that.
        let start = unsafe { given.add(given.align_offset(ALIGNMENT)) };
        large_pages::ask_for(start, bytes);
        Some(Arc::new(Block { start, given, bytes, maker }))
    }

    /// What is asked for: with any alignment, and room to align it, where only then the system knows that it is zero.
    fn layout(bytes: usize) -> Option<Layout> {
        match bytes < FRESH_PAGES {
            true => Layout::from_size_align(bytes, ALIGNMENT).ok(),
            false => Layout::from_size_align(bytes.checked_add(ALIGNMENT)?, align_of::<u64>()).ok(),
        }
    }

    /// Gives the memory of a block that nobody shares back to the system.
    pub(super) fn free(self: Arc<Self>) {
        let block = Arc::into_inner(self).expect("nobody shares what was released");
        let layout = Block::layout(block.bytes).expect("it was one when it was allocated");
        // SAFETY: `given` came from `allocate` with the same layout, and the block is used up.
        unsafe { dealloc(block.given.as_ptr(), layout) }
    }
}

/// What the calling thread has allocated and released.
///
/// ```
/// use wengert_tensor::{Tensor, memory};
/// let before: memory::MemoryStats = memory::stats();
/// let x = Tensor::<f32>::zeros([1000]);
/// assert!(memory::stats().live_bytes >= before.live_bytes + 4000);
/// drop(x);
/// assert_eq!(memory::stats().live_bytes, before.live_bytes);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Buffers that this thread made and that are not yet released, by whichever thread.
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

/// What the calling thread has allocated and released so far. A buffer that another thread released counts down here,
/// where it was made, and waits in this thread's pool.
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
    POOL.with_borrow_mut(|pool| {
        pool.collect();
        pool.stats
    })
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
    POOL.with_borrow_mut(|pool| {
        pool.collect();
        pool.stats.peak_bytes = pool.stats.live_bytes;
    });
}

/// Gives the calling thread's pooled buffers back to the system.
///
/// ```
/// use wengert_tensor::{Tensor, memory};
/// drop(Tensor::<f32>::zeros([1000]));
/// memory::trim();
/// assert_eq!(memory::stats().pooled_bytes, 0);
/// ```
pub fn trim() {
    POOL.with_borrow_mut(|pool| {
        pool.collect();
        pool.clear();
    });
}

struct Pool {
    /// This thread's number; 0 until it makes its first block.
    maker: u64,
    /// Released blocks by size class.
    free: Vec<Vec<Arc<Block>>>,
    stats: MemoryStats,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool {
        maker: 0,
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
    /// A released block of that class.
    fn take(&mut self, class: usize) -> Option<Arc<Block>> {
        let block = self.free.get_mut(class)?.pop()?;
        self.stats.pooled_bytes -= block.bytes;
        self.count_live(block.bytes);
        Some(block)
    }

    fn count_live(&mut self, bytes: usize) {
        self.stats.live_buffers += 1;
        self.stats.live_bytes += bytes as isize;
        self.stats.peak_bytes = self.stats.peak_bytes.max(self.stats.live_bytes);
    }

    /// Puts a block of this thread where it will be found; the system gets it back if there are too many.
    #[inline]
    fn put(&mut self, block: Arc<Block>) {
        self.stats.live_buffers -= 1;
        self.stats.live_bytes -= block.bytes as isize;
        match self.free.get_mut(size_class(block.bytes)) {
            Some(free)
                if free.len() < free.capacity()
                    && self.stats.pooled_bytes + block.bytes <= RETAINED_BYTES =>
            {
                self.stats.pooled_bytes += block.bytes;
                free.push(block);
            }
            _ => self.put_seldom(block),
        }
    }

    /// [`put`](Pool::put) where the pool is full or has no room for the block. Out of line, so that the rest needs no registers.
    #[cold]
    #[inline(never)]
    fn put_seldom(&mut self, block: Arc<Block>) {
        if self.stats.pooled_bytes + block.bytes > RETAINED_BYTES {
            return block.free();
        }
        let class = size_class(block.bytes);
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.stats.pooled_bytes += block.bytes;
        self.free[class].push(block);
    }

    /// Takes in what other threads have released.
    fn collect(&mut self) {
        let [buffers, bytes] = returned::collect(self.maker, |block| self.put(block));
        self.stats.live_buffers -= buffers as isize;
        self.stats.live_bytes -= bytes as isize;
    }

    fn clear(&mut self) {
        self.free.iter_mut().flat_map(|free| free.drain(..)).for_each(Block::free);
        self.stats.pooled_bytes = 0;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        returned::unregister(self.maker);
        self.clear();
    }
}

/// A block of at least `wanted` bytes that nobody shares; `None` if the system has no such memory, and then nothing has changed.
pub(crate) fn acquire(wanted: usize) -> Option<Arc<Block>> {
    let (class, bytes) = size_class_bytes(wanted)?;
    let recycled = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        if pool.maker == 0 {
            pool.maker = returned::register();
        }
        let found = pool.take(class).or_else(|| {
            pool.collect();
            pool.take(class)
        });
        found.ok_or(pool.maker)
    });
    match recycled {
        Ok(Ok(block)) => Some(block),
        Ok(Err(maker)) => {
            let block = Block::allocate(bytes, maker)?;
            POOL.with_borrow_mut(|pool| {
                pool.count_live(bytes);
                pool.stats.system_allocations += 1;
            });
            Some(block)
        }
        // This thread is ending and its pool is gone.
        Err(_) => Block::allocate(bytes, 0),
    }
}

/// Takes a block that nobody uses any more.
pub(crate) fn release(block: Arc<Block>) {
    let mut block = Some(block);
    let _ = POOL.try_with(|pool| {
        let pool = &mut *pool.borrow_mut();
        if let Some(block) = block.take_if(|block| block.maker == pool.maker && block.maker != 0) {
            pool.put(block);
        }
    });
    // Another thread's, or this thread is ending and its pool is gone.
    if let Some(block) = block {
        returned::give_back(block);
    }
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

/// The class for that many bytes, and how many its blocks have; `None` if those do not fit into `isize`.
fn size_class_bytes(wanted: usize) -> Option<(usize, usize)> {
    if wanted > isize::MAX as usize {
        return None;
    }
    // Rounding up by less than a half gives less than 2⁶⁴.
    let class = size_class(wanted);
    let units = if class < 4 { class + 1 } else { (class % 4 + 5) << (class / 4 - 1) };
    Some((class, units * ALIGNMENT)).filter(|&(_, bytes)| bytes <= isize::MAX as usize)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::Tensor;
    use crate::array::storage::Storage;

    #[test]
    fn size_classes_are_monotonic_tight_and_invertible() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, (1 << 30) + 12345, 1 << 62, (1 << 62) + 1]) {
            let (class, rounded) = size_class_bytes(bytes).unwrap();
            assert!(rounded >= bytes && rounded <= bytes + bytes / 4 + ALIGNMENT, "{bytes} -> {rounded}");
            assert_eq!(size_class_bytes(rounded), Some((class, rounded)));
        }
        for bytes in [usize::MAX, usize::MAX / 8 * 7, 1 << 63, isize::MAX as usize] {
            assert_eq!(size_class_bytes(bytes), None, "{bytes}");
        }
    }

    #[test]
    fn a_thread_that_only_drops_keeps_nothing() {
        let pooled = stats().pooled_bytes;
        let maker = std::thread::spawn(|| [(); 8].map(|()| Tensor::<f32>::zeros([1000])));
        // The maker may have ended or not.
        drop(maker.join().unwrap());
        assert_eq!(stats().pooled_bytes, pooled);
        std::thread::spawn(|| {
            let before = stats();
            drop(Storage::<f64>::unspecified(10));
            assert!(stats().pooled_bytes > before.pooled_bytes);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn batches_made_for_another_thread_are_made_in_the_same_memory() {
        let (batches, next) = sync_channel::<Tensor<f32>>(1);
        let (dropped, go_on) = sync_channel(1);
        let maker = std::thread::spawn(move || {
            let mut at_first = stats();
            for i in 0..if cfg!(miri) { 5 } else { 100 } {
                batches.send(Tensor::full([1000], i as f32)).unwrap();
                go_on.recv().unwrap();
                if i == 0 {
                    at_first = stats();
                }
            }
            let after = stats();
            assert_eq!((at_first.live_buffers, after.live_buffers), (0, 0));
            assert_eq!((at_first.system_allocations, after.system_allocations), (1, 1));
            assert_eq!((after.pooled_bytes, after.peak_bytes), (4096, 4096));
        });
        let before = stats().live_buffers;
        for (i, batch) in next.iter().enumerate() {
            assert_eq!(batch.to_vec(), [i as f32; 1000]);
            drop(batch);
            dropped.send(()).unwrap();
        }
        assert_eq!(stats().live_buffers, before);
        maker.join().unwrap();
    }

    #[test]
    fn what_is_released_beyond_the_limit_is_counted_all_the_same() {
        let big = || Storage::<u8>::unspecified(RETAINED_BYTES / 2 + 1).unwrap();
        let before = stats();
        let three = [big(), big(), big()];
        std::thread::spawn(|| drop(three)).join().unwrap();
        let after = stats();
        assert_eq!((after.live_buffers, after.live_bytes), (before.live_buffers, before.live_bytes));
        assert!(after.pooled_bytes <= RETAINED_BYTES);
        trim();
    }
}
