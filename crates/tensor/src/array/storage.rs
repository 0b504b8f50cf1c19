//! Aligned buffers of elements.

use std::marker::PhantomData;

use crate::array::element::{Element, ElementKind};
use crate::machine::memory::{self, Block};

/// A fixed number of elements in aligned memory, all of them initialised at all times: a fresh buffer is zeroed,
/// a recycled one holds what its last owner left.
pub(crate) struct Storage<T: Element> {
    /// `Some` until it is dropped.
    block: Option<Block>,
    length: usize,
    elements: PhantomData<T>,
}

// SAFETY: a `Storage` owns its memory alone and hands it out by the rules of `&` and `&mut`.
unsafe impl<T: Element> Sync for Storage<T> {}

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
    fn start(&self) -> *mut T {
        self.block.as_ref().expect("there until dropped").start().as_ptr().cast()
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: `unspecified` got a block of at least `length` elements, their bytes counted without overflow, all
        // initialised and aligned for any element type; every bit pattern that can be in it is valid for `T` (see
        // `unspecified` for `bool`).
        unsafe { std::slice::from_raw_parts(self.start(), self.length) }
    }

    #[inline(always)]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`; `&mut self` makes it the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.length) }
    }
}

impl<T: Element> Drop for Storage<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            memory::release(block);
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
    fn recycled_bytes_are_valid_bools() {
        let mut ints = storage::<u32>(64);
        ints.as_mut_slice().fill(u32::MAX);
        drop(ints);
        assert!(storage::<bool>(256).as_slice().iter().all(|&b| !b));
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
