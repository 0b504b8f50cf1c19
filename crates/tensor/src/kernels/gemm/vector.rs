//! The vector registers that the micro-kernel is written in.

use crate::array::element::Float;

/// A vector register holding `LANES` elements of type `T`.
///
/// Everything is `#[inline(always)]`, so that it compiles to instructions of the function that it is inlined
/// into.
///
/// # Safety
/// The methods must be called only where the instruction set of the register is known to be there (inside a
/// function with the matching `#[target_feature]`). Loads and stores touch exactly `LANES` elements at the
/// pointer, the masked ones only the lanes of the mask.
pub(super) unsafe trait Vector<T: Float>: Copy {
    /// Elements in a register.
    const LANES: usize;
    /// Which of the first lanes take part in a masked load or store.
    type Mask: Copy;

    /// The mask of the first `count` lanes.
    unsafe fn first(count: usize) -> Self::Mask;
    /// All lanes 0.
    unsafe fn zero() -> Self;
    /// All lanes `x`.
    unsafe fn splat(x: T) -> Self;
    /// The elements at `p`.
    unsafe fn load(p: *const T) -> Self;
    /// The elements at `p` in the lanes of the mask, 0 elsewhere.
    unsafe fn load_masked(p: *const T, mask: Self::Mask) -> Self;
    /// Writes all lanes to `p`.
    unsafe fn store(self, p: *mut T);
    /// Writes the lanes of the mask to `p`.
    unsafe fn store_masked(self, p: *mut T, mask: Self::Mask);
    /// `self · x + y`, rounded once.
    unsafe fn mul_add(self, x: Self, y: Self) -> Self;
    /// `sum` and the product of `self` and `x`, or their products, if an element is several numbers.
    #[inline(always)]
    unsafe fn add_product(self, x: Self, sum: Self) -> Self {
        // SAFETY: passed on.
        unsafe { self.mul_add(x, sum) }
    }
    /// `self · x`.
    unsafe fn mul(self, x: Self) -> Self;
    /// The sum of all lanes, halves added to halves.
    unsafe fn sum(self) -> T;
    /// Asks for the cache line at `p`, which need not be valid.
    unsafe fn prefetch(p: *const T);
}
