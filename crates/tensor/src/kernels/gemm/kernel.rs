//! The micro-kernel: a tile of C that stays in registers while a panel of A meets a panel of B.
//!
//! One element of A is broadcast and multiplied with a few vectors of B. A is read through strides, so that
//! its panels may be copied rows, copied columns, or the matrix itself. Every element of C is a sum in the
//! order of k with one rounding per term, whatever the tile: how C is cut never changes the bits.

use super::vector::Vector;
use crate::array::element::Float;
use crate::machine::simd::Level;

/// What a micro-kernel computes: `c = alpha · a · b + beta · c` on a tile.
pub(super) struct Tile<T> {
    /// The length of the sums.
    pub(super) k: usize,
    pub(super) alpha: T,
    /// Element (row, p) is at `a + row · a_row + p · a_k`.
    pub(super) a: *const T,
    pub(super) a_row: isize,
    pub(super) a_k: isize,
    /// Row p of B starts at `b + p · b_k`, or at `b + b_list[p]` unless the list is null; its elements are adjacent.
    pub(super) b: *const T,
    pub(super) b_k: isize,
    pub(super) b_list: *const isize,
    /// What is asked for ahead beside each row of B: so many elements behind it; 0 is nothing.
    pub(super) b_ahead: isize,
    /// How many lanes of the last vector are columns of the tile: 1 to the number of lanes.
    pub(super) tail: usize,
    /// 0 means that C is not read.
    pub(super) beta: T,
    /// Row i starts at `c + i · c_row`; its elements are adjacent.
    pub(super) c: *mut T,
    pub(super) c_row: isize,
}

/// Computes a tile of a fixed number of rows and vectors.
///
/// # Safety
/// The CPU must have the instruction set, and the pointers must be valid for all elements of the tile, of its
/// rows of A and of its columns of B; `tail` must be between 1 and the number of lanes.
pub(super) type TileFn<T> = unsafe fn(&Tile<T>);

/// Tiles by vectors and by rows, both counted from 1.
type Tiles<T> = [[TileFn<T>; MAX_ROWS]; MAX_VECTORS];

/// The most rows of a tile.
pub(super) const MAX_ROWS: usize = 12;
/// The most vectors in a row of a tile.
pub(super) const MAX_VECTORS: usize = 2;
/// The most columns of a tile: two AVX-512 vectors of `f32`.
pub(super) const MAX_COLUMNS: usize = 32;

/// The micro-kernels of one instruction set.
pub(super) struct Kernels<T: 'static> {
    /// Elements of a vector.
    pub(super) lanes: usize,
    /// The most rows of a tile.
    pub(super) rows: usize,
    /// `tiles[v - 1][r - 1]` computes tiles of `r` rows of `v` vectors.
    tiles: Tiles<T>,
    /// The same for rows of B from a list.
    listed: Tiles<T>,
}

impl<T: Float> Kernels<T> {
    /// The kernels for products with `n` columns, or `None` if this level has none and the portable product
    /// has to do.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of(level: Level, n: usize) -> Option<&'static Self> {
        match level {
            Level::Baseline => None,
            Level::Avx2 => Some(const { &Self::avx2() }),
            // Half a register's columns: the two 256-bit units do twice as many useful operations.
            Level::Avx512 if n * size_of::<T>() <= 32 => Some(const { &Self::avx2() }),
            Level::Avx512 => Some(const { &Self::avx512() }),
        }
    }

    /// The kernels for matrices of [pairs](super::bf16) of an AVX-512 CPU that multiplies those.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of_pairs() -> Option<&'static Self> {
        Some(const { &Self::avx512_pairs() })
    }

    /// No kernels here.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn of_pairs() -> Option<&'static Self> {
        None
    }

    /// No kernels here: the portable product has to do.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn of(_: Level, _: usize) -> Option<&'static Self> {
        None
    }

    /// The most columns of a tile.
    pub(super) fn columns(&self) -> usize {
        MAX_VECTORS * self.lanes
    }

    /// Computes a tile of `rows` by `columns`; sets `tail` itself.
    ///
    /// # Safety
    /// `rows` and `columns` are at least 1 and at most the kernels' own; the pointers are valid as [`TileFn`]
    /// wants; `self` came from [`Kernels::of`] with a level that the CPU has.
    #[inline(always)]
    pub(super) unsafe fn run(&self, rows: usize, columns: usize, tile: &mut Tile<T>) {
        let vectors = columns.div_ceil(self.lanes);
        tile.tail = columns - (vectors - 1) * self.lanes;
        debug_assert!(rows >= 1 && rows <= self.rows && vectors <= MAX_VECTORS);
        // SAFETY: as the caller guarantees; `tail` is between 1 and `lanes`.
        unsafe {
            if tile.b_list.is_null() {
                self.tiles[vectors - 1][rows - 1](tile)
            } else {
                self.listed[vectors - 1][rows - 1](tile)
            }
        }
    }
}

/// The tile with everything known at compile time, for inlining into a function with target features.
///
/// # Safety
/// As for [`TileFn`].
#[inline(always)]
unsafe fn tile<T: Float, V: Vector<T>, const ROWS: usize, const VECTORS: usize, const LISTED: bool>(
    t: &Tile<T>,
) {
    // SAFETY: the caller guarantees the instruction set and every element that is touched: `ROWS` rows, and
    // `VECTORS - 1` whole vectors and `tail` lanes of columns.
    unsafe {
        let mask = V::first(t.tail);
        let last = (VECTORS - 1) * V::LANES;
        for i in 0..ROWS {
            V::prefetch(t.c.wrapping_offset(i as isize * t.c_row));
            V::prefetch(t.c.wrapping_offset(i as isize * t.c_row).wrapping_add(last));
        }
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        let (mut a, mut b) = (t.a, t.b);
        for p in 0..t.k {
            if LISTED {
                b = t.b.wrapping_offset(*t.b_list.add(p));
            }
            if !LISTED && t.b_ahead != 0 {
                let ahead = b.wrapping_offset(t.b_ahead);
                for v in 0..VECTORS {
                    V::prefetch(ahead.wrapping_add(v * V::LANES));
                }
            }
            let mut row = [V::zero(); VECTORS];
            for (v, x) in row.iter_mut().enumerate().take(VECTORS - 1) {
                *x = V::load(b.add(v * V::LANES));
            }
            row[VECTORS - 1] = V::load_masked(b.add(last), mask);
            for (i, sums) in sums.iter_mut().enumerate() {
                let x = V::splat(*a.offset(i as isize * t.a_row));
                for (sum, &y) in sums.iter_mut().zip(&row) {
                    *sum = x.add_product(y, *sum);
                }
            }
            // The last step may leave the allocation, so the arithmetic has to be wrapping.
            a = a.wrapping_offset(t.a_k);
            if !LISTED {
                b = b.wrapping_offset(t.b_k);
            }
        }
        let (alpha, beta) = (V::splat(t.alpha), V::splat(t.beta));
        for (i, sums) in sums.into_iter().enumerate() {
            let c = t.c.offset(i as isize * t.c_row);
            for (v, sum) in sums.into_iter().enumerate() {
                let p = c.add(v * V::LANES);
                let mut x = alpha.mul(sum);
                if v + 1 < VECTORS {
                    if t.beta != T::ZERO {
                        x = beta.mul_add(V::load(p), x);
                    }
                    x.store(p);
                } else {
                    if t.beta != T::ZERO {
                        x = beta.mul_add(V::load_masked(p, mask), x);
                    }
                    x.store_masked(p, mask);
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod tables {
    use super::super::x86::{Pairs, Ymm, Zmm};
    use super::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,f16c,lzcnt")]
    unsafe fn avx512<T: Float, const ROWS: usize, const VECTORS: usize, const LISTED: bool>(t: &Tile<T>) {
        // SAFETY: passed on.
        unsafe { tile::<T, Zmm, ROWS, VECTORS, LISTED>(t) }
    }

    #[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt")]
    unsafe fn avx2<T: Float, const ROWS: usize, const VECTORS: usize, const LISTED: bool>(t: &Tile<T>) {
        // SAFETY: passed on.
        unsafe { tile::<T, Ymm, ROWS, VECTORS, LISTED>(t) }
    }

    #[target_feature(
        enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512bf16,avx2,fma,bmi1,bmi2,f16c,lzcnt"
    )]
    unsafe fn pairs<T: Float, const ROWS: usize, const VECTORS: usize>(t: &Tile<T>) {
        // SAFETY: passed on.
        unsafe { tile::<T, Pairs, ROWS, VECTORS, false>(t) }
    }

    impl<T: Float> Kernels<T> {
        /// 24 of 32 registers are sums; nobody lists rows of pairs.
        pub(super) const fn avx512_pairs() -> Self {
            let tiles = [pairs_rows::<T, 1>(), pairs_rows::<T, 2>()];
            Self { lanes: 16, rows: 12, tiles, listed: tiles }
        }

        /// 24 of 32 registers are sums.
        pub(super) const fn avx512() -> Self {
            Self {
                lanes: 64 / size_of::<T>(),
                rows: 12,
                tiles: [avx512_rows::<T, 1, false>(), avx512_rows::<T, 2, false>()],
                listed: [avx512_rows::<T, 1, true>(), avx512_rows::<T, 2, true>()],
            }
        }

        /// 12 of 16 registers are sums.
        pub(super) const fn avx2() -> Self {
            Self {
                lanes: 32 / size_of::<T>(),
                rows: 6,
                tiles: [avx2_rows::<T, 1, false>(), avx2_rows::<T, 2, false>()],
                listed: [avx2_rows::<T, 1, true>(), avx2_rows::<T, 2, true>()],
            }
        }
    }

    #[rustfmt::skip]
    const fn avx512_rows<T: Float, const V: usize, const L: bool>() -> [TileFn<T>; MAX_ROWS] {
        [
            avx512::<T, 1, V, L>, avx512::<T, 2, V, L>, avx512::<T, 3, V, L>, avx512::<T, 4, V, L>,
            avx512::<T, 5, V, L>, avx512::<T, 6, V, L>, avx512::<T, 7, V, L>, avx512::<T, 8, V, L>,
            avx512::<T, 9, V, L>, avx512::<T, 10, V, L>, avx512::<T, 11, V, L>, avx512::<T, 12, V, L>,
        ]
    }

    #[rustfmt::skip]
    const fn pairs_rows<T: Float, const V: usize>() -> [TileFn<T>; MAX_ROWS] {
        [
            pairs::<T, 1, V>, pairs::<T, 2, V>, pairs::<T, 3, V>, pairs::<T, 4, V>, pairs::<T, 5, V>, pairs::<T, 6, V>,
            pairs::<T, 7, V>, pairs::<T, 8, V>, pairs::<T, 9, V>, pairs::<T, 10, V>, pairs::<T, 11, V>, pairs::<T, 12, V>,
        ]
    }

    /// The entries after the sixth are never used.
    #[rustfmt::skip]
    const fn avx2_rows<T: Float, const V: usize, const L: bool>() -> [TileFn<T>; MAX_ROWS] {
        [
            avx2::<T, 1, V, L>, avx2::<T, 2, V, L>, avx2::<T, 3, V, L>, avx2::<T, 4, V, L>,
            avx2::<T, 5, V, L>, avx2::<T, 6, V, L>, avx2::<T, 6, V, L>, avx2::<T, 6, V, L>,
            avx2::<T, 6, V, L>, avx2::<T, 6, V, L>, avx2::<T, 6, V, L>, avx2::<T, 6, V, L>,
        ]
    }
}
