//! Vector algebra on slices: vectorised, threaded above a size, and with the same bits for any number of threads.
//!
//! Scalars are `f64` whatever the element type. Inner products of `f32` vectors are accumulated in `f64`: the
//! loops wait for memory anyway, and no such sum can overflow.
//!
//! ```
//! use wengert_optim::vector::{axpy, dot, norm};
//!
//! let x = [3.0f32, 4.0];
//! let mut y = [1.0, 1.0];
//! axpy(2.0, &x, &mut y); // y += 2 x
//! assert_eq!(y, [7.0, 9.0]);
//! assert_eq!((dot(&x, &y), norm(&x)), (57.0, 5.0));
//! ```

use wengert_tensor::compiled_here;
use wengert_tensor::parallel::{CHUNK, PARALLEL_THRESHOLD, for_each_chunk, reduce};
use wengert_tensor::simd::{Isa, Kernel, dispatch};

pub use wengert_tensor::Float;

/// Independent partial sums of a reduction, enough to hide the latency of an addition in the widest registers.
const LANES: usize = 32;

#[track_caller]
fn same_length(operation: &str, x: usize, y: usize) {
    assert!(x == y, "{operation}: lengths differ: {x} and {y}");
}

/// One pass over a chunk of two vectors: `merge`s `term(x, y)` into independent lanes, then the lanes in order.
struct Fold<'a, T, M, F> {
    x: &'a [T],
    y: &'a [T],
    term: F,
    merge: M,
}

impl<T: Float, F, M> Kernel for Fold<'_, T, M, F>
where
    F: Fn(f64, f64) -> f64,
    M: Fn(f64, f64) -> f64,
{
    type Output = f64;
    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let (xs, ys) = (self.x.chunks_exact(LANES), self.y.chunks_exact(LANES));
        let tail = xs.remainder().iter().zip(ys.remainder());
        for (x, y) in xs.zip(ys) {
            for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
                *lane = (self.merge)(*lane, (self.term)(x.to_f64(), y.to_f64()));
            }
        }
        for (lane, (x, y)) in lanes.iter_mut().zip(tail) {
            *lane = (self.merge)(*lane, (self.term)(x.to_f64(), y.to_f64()));
        }
        lanes.into_iter().fold(0.0, self.merge)
    }
}

/// Every reduction: chunks of fixed size, folded by `merge` (whose neutral element must be 0) in a fixed order.
#[inline]
fn fold<T: Float>(
    x: &[T],
    y: &[T],
    term: impl Fn(f64, f64) -> f64 + Sync + Send + Copy,
    merge: impl Fn(f64, f64) -> f64 + Sync + Send + Copy,
) -> f64 {
    let chunk = |i: usize| {
        let range = i * CHUNK..x.len().min((i + 1) * CHUNK);
        dispatch(Fold { x: &x[range.clone()], y: &y[range], term, merge })
    };
    if x.len() <= CHUNK {
        return if x.is_empty() { 0.0 } else { chunk(0) };
    }
    reduce(x.len().div_ceil(CHUNK), x.len() >= PARALLEL_THRESHOLD, chunk, merge).unwrap_or(0.0)
}

/// Every elementwise update: `y[i] = formula(x[i], y[i])`.
struct Zip<'a, T, F> {
    x: &'a [T],
    y: &'a mut [T],
    formula: F,
}

impl<T: Float, F: Fn(T, T) -> T> Kernel for Zip<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = (self.formula)(x, *y);
        }
    }
}

#[inline]
fn zip<T: Float>(x: &[T], y: &mut [T], formula: impl Fn(T, T) -> T + Sync + Send + Copy) {
    for_each_chunk(y, CHUNK, x.len() >= PARALLEL_THRESHOLD, |start, chunk| {
        dispatch(Zip { x: &x[start..start + chunk.len()], y: chunk, formula });
    });
}

/// xᵀy. Sums of `f64` products may overflow to infinity; those of `f32` cannot.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// assert_eq!(wengert_optim::vector::dot(&[1.0f32, 2.0], &[3.0, 4.0]), 11.0);
/// ```
#[track_caller]
pub fn dot<T: Float>(x: &[T], y: &[T]) -> f64 {
    same_length("dot", x.len(), y.len());
    products(x, y)
}

compiled_here! {
    fn products<T: Float>(x: &[T], y: &[T]) -> f64 {
        fold(x, y, |a, b| a * b, |a, b| a + b)
    }
}

/// ‖x‖₂, without overflow or harmful underflow; NaN if any element is.
///
/// ```
/// use wengert_optim::vector::norm;
/// assert_eq!(norm(&[3.0f64, 4.0]), 5.0);
/// // The squares would overflow.
/// assert!((norm(&[3e200f64, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
/// ```
pub fn norm<T: Float>(x: &[T]) -> f64 {
    compiled_here! {
        fn scaled_squares<T: Float>(x: &[T], scale: f64) -> f64 {
            // Dividing, not multiplying by 1/scale, which overflows for subnormal elements.
            fold(x, x, move |a, b| (a / scale) * (b / scale), |a, b| a + b)
        }
    }
    let squares = products(x, x);
    // Outside this range squares have overflowed or lost digits: scale by the largest element.
    if (1e-280..=1e300).contains(&squares) {
        return squares.sqrt();
    }
    let largest = norm_inf(x);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * scaled_squares(x, largest).sqrt()
}

compiled_here! {
    /// max |xᵢ|, 0 for an empty vector; NaN if any element is.
    ///
    /// ```
    /// assert_eq!(wengert_optim::vector::norm_inf(&[3.0f64, -4.0]), 4.0);
    /// ```
    pub fn norm_inf<T: Float>(x: &[T]) -> f64 {
        fold(x, x, |a, _| a.abs(), |a, b| if a > b || a.is_nan() { a } else { b })
    }
}

compiled_here! {
    /// Σ |xᵢ|.
    ///
    /// ```
    /// assert_eq!(wengert_optim::vector::norm_1(&[3.0f64, -4.0]), 7.0);
    /// ```
    pub fn norm_1<T: Float>(x: &[T]) -> f64 {
        fold(x, x, |a, _| a.abs(), |a, b| a + b)
    }
}

/// Whether no element is infinite or NaN.
///
/// ```
/// assert!(!wengert_optim::vector::all_finite(&[1.0, f64::NAN]));
/// ```
pub fn all_finite<T: Float>(x: &[T]) -> bool {
    norm_inf(x).is_finite()
}

/// `y += a x`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut y = [1.0f64, 1.0];
/// wengert_optim::vector::axpy(2.0, &[1.0, 3.0], &mut y);
/// assert_eq!(y, [3.0, 7.0]);
/// ```
#[track_caller]
pub fn axpy<T: Float>(a: f64, x: &[T], y: &mut [T]) {
    same_length("axpy", x.len(), y.len());
    compiled_here! {
        fn add<T: Float>(a: T, x: &[T], y: &mut [T]) {
            zip(x, y, move |x, y| y + a * x);
        }
    }
    add(T::from_f64(a), x, y);
}

/// `y = a x + b y`. With `b = 0` the old `y` is not read, so it may hold anything.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut y = [f64::NAN; 2];
/// wengert_optim::vector::axpby(2.0, &[1.0, 3.0], 0.0, &mut y);
/// assert_eq!(y, [2.0, 6.0]);
/// ```
#[track_caller]
pub fn axpby<T: Float>(a: f64, x: &[T], b: f64, y: &mut [T]) {
    same_length("axpby", x.len(), y.len());
    compiled_here! {
        fn combine<T: Float>(a: f64, x: &[T], b: f64, y: &mut [T]) {
            let a_ = T::from_f64(a);
            if b == 0.0 {
                return zip(x, y, move |x, _| a_ * x);
            }
            let b_ = T::from_f64(b);
            zip(x, y, move |x, y| a_ * x + b_ * y);
        }
    }
    combine(a, x, b, y);
}

/// `out = x + a d`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut out = [0.0f64; 2];
/// wengert_optim::vector::add_scaled(&[1.0, 1.0], 0.5, &[2.0, -2.0], &mut out);
/// assert_eq!(out, [2.0, 0.0]);
/// ```
#[track_caller]
pub fn add_scaled<T: Float>(x: &[T], a: f64, d: &[T], out: &mut [T]) {
    same_length("add_scaled", x.len(), d.len());
    out.copy_from_slice(x);
    axpy(a, d, out);
}

/// `out = x − y`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut out = [0.0f64; 2];
/// wengert_optim::vector::subtract(&[3.0, 1.0], &[1.0, 1.0], &mut out);
/// assert_eq!(out, [2.0, 0.0]);
/// ```
#[track_caller]
pub fn subtract<T: Float>(x: &[T], y: &[T], out: &mut [T]) {
    same_length("subtract", x.len(), y.len());
    out.copy_from_slice(x);
    axpy(-1.0, y, out);
}

/// `x *= a`.
///
/// ```
/// let mut x = [1.0f64, -2.0];
/// wengert_optim::vector::scale(3.0, &mut x);
/// assert_eq!(x, [3.0, -6.0]);
/// ```
pub fn scale<T: Float>(a: f64, x: &mut [T]) {
    let a = T::from_f64(a);
    for_each_chunk(x, CHUNK, x.len() >= PARALLEL_THRESHOLD, |_, chunk| {
        for x in chunk {
            *x = a * *x;
        }
    });
}

/// `out = a x`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut out = [0.0f64; 2];
/// wengert_optim::vector::scaled(3.0, &[1.0, -2.0], &mut out);
/// assert_eq!(out, [3.0, -6.0]);
/// ```
#[track_caller]
pub fn scaled<T: Float>(a: f64, x: &[T], out: &mut [T]) {
    axpby(a, x, 0.0, out);
}

/// `y[i] *= x[i]`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut y = [1.0f64, -2.0];
/// wengert_optim::vector::multiply(&[3.0, 4.0], &mut y);
/// assert_eq!(y, [3.0, -8.0]);
/// ```
#[track_caller]
pub fn multiply<T: Float>(x: &[T], y: &mut [T]) {
    same_length("multiply", x.len(), y.len());
    compiled_here! {
        fn products_into<T: Float>(x: &[T], y: &mut [T]) {
            zip(x, y, |x, y| x * y);
        }
    }
    products_into(x, y);
}

/// The vector as `f64` (exact).
///
/// ```
/// assert_eq!(wengert_optim::vector::to_f64(&[0.5f32]), [0.5]);
/// ```
pub fn to_f64<T: Float>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

/// Copies `x` into `out`, rounding to `T`.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let mut out = [0.0f32];
/// wengert_optim::vector::from_f64(&[0.1], &mut out);
/// assert_eq!(out, [0.1]);
/// ```
#[track_caller]
pub fn from_f64<T: Float>(x: &[f64], out: &mut [T]) {
    same_length("from_f64", x.len(), out.len());
    for (out, &x) in out.iter_mut().zip(x) {
        *out = T::from_f64(x);
    }
}

/// `#[serde(with)]` for vectors of any [`Float`].
pub(crate) mod serde {
    use super::Float;
    use ::serde::{Deserialize, Deserializer, Serializer};
    use wengert_tensor::ElementKind;

    pub(crate) fn serialize<T: Float, S: Serializer>(x: &[T], s: S) -> Result<S::Ok, S::Error> {
        match T::KIND {
            ElementKind::F32 => s.collect_seq(x.iter().map(|x| x.to_f64() as f32)),
            _ => s.collect_seq(x.iter().map(|x| x.to_f64())),
        }
    }

    pub(crate) fn deserialize<'de, T: Float, D: Deserializer<'de>>(d: D) -> Result<Vec<T>, D::Error> {
        Ok(match T::KIND {
            ElementKind::F32 => {
                Vec::<f32>::deserialize(d)?.into_iter().map(|x| T::from_f64(x.into())).collect()
            }
            _ => Vec::<f64>::deserialize(d)?.into_iter().map(T::from_f64).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_tensor::parallel::with_threads;

    fn ramp(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7919 + seed) % 1009) as f64 / 1009.0 - 0.4).collect()
    }

    #[test]
    fn every_size_agrees_with_plain_loops() {
        for n in (0..140).chain([CHUNK - 1, CHUNK, CHUNK + 1, PARALLEL_THRESHOLD + 77]) {
            let (x, y) = (ramp(n, 1), ramp(n, 2));
            let plain: f64 = x.iter().zip(&y).map(|(a, b)| a * b).sum();
            assert!((dot(&x, &y) - plain).abs() <= 1e-12 * n as f64, "{n}");
            assert_eq!(norm_inf(&x), x.iter().fold(0.0, |m: f64, a| m.max(a.abs())));
            let mut z = vec![f64::NAN; n];
            axpby(2.0, &x, 0.0, &mut z);
            axpy(-1.0, &y, &mut z);
            axpby(1.0, &y, 3.0, &mut z);
            for i in 0..n {
                assert_eq!(z[i], y[i] + 3.0 * (2.0 * x[i] - y[i]), "{n} {i}");
            }
        }
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let (x, y) = (ramp(5 * PARALLEL_THRESHOLD + 3, 1), ramp(5 * PARALLEL_THRESHOLD + 3, 5));
        let all = || {
            let mut z = y.clone();
            axpy(0.3, &x, &mut z);
            scale(1.7, &mut z);
            (dot(&x, &z).to_bits(), norm(&z).to_bits(), norm_1(&z).to_bits(), norm_inf(&z).to_bits())
        };
        let expected = with_threads(1, all);
        for threads in [2, 3, 8] {
            assert_eq!(with_threads(threads, all), expected, "{threads} threads");
        }
    }

    #[test]
    fn norms_neither_overflow_nor_underflow() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-300, 4e-300]) / 5e-300 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-320, 4e-320]) / 5e-320 - 1.0).abs() < 1e-3);
        assert_eq!(norm(&[3e30f32, 4e30]), norm(&[3e30f32 as f64, 4e30f32 as f64]));
        assert_eq!(norm::<f64>(&[]), 0.0);
        assert!(norm(&[1.0, f64::NAN]).is_nan() && norm_inf(&[f64::NAN, 1.0]).is_nan());
        assert_eq!(norm(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(!all_finite(&[0.0, f32::NAN]) && all_finite(&[f32::MAX; 3]));
    }

    #[test]
    #[should_panic(expected = "dot: lengths differ: 2 and 3")]
    fn lengths_are_checked() {
        dot(&[1.0, 2.0], &[1.0, 2.0, 3.0]);
    }
}
