//! Products with few elements and long sums: `C (+)= A · Bᵀ` where the rows of A and of B are adjacent elements.
//!
//! With fewer columns than a vector has lanes, the lanes run along the sums instead.

use super::driver::PARALLEL_WORK;
use super::vector::Vector;
use crate::array::element::Float;
use crate::machine::parallel;
use crate::machine::simd::Level;

/// Rows of A in a block.
const ROWS: usize = 5;
/// The fewest rows of B in a block, and with AVX2 the most: its registers hold no more sums.
const COLUMNS: usize = 2;
/// The most lanes of a vector.
const MAX_LANES: usize = 16;
/// The most elements of A for a product to count as small.
const MAX_SIZE: usize = 1 << 16;
/// The most elements of B, which is read for each block of rows, in a product whose A is larger: they should stay in the
/// L2 cache.
const MAX_RIGHT: usize = 1 << 14;
/// The most columns of C in such a product: with more, the lanes of a vector had better run along them.
const MAX_COLUMNS: usize = 12;
/// Rows of C in a task, a multiple of `ROWS`.
const TASK_ROWS: usize = 40 * ROWS;

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

// SAFETY: threads write disjoint rows of C, which whoever made it has borrowed mutably.
unsafe impl<T: Float> Sync for Dots<T> {}

impl<T: Float> Dots<T> {
    /// Whether a product of this shape is better computed like this. It depends on the shape alone, not on the level.
    pub(crate) fn suits(m: usize, n: usize, k: usize) -> bool {
        m >= ROWS && (COLUMNS..=8).contains(&n) && k >= 4 * MAX_LANES && m.saturating_mul(k) <= MAX_SIZE
    }

    /// Whether a product with so large an A is better computed like this, which reads A once, where it lies. It
    /// depends on the shape alone.
    pub(crate) fn suits_large(m: usize, n: usize, k: usize) -> bool {
        m.saturating_mul(k) > MAX_SIZE
            && m >= TASK_ROWS
            && (COLUMNS..=MAX_COLUMNS).contains(&n)
            && k >= 4 * MAX_LANES
            && n.saturating_mul(k) <= MAX_RIGHT
    }

    /// Like [`run`](Self::run), in tasks of some rows, on several threads if that is worth it and wanted.
    ///
    /// # Safety
    /// [`suits_large`](Self::suits_large) said yes; else as for [`run`](Self::run).
    pub(crate) unsafe fn run_in_tasks(&self, level: Level, threaded: bool) {
        let work = self.m.saturating_mul(self.n).saturating_mul(self.k);
        // The last task has what is left, so that none is smaller than a block.
        parallel::for_each(self.m / TASK_ROWS, threaded && work >= PARALLEL_WORK, |task| {
            let first = task * TASK_ROWS;
            let m = if first + 2 * TASK_ROWS > self.m { self.m - first } else { TASK_ROWS };
            let a = self.a.wrapping_add(first * self.a_row);
            let part = Dots { m, a, c: self.c.wrapping_add(first * self.n), ..*self };
            // SAFETY: passed on; the tasks' rows of C are disjoint.
            unsafe { part.run(level) };
        });
    }

    /// Computes the product, if there is a kernel for the level; says whether there is.
    ///
    /// # Safety
    /// C has at least a block of rows and columns, the CPU has `level`, and the operands have all their elements.
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

    /// All blocks of `ROWS` by `WIDTH` elements of C.
    ///
    /// # Safety
    /// As for [`run`](Self::run), within a function that has the instruction set of `V`; C has at least `WIDTH` columns.
    #[inline(always)]
    unsafe fn blocks<V: Vector<T>, const WIDTH: usize>(&self) {
        for row in (0..self.m).step_by(ROWS) {
            for column in (0..self.n).step_by(WIDTH) {
                // The last block is moved back to be whole; what the one before has done is not written again.
                let (top, left) = (row.min(self.m - ROWS), column.min(self.n - WIDTH));
                // SAFETY: there is a whole block.
                let sums = unsafe { self.block::<V, WIDTH>(top, left) };
                for i in row..self.m.min(row + ROWS) {
                    for j in column..self.n.min(column + WIDTH) {
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
    unsafe fn block<V: Vector<T>, const WIDTH: usize>(&self, i: usize, j: usize) -> [[T; WIDTH]; ROWS] {
        // SAFETY: every load is within the rows' `k` elements.
        unsafe {
            let (a, b) = (self.a.add(i * self.a_row), self.b.add(j * self.b_row));
            let mut lanes = [[V::zero(); WIDTH]; ROWS];
            let whole = self.k / V::LANES * V::LANES;
            for p in (0..whole).step_by(V::LANES) {
                let mut y = [V::zero(); WIDTH];
                for (j, y) in y.iter_mut().enumerate() {
                    *y = V::load(b.add(j * self.b_row + p));
                }
                for (i, lanes) in lanes.iter_mut().enumerate() {
                    // Several short streams at once are more than the CPU's own prefetching keeps up with.
                    V::prefetch(a.wrapping_add((i + ROWS) * self.a_row + p));
                    let x = V::load(a.add(i * self.a_row + p));
                    for (sum, &y) in lanes.iter_mut().zip(&y) {
                        *sum = x.mul_add(y, *sum);
                    }
                }
            }
            let mut sums = [[T::ZERO; WIDTH]; ROWS];
            for i in 0..ROWS {
                for j in 0..WIDTH {
                    let mut sum = lanes[i][j].sum();
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

/// All blocks with AVX-512: as few across C as its registers allow, and as equal as possible.
///
/// # Safety
/// As for [`Dots::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx512<T: Float>(dots: &Dots<T>) {
    // Five times five sums, five rows of B and one of A: 31 of 32 registers.
    let across = dots.n.div_ceil(5);
    // SAFETY: passed on; C is at least as wide as the blocks.
    unsafe {
        match dots.n.div_ceil(across) {
            0..=2 => dots.blocks::<super::x86::Zmm, COLUMNS>(),
            3 => dots.blocks::<super::x86::Zmm, 3>(),
            4 => dots.blocks::<super::x86::Zmm, 4>(),
            _ => dots.blocks::<super::x86::Zmm, 5>(),
        }
    }
}

/// All blocks with AVX2.
///
/// # Safety
/// As for [`Dots::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx2<T: Float>(dots: &Dots<T>) {
    // SAFETY: passed on.
    unsafe { dots.blocks::<super::x86::Ymm, COLUMNS>() }
}
