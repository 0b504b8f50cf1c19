//! AVX-512 and AVX2 registers.
//!
//! One register type serves both element types: [`Float`] is sealed to `f32` and `f64`, which their sizes
//! tell apart at compile time.

use std::arch::x86_64::*;
use std::mem::size_of;

use super::vector::Vector;
use crate::array::element::{ElementKind, Float};

/// A 512-bit register.
#[derive(Clone, Copy)]
pub(super) struct Zmm(__m512);

/// A 256-bit register.
#[derive(Clone, Copy)]
pub(super) struct Ymm(__m256);

#[inline(always)]
const fn single<T: Float>() -> bool {
    matches!(T::KIND, ElementKind::F32)
}

// SAFETY: each method is one instruction of AVX-512F (or a cast, or a few for `sum`) on exactly the elements that the trait names.
unsafe impl<T: Float> Vector<T> for Zmm {
    const LANES: usize = 64 / size_of::<T>();
    type Mask = u16;

    #[inline(always)]
    unsafe fn first(count: usize) -> u16 {
        ((1u32 << count) - 1) as u16
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees AVX-512 (as in every method below).
        unsafe { Self(_mm512_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        // SAFETY: as in `zero`; the conversion to the element's own type is exact.
        unsafe {
            if single::<T>() {
                Self(_mm512_set1_ps(x.to_f64() as f32))
            } else {
                Self(_mm512_castpd_ps(_mm512_set1_pd(x.to_f64())))
            }
        }
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: the caller guarantees `LANES` readable elements at `p`.
        unsafe { Self(_mm512_loadu_ps(p.cast())) }
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const T, mask: u16) -> Self {
        // SAFETY: lanes outside the mask are not read; the caller guarantees the others.
        unsafe {
            if single::<T>() {
                Self(_mm512_maskz_loadu_ps(mask, p.cast()))
            } else {
                Self(_mm512_castpd_ps(_mm512_maskz_loadu_pd(mask as u8, p.cast())))
            }
        }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: the caller guarantees `LANES` writable elements at `p`.
        unsafe { _mm512_storeu_ps(p.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_masked(self, p: *mut T, mask: u16) {
        // SAFETY: lanes outside the mask are not written; the caller guarantees the others.
        unsafe {
            if single::<T>() {
                _mm512_mask_storeu_ps(p.cast(), mask, self.0);
            } else {
                _mm512_mask_storeu_pd(p.cast(), mask as u8, _mm512_castps_pd(self.0));
            }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, y: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            if single::<T>() {
                Self(_mm512_fmadd_ps(self.0, x.0, y.0))
            } else {
                // One by one: `map` of an array is inlined by a release build alone.
                let (a, b, c) = (_mm512_castps_pd(self.0), _mm512_castps_pd(x.0), _mm512_castps_pd(y.0));
                Self(_mm512_castpd_ps(_mm512_fmadd_pd(a, b, c)))
            }
        }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            if single::<T>() {
                Self(_mm512_mul_ps(self.0, x.0))
            } else {
                Self(_mm512_castpd_ps(_mm512_mul_pd(_mm512_castps_pd(self.0), _mm512_castps_pd(x.0))))
            }
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        // SAFETY: as in `zero`; the conversion from the element's own type is exact.
        unsafe {
            if single::<T>() {
                T::from_f64(f64::from(_mm512_reduce_add_ps(self.0)))
            } else {
                T::from_f64(_mm512_reduce_add_pd(_mm512_castps_pd(self.0)))
            }
        }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const T) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
}

/// A 512-bit register of sums in `f32`, or of pairs of bfloat16, which are multiplied with pairs and added to a sum.
#[derive(Clone, Copy)]
pub(super) struct Pairs(Zmm);

// SAFETY: as for `Zmm`; products of pairs are one instruction of AVX512-BF16.
unsafe impl<T: Float> Vector<T> for Pairs {
    const LANES: usize = 16;
    type Mask = u16;

    #[inline(always)]
    unsafe fn first(count: usize) -> u16 {
        // SAFETY: the caller guarantees AVX-512 (as in every method below).
        unsafe { <Zmm as Vector<T>>::first(count) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: as in `first`.
        unsafe { Self(<Zmm as Vector<T>>::zero()) }
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        // SAFETY: as in `first`; there are pairs of `f32` alone, whose bits these are.
        unsafe {
            let bits = std::ptr::from_ref(&x).cast::<i32>().read();
            Self(Zmm(_mm512_castsi512_ps(_mm512_set1_epi32(bits))))
        }
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: passed on.
        unsafe { Self(<Zmm as Vector<T>>::load(p)) }
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const T, mask: u16) -> Self {
        // SAFETY: passed on.
        unsafe { Self(<Zmm as Vector<T>>::load_masked(p, mask)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: passed on.
        unsafe { <Zmm as Vector<T>>::store(self.0, p) }
    }
    #[inline(always)]
    unsafe fn store_masked(self, p: *mut T, mask: u16) {
        // SAFETY: passed on.
        unsafe { <Zmm as Vector<T>>::store_masked(self.0, p, mask) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, y: Self) -> Self {
        // SAFETY: passed on.
        unsafe { Self(<Zmm as Vector<T>>::mul_add(self.0, x.0, y.0)) }
    }
    #[inline(always)]
    unsafe fn add_product(self, x: Self, sum: Self) -> Self {
        // SAFETY: the caller guarantees AVX512-BF16; the casts keep the bits.
        unsafe {
            let pairs = |of: Self| std::mem::transmute::<__m512, __m512bh>(of.0.0);
            Self(Zmm(_mm512_dpbf16_ps(sum.0.0, pairs(self), pairs(x))))
        }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: passed on.
        unsafe { Self(<Zmm as Vector<T>>::mul(self.0, x.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        // SAFETY: passed on.
        unsafe { <Zmm as Vector<T>>::sum(self.0) }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const T) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
}

/// Eight (`f32`) or four (`f64`) all-ones lanes followed by as many zeros: the mask of the first `n` lanes is
/// the load that starts `n` lanes before the zeros.
static ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

// SAFETY: each method is one instruction of AVX2 and FMA (or a cast, or a few for `sum`) on exactly the elements that the trait
// names.
unsafe impl<T: Float> Vector<T> for Ymm {
    const LANES: usize = 32 / size_of::<T>();
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn first(count: usize) -> __m256i {
        let words = (count * size_of::<T>() / 4).min(8);
        // SAFETY: at most 8 words before the middle, so 8 words are there to load; the caller guarantees AVX.
        unsafe { _mm256_loadu_si256(ONES_THEN_ZEROS.as_ptr().add(8 - words).cast()) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller guarantees AVX2 and FMA (as in every method below).
        unsafe { Self(_mm256_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        // SAFETY: as in `zero`; the conversion to the element's own type is exact.
        unsafe {
            if single::<T>() {
                Self(_mm256_set1_ps(x.to_f64() as f32))
            } else {
                Self(_mm256_castpd_ps(_mm256_set1_pd(x.to_f64())))
            }
        }
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: the caller guarantees `LANES` readable elements at `p`.
        unsafe { Self(_mm256_loadu_ps(p.cast())) }
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const T, mask: __m256i) -> Self {
        // SAFETY: lanes outside the mask are not read; the caller guarantees the others.
        unsafe { Self(_mm256_maskload_ps(p.cast(), mask)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: the caller guarantees `LANES` writable elements at `p`.
        unsafe { _mm256_storeu_ps(p.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_masked(self, p: *mut T, mask: __m256i) {
        // SAFETY: lanes outside the mask are not written; the caller guarantees the others.
        unsafe { _mm256_maskstore_ps(p.cast(), mask, self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, x: Self, y: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            if single::<T>() {
                Self(_mm256_fmadd_ps(self.0, x.0, y.0))
            } else {
                // One by one: `map` of an array is inlined by a release build alone.
                let (a, b, c) = (_mm256_castps_pd(self.0), _mm256_castps_pd(x.0), _mm256_castps_pd(y.0));
                Self(_mm256_castpd_ps(_mm256_fmadd_pd(a, b, c)))
            }
        }
    }
    #[inline(always)]
    unsafe fn mul(self, x: Self) -> Self {
        // SAFETY: as in `zero`.
        unsafe {
            if single::<T>() {
                Self(_mm256_mul_ps(self.0, x.0))
            } else {
                Self(_mm256_castpd_ps(_mm256_mul_pd(_mm256_castps_pd(self.0), _mm256_castps_pd(x.0))))
            }
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        // SAFETY: as in `zero`; the conversion from the element's own type is exact.
        unsafe {
            if single::<T>() {
                let fours = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
                let sum = _mm_add_ss(twos, _mm_movehdup_ps(twos));
                T::from_f64(f64::from(_mm_cvtss_f32(sum)))
            } else {
                let x = _mm256_castps_pd(self.0);
                let twos = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
                T::from_f64(_mm_cvtsd_f64(_mm_add_sd(twos, _mm_unpackhi_pd(twos, twos))))
            }
        }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const T) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
}
