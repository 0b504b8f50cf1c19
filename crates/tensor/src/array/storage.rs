//! Aligned buffers of elements.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::array::element::{Element, ElementKind};
use crate::machine::memory::{self, Block};

/// A fixed number of elements in aligned memory, all of them initialised at all times: a fresh buffer is zeroed,
/// a recycled one holds what its last owner left. Clones share the elements.
pub(crate) struct Storage<T: Element> {
    /// `Some` until it is dropped. The counter of owners is recycled with the memory.
    block: Option<Arc<Block>>,
    length: usize,
    elements: PhantomData<T>,
}

impl<T: Element> Storage<T> {
    /// A buffer of `length` elements with unspecified (but initialised) contents; `None` if the system has no such
    /// memory.
    pub(crate) fn unspecified(length: usize) -> Option<Self> {
        let block = memory::acquire(length.checked_mul(size_of::<T>())?)?;
        // A recycled buffer may hold any bytes, and not every byte is a `bool`.
        if T::KIND == ElementKind::Bool {
            // SAFETY: the block is ours and has that many bytes.
            unsafe { std::ptr::write_bytes(block.start().as_ptr(), 0, block.bytes()) };
        }
        Some(Storage { block: Some(block), length, elements: PhantomData })
    }

    #[inline(always)]
    fn block(&self) -> &Arc<Block> {
        self.block.as_ref().expect("there until dropped")
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: `unspecified` got a block of at least `length` elements, their bytes counted without overflow, all
        // initialised and aligned for any element type; every bit pattern that can be in it is valid for `T` (see
        // `unspecified` for `bool`).
        unsafe { std::slice::from_raw_parts(self.block().start().as_ptr().cast(), self.length) }
    }

    /// The elements for writing, if nobody shares them.
    #[inline(always)]
    pub(crate) fn unshared(&mut self) -> Option<&mut [T]> {
        let block = Arc::get_mut(self.block.as_mut().expect("there until dropped"))?;
        // SAFETY: as in `as_slice`; nobody else has the block, and `&mut self` makes this the only reference.
        Some(unsafe { std::slice::from_raw_parts_mut(block.start().as_ptr().cast(), self.length) })
    }

    /// Whether both have the same memory.
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.block(), other.block())
    }
}

impl<T: Element> Clone for Storage<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Storage { block: self.block.clone(), length: self.length, elements: PhantomData }
    }
}

impl<T: Element> Drop for Storage<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut block) = self.block.take() else { return };
        // The count alone first: most that is dropped is shared, and the rest of the test takes longer.
        if Arc::strong_count(&block) == 1 && Arc::get_mut(&mut block).is_some() {
            memory::release(block);
        } else if let Some(block) = Arc::into_inner(block) {
            // Another thread has let go of it in between.
            memory::release(Arc::new(block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::memory::{ALIGNMENT, stats, trim};

    fn storage<T: Element>(length: usize) -> Storage<T> {
        Storage::unspecified(length).expect("there is memory for the test")
    }

    #[test]
    fn buffers_are_aligned_recycled_and_counted() {
        trim();
        let start = stats();
        let first = storage::<f32>(1000);
        assert_eq!(first.as_slice().as_ptr() as usize % ALIGNMENT, 0);
        assert_eq!(first.as_slice(), [0.0; 1000]);
        assert_eq!(stats().live_buffers, start.live_buffers + 1);
        let address = first.as_slice().as_ptr() as usize;
        drop(first);
        let again = storage::<f32>(999);
        assert_eq!(again.as_slice().as_ptr() as usize, address);
        assert_eq!(stats().system_allocations, start.system_allocations + 1);
    }

    #[test]
    fn fresh_memory_of_any_size_is_aligned_zero_and_writable_to_its_ends() {
        for length in [
            1,
            64,
            (1 << 17) - 64,
            (1 << 17) - 1,
            1 << 17,
            (1 << 17) + 1,
            if cfg!(miri) { 200_000 } else { 5 << 20 },
        ] {
            trim();
            let mut bytes = storage::<u8>(length);
            assert_eq!(bytes.as_slice().as_ptr() as usize % ALIGNMENT, 0);
            let bytes = bytes.unshared().unwrap();
            assert!(bytes.iter().all(|&byte| byte == 0), "{length}");
            (bytes[0], bytes[length - 1]) = (1, 2);
        }
    }

    #[test]
    fn recycled_bytes_are_valid_bools() {
        let mut ints = storage::<u32>(64);
        ints.unshared().unwrap().fill(u32::MAX);
        drop(ints);
        assert!(storage::<bool>(256).as_slice().iter().all(|&b| !b));
    }

    #[test]
    fn clones_share_until_one_is_left() {
        let mut first = storage::<u32>(5);
        let live = stats().live_buffers;
        let second = first.clone();
        assert!(first.is_shared_with(&second) && first.unshared().is_none());
        drop(second);
        first.unshared().unwrap().fill(3);
        assert_eq!((first.as_slice(), stats().live_buffers), (&[3; 5][..], live));
        drop(first);
        assert_eq!(stats().live_buffers, live - 1);
    }

    #[test]
    fn the_last_owner_gives_back_whichever_thread_it_is_on() {
        let before = stats().live_buffers;
        for _ in 0..if cfg!(miri) { 5 } else { 1000 } {
            let first = storage::<f32>(10);
            let second = first.clone();
            std::thread::scope(|scope| {
                scope.spawn(move || drop(first));
                scope.spawn(move || drop(second));
            });
            assert_eq!(stats().live_buffers, before);
        }
    }

    #[test]
    fn empty_buffers() {
        assert!(storage::<f64>(0).as_slice().is_empty());
    }

    #[test]
    fn what_cannot_be_had_changes_nothing() {
        let before = stats();
        for length in [usize::MAX, usize::MAX / 2, 1 << 63, (1 << 61) - 1, 1 << 60] {
            assert!(Storage::<f64>::unspecified(length).is_none(), "{length}");
        }
        // From here on, rounding up to a size class would wrap to 0 bytes.
        for length in [usize::MAX / 8 * 7, usize::MAX - 63, isize::MAX as usize, isize::MAX as usize - 64] {
            assert!(Storage::<u8>::unspecified(length).is_none(), "{length}");
        }
        assert_eq!(stats(), before);
        assert_eq!(storage::<u8>(4096).as_slice().len(), 4096);
    }
}
