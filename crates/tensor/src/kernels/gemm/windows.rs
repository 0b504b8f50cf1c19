//! Sums of products of a plane with windows of an image, read where they lie: the product of a matrix of patches and one column.

use super::vector::Vector;
use crate::array::element::Float;
use crate::machine::simd::Level;

/// Windows that are summed at once, so that the sums need not wait for each other.
const AT_ONCE: usize = 5;
/// The narrowest plane that is worth it: what is left of a row takes a whole register.
const NARROWEST: usize = 8;

/// The sums `c[t] (+)= Σ image[distances[t] + y·row + x] · plane[y·width + x]`.
pub(crate) struct Windows<'a, T> {
    pub(crate) image: *const T,
    /// From the start of the image to each window's.
    pub(crate) distances: &'a [isize],
    /// From one row of the image to the next.
    pub(crate) row: usize,
    pub(crate) plane: *const T,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Whether to add to the sums rather than to overwrite them.
    pub(crate) add: bool,
    pub(crate) c: *mut T,
}

impl<T: Float> Windows<'_, T> {
    /// Computes the sums, if there is a kernel for the level and the rows are wide enough; says whether it did.
    ///
    /// # Safety
    /// The CPU has `level`, the image all elements of each window, and the plane and the sums all of theirs.
    #[cfg(target_arch = "x86_64")]
    pub(crate) unsafe fn run(&self, level: Level) -> bool {
        if self.width < NARROWEST {
            return false;
        }
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

    /// # Safety
    /// As for [`run`](Self::run), within a function that has the instruction set of `V`.
    #[inline(always)]
    unsafe fn all<V: Vector<T>>(&self) {
        let count = self.distances.len();
        // SAFETY: passed on.
        unsafe {
            if count < AT_ONCE {
                return (0..count).for_each(|t| self.write(t, t, self.sums::<V, 1>(t)));
            }
            for t in (0..count).step_by(AT_ONCE) {
                // The last ones are moved back to be as many; what those before have done is not written again.
                let first = t.min(count - AT_ONCE);
                self.write(t, first, self.sums::<V, AT_ONCE>(first));
            }
        }
    }

    /// Writes the sums of the windows from `first` on, but for those before `from`.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    #[inline(always)]
    unsafe fn write<const N: usize>(&self, from: usize, first: usize, sums: [T; N]) {
        for (t, sum) in (first..).zip(sums).skip(from - first) {
            // SAFETY: there is such a sum.
            unsafe {
                let c = self.c.add(t);
                *c = if self.add { *c + sum } else { sum };
            }
        }
    }

    /// The sums of `N` windows.
    ///
    /// # Safety
    /// As for [`all`](Self::all), and there are so many windows from `first` on.
    #[inline(always)]
    unsafe fn sums<V: Vector<T>, const N: usize>(&self, first: usize) -> [T; N] {
        let distances = &self.distances[first..first + N];
        let whole = self.width / V::LANES * V::LANES;
        // SAFETY: every load is of elements that the plane and each window have; those of a mask are within the row.
        unsafe {
            let rest = V::first(self.width - whole);
            let mut lanes = [V::zero(); N];
            for y in 0..self.height {
                let (plane, image) = (self.plane.add(y * self.width), self.image.wrapping_add(y * self.row));
                for x in (0..whole).step_by(V::LANES) {
                    let g = V::load(plane.add(x));
                    for (lanes, &distance) in lanes.iter_mut().zip(distances) {
                        *lanes = V::load(image.wrapping_offset(distance).add(x)).mul_add(g, *lanes);
                    }
                }
                if whole < self.width {
                    let g = V::load_masked(plane.add(whole), rest);
                    for (lanes, &distance) in lanes.iter_mut().zip(distances) {
                        let pixels =
                            V::load_masked(image.wrapping_offset(distance).wrapping_add(whole), rest);
                        *lanes = pixels.mul_add(g, *lanes);
                    }
                }
            }
            let mut sums = [T::ZERO; N];
            for (sum, lanes) in sums.iter_mut().zip(lanes) {
                *sum = lanes.sum();
            }
            sums
        }
    }
}

/// All sums with AVX-512.
///
/// # Safety
/// As for [`Windows::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx512<T: Float>(windows: &Windows<'_, T>) {
    // SAFETY: passed on.
    unsafe { windows.all::<super::x86::Zmm>() }
}

/// All sums with AVX2.
///
/// # Safety
/// As for [`Windows::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt")]
unsafe fn avx2<T: Float>(windows: &Windows<'_, T>) {
    // SAFETY: passed on.
    unsafe { windows.all::<super::x86::Ymm>() }
}
