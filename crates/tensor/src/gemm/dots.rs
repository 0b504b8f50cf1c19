//! Products with few elements and long sums: `C (+)= A · Bᵀ` where the rows of A and of B are adjacent elements.
//!
//! With fewer columns than a vector has lanes, the lanes run along the sums instead.

use super::vector::Vector;
use crate::element::Float;
use crate::simd::Level;

/// Rows of A in a block.
const ROWS: usize = 5;
/// Rows of B in a block.
const COLUMNS: usize = 2;
/// The most lanes of a vector.
const MAX_LANES: usize = 16;
/// The most elements of A, all of which are read for each block of columns: they should stay in the L2 cache.
const MAX_SIZE: usize = 1 << 16;

/// The operands, each a number of rows of `k` adjacent elements, and C, whose rows follow each other.
pub(crate) struct Dots<T> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: *const T,
    pub(crate) a_row: usize,
    pub(crate) b: *const T,
    pub(crate) b_row: usize,
    /// Whether to add to C rather than to overwrite it.
    pub(crate) add: bool,
    pub(crate) c: *mut T,
}

impl<T: Float> Dots<T> {
    /// Whether a product of this shape is better computed like this. It depends on the shape alone, not on the level.
    pub(crate) fn suits(m: usize, n: usize, k: usize) -> bool {
        m >= ROWS && (COLUMNS..=8).contains(&n) && k >= 4 * MAX_LANES && m.saturating_mul(k) <= MAX_SIZE
    }

    /// Computes the product, if there is a kernel for the level; says whether there is.
    ///
    /// # Safety
    /// [`suits`](Self::suits) said yes, the CPU has `level`, and the operands have all their elements.
    #[cfg(target_arch = "x86_64")]
    pub(crate) unsafe fn run(&self, level: Level) -> bool {
        match level {
            Level::Baseline => return false,
            // SAFETY: passed on.
            Level::Avx2 => unsafe { avx2(self) },
            // SAFETY: passed on.
            Level::Avx512 => unsafe { avx512(self) },
        }
        true
    }

    /// There is none.
    ///
    /// # Safety
    /// Nothing to keep.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) unsafe fn run(&self, _: Level) -> bool {
        false
    }

    /// All blocks.
    ///
    /// # Safety
    /// As for [`run`](Self::run), within a function that has the instruction set of `V`.
    #[inline(always)]
    unsafe fn blocks<V: Vector<T>>(&self) {
        for row in (0..self.m).step_by(ROWS) {
            for column in (0..self.n).step_by(COLUMNS) {
                // The last block is moved back to be whole; what the one before has done is not written again.
                let (top, left) = (row.min(self.m - ROWS), column.min(self.n - COLUMNS));
                // SAFETY: `suits` made sure of a whole block.
                let sums = unsafe { self.block::<V>(top, left) };
                for i in row..self.m.min(row + ROWS) {
                    for j in column..self.n.min(column + COLUMNS) {
                        let sum = sums[i - top][j - left];
                        // SAFETY: (i, j) is in C.
                        unsafe {
                            let c = self.c.add(i * self.n + j);
                            *c = if self.add { *c + sum } else { sum };
                        }
                    }
                }
            }
        }
    }

    /// The sums of the block from row i of A and row j of B on.
    ///
    /// # Safety
    /// As for [`blocks`](Self::blocks), and the block must lie within C.
    #[inline(always)]
    unsafe fn block<V: Vector<T>>(&self, i: usize, j: usize) -> [[T; COLUMNS]; ROWS] {
        // SAFETY: every load is within the rows' `k` elements.
        unsafe {
            let (a, b) = (self.a.add(i * self.a_row), self.b.add(j * self.b_row));
            let mut lanes = [[V::zero(); COLUMNS]; ROWS];
            let whole = self.k / V::LANES * V::LANES;
            for p in (0..whole).step_by(V::LANES) {
                let mut y = [V::zero(); COLUMNS];
                for (j, y) in y.iter_mut().enumerate() {
                    *y = V::load(b.add(j * self.b_row + p));
                }
                for (i, lanes) in lanes.iter_mut().enumerate() {
                    let x = V::load(a.add(i * self.a_row + p));
                    for (sum, &y) in lanes.iter_mut().zip(&y) {
                        *sum = x.mul_add(y, *sum);
                    }
                }
            }
            let mut sums = [[T::ZERO; COLUMNS]; ROWS];
            for i in 0..ROWS {
                for j in 0..COLUMNS {
                    let mut parts = [T::ZERO; MAX_LANES];
                    lanes[i][j].store(parts.as_mut_ptr());
                    for half in [8, 4, 2, 1] {
                        for l in 0..half {
                            parts[l] += parts[l + half];
                        }
                    }
                    let mut sum = parts[0];
                    for p in whole..self.k {
                        sum = (*a.add(i * self.a_row + p)).mul_add(*b.add(j * self.b_row + p), sum);
                    }
                    sums[i][j] = sum;
                }
            }
            sums
        }
    }
}

/// All blocks with AVX-512.
///
/// # Safety
/// As for [`Dots::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx512<T: Float>(dots: &Dots<T>) {
    // SAFETY: passed on.
    unsafe { dots.blocks::<super::x86::Zmm>() }
}

/// All blocks with AVX2.
///
/// # Safety
/// As for [`Dots::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx2<T: Float>(dots: &Dots<T>) {
    // SAFETY: passed on.
    unsafe { dots.blocks::<super::x86::Ymm>() }
}
