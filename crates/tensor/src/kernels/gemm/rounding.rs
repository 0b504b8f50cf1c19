//! Operands rounded to bfloat16.

use super::source::Strided;
use crate::array::element::{ElementKind, Float};
use crate::array::size;
use crate::machine::parallel::{self, CHUNK};
use crate::machine::simd::{Isa, Kernel, dispatch};
use crate::math::half::{from_bf16, to_bf16};

/// An operand: `others` rows or columns, along each of which a sum runs over its terms.
#[derive(Clone, Copy)]
pub(super) struct Operand<T> {
    pub(super) start: *const T,
    /// From one term to the next.
    pub(super) along: isize,
    /// From one row or column to the next.
    pub(super) across: isize,
    pub(super) terms: usize,
    pub(super) others: usize,
    /// Whether two terms go into one element.
    pub(super) pairs: bool,
}

// SAFETY: the elements are only read, and are `Sync`; the view that it is made of keeps them borrowed.
unsafe impl<T: Float> Sync for Operand<T> {}
// SAFETY: as above.
unsafe impl<T: Float> Send for Operand<T> {}

impl<T: Float> Operand<T> {
    /// Elements along a sum, once rounded.
    fn length(&self) -> usize {
        if self.pairs { self.terms.div_ceil(2) } else { self.terms }
    }

    /// Elements, once rounded.
    pub(super) fn room(&self) -> usize {
        size::product("matmul", &[self.length(), self.others])
    }

    /// Writes the rounded elements to `out`, in the order that they have in memory. Returns them as a matrix of rows along which the
    /// sums run.
    pub(super) fn round(&self, out: &mut [T], threaded: bool) -> Strided<T> {
        let length = self.length();
        let terms_together = self.along == 1;
        let row = if terms_together { length } else { self.others };
        let threaded = threaded && out.len() >= parallel::PARALLEL_THRESHOLD;
        parallel::for_each_chunk(out, (CHUNK / row).max(1) * row, threaded, |first, out| {
            for (i, out) in (first / row..).zip(out.chunks_exact_mut(row)) {
                if terms_together {
                    let from = self.start.wrapping_offset(i as isize * self.across);
                    dispatch(RoundTerms { from, terms: self.terms, pairs: self.pairs, out });
                } else {
                    let step = if self.pairs { 2 } else { 1 };
                    let low = self.start.wrapping_offset((step * i) as isize * self.along);
                    let high =
                        (self.pairs && step * i + 1 < self.terms).then(|| low.wrapping_offset(self.along));
                    dispatch(RoundRows { low, high, stride: self.across, pairs: self.pairs, out });
                }
            }
        });
        let start = out.as_ptr();
        match terms_together {
            true => Strided { start, row: row as isize, column: 1 },
            false => Strided { start, row: 1, column: row as isize },
        }
    }
}

/// A number rounded to bfloat16, as `f32`.
#[inline(always)]
fn rounded_number<T: Float>(x: T) -> T {
    T::from_f64(f64::from(from_bf16(to_bf16(x.to_f64() as f32))))
}

/// Two numbers of bfloat16 in the place of an `f32`, the first in the lower half.
#[inline(always)]
fn pair<T: Float>(first: T, second: T) -> u32 {
    let bits = |x: T| u32::from(to_bf16(x.to_f64() as f32));
    bits(second) << 16 | bits(first)
}

/// Puts those bits in the place of an `f32`: written as what they are, so that nothing takes them for a number.
#[inline(always)]
fn put<T: Float>(bits: u32, to: &mut T) {
    debug_assert!(T::KIND == ElementKind::F32);
    // SAFETY: an `f32` has the size and alignment of its bits, and any bits are one.
    unsafe { std::ptr::from_mut(to).cast::<u32>().write(bits) }
}

/// Terms that are adjacent.
struct RoundTerms<'a, T> {
    from: *const T,
    terms: usize,
    pairs: bool,
    out: &'a mut [T],
}

impl<T: Float> Kernel for RoundTerms<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `Operand` has so many terms, adjacent, of a view that was checked.
        let from = unsafe { std::slice::from_raw_parts(self.from, self.terms) };
        if self.pairs {
            let (pairs, last) = from.as_chunks::<2>();
            for (to, &[first, second]) in self.out.iter_mut().zip(pairs) {
                put(pair(first, second), to);
            }
            if let ([last], Some(to)) = (last, self.out.last_mut()) {
                put(pair(*last, T::ZERO), to);
            }
        } else {
            for (to, &x) in self.out.iter_mut().zip(from) {
                *to = rounded_number(x);
            }
        }
    }
}

/// Elements that are terms of different sums: of one row, or of two that become pairs, of which the second may be missing.
struct RoundRows<'a, T> {
    low: *const T,
    high: Option<*const T>,
    stride: isize,
    pairs: bool,
    out: &'a mut [T],
}

impl<T: Float> RoundRows<'_, T> {
    /// # Safety
    /// Both rows must have `out.len()` elements, so far from each other.
    #[inline(always)]
    unsafe fn write(self, stride: isize) {
        for (i, to) in self.out.iter_mut().enumerate() {
            // SAFETY: as the caller guarantees.
            let of = |row: *const T| unsafe { *row.offset(i as isize * stride) };
            match self.high {
                _ if !self.pairs => *to = rounded_number(of(self.low)),
                Some(high) => put(pair(of(self.low), of(high)), to),
                None => put(pair(of(self.low), T::ZERO), to),
            }
        }
    }
}

impl<T: Float> Kernel for RoundRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let stride = self.stride;
        // SAFETY: `Operand` has so many elements in each row, of a view that was checked.
        unsafe {
            // Adjacent elements in a loop of their own, which vectorises.
            if stride == 1 { self.write(1) } else { self.write(stride) }
        }
    }
}
