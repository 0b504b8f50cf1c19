//! Gradient clipping by value and by global norm.

use wengert_tensor::Float;
use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::{Isa, Kernel, dispatch};

use super::loops::sum_of_squares;

/// The Euclidean norm of a vector. It neither overflows nor underflows where the norm itself does not, and is NaN or
/// infinite exactly if an element is.
///
/// ```
/// assert_eq!(wengert_optim::global_norm(&[3.0f32, -4.0]), 5.0);
/// assert!((wengert_optim::global_norm(&[3e200f64, -4e200]) / 5e200 - 1.0).abs() < 1e-15);
/// ```
pub fn global_norm<T: Float>(x: &[T]) -> f64 {
    norm_of(sum_of_squares(x), x.len(), |i| x[i].to_f64())
}

/// The norm of `len` terms whose squares have the sum `sum`; if that left the range on the way they are summed again,
/// divided by the largest.
pub(crate) fn norm_of(sum: f64, len: usize, term: impl Fn(usize) -> f64) -> f64 {
    if let Some(root) = root_of(sum) {
        return root;
    }
    let largest = (0..len).fold(0.0, |m, i| Float::maximum(m, term(i).abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    // Not by a reciprocal, which overflows for the smallest.
    largest * (0..len).map(|i| (term(i) / largest).powi(2)).sum::<f64>().sqrt()
}

/// The root of a sum of squares, if that has not left the range on the way.
pub(crate) fn root_of(sum: f64) -> Option<f64> {
    (sum.is_finite() && sum > 1e-280).then(|| sum.sqrt())
}

/// Two factors whose product is `numerator / denominator`, 1 being the second if the first is in the range of `T`. Else, as
/// for a norm of 1e-40 in f32, what is about as large as the denominator comes into the range by the first.
pub(crate) fn ratio<T: Float>(numerator: f64, denominator: f64) -> [T; 2] {
    let (small, large) = (T::MIN_POSITIVE.to_f64(), 0.25 / T::MIN_POSITIVE.to_f64());
    let whole = numerator / denominator;
    if numerator == 0.0 || (small..large).contains(&whole.abs()) || denominator.is_nan() {
        return [T::from_f64(whole), T::ONE];
    }
    let first = denominator.recip().clamp(small, large);
    [T::from_f64(first), T::from_f64(numerator / (first * denominator))]
}

/// Scales `grads` by `min(1, max_norm / ‖grads‖)`; returns the norm before.
///
/// One pass to read the norm, a second only if it is too large. A gradient with NaN or infinity is left as it is:
/// scaling could only spread it; the returned norm tells.
///
/// Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks*, 2013. (PyTorch
/// divides by the norm + 1e-6; here, as in optax and the paper, the clipped norm is `max_norm`.)
///
/// ```
/// let mut grads = [3.0f32, -4.0];
/// assert_eq!(wengert_optim::clip_by_global_norm(&mut grads, 1.0), 5.0);
/// assert_eq!(grads, [0.6, -0.8]);
/// ```
///
/// # Panics
/// If `max_norm` is negative or NaN.
#[track_caller]
pub fn clip_by_global_norm<T: Float>(grads: &mut [T], max_norm: f64) -> f64 {
    assert!(max_norm >= 0.0, "clip_by_global_norm: the largest norm is {max_norm}, but must be at least 0");
    let norm = global_norm(grads);
    if norm.is_finite() && norm > max_norm {
        scale(grads, ratio(max_norm, norm));
    }
    norm
}

/// Clamps every element to [−limit, limit]; NaN stays NaN.
///
/// ```
/// let mut grads = [3.0f32, -0.5, f32::NEG_INFINITY];
/// wengert_optim::clip_by_value(&mut grads, 1.0);
/// assert_eq!(grads, [1.0, -0.5, -1.0]);
/// ```
///
/// # Panics
/// If `limit` is negative or NaN.
#[track_caller]
pub fn clip_by_value<T: Float>(grads: &mut [T], limit: f64) {
    assert!(limit >= 0.0, "clip_by_value: the limit is {limit}, but must be at least 0");
    let limit = T::from_f64(limit);
    map(grads, move |g| {
        if g > limit {
            limit
        } else if g < -limit {
            -limit
        } else {
            g
        }
    });
}

/// Multiplies every element by both factors, see [`ratio`].
pub(crate) fn scale<T: Float>(x: &mut [T], [first, second]: [T; 2]) {
    map(x, move |v| v * first * second);
}

/// Replaces every element by `f` of it.
pub(crate) fn map<T: Float>(x: &mut [T], f: impl Fn(T) -> T + Copy + Sync + Send) {
    parallel::for_each_chunk(x, CHUNK, x.len() >= PARALLEL_THRESHOLD, |_, chunk| dispatch(Map(chunk, f)));
}

struct Map<'a, T, F>(&'a mut [T], F);

impl<T: Float, F: Fn(T) -> T> Kernel for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for v in self.0 {
            *v = self.1(*v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_of_extremes() {
        assert_eq!(global_norm::<f32>(&[]), 0.0);
        assert!((global_norm(&[3e-200f64, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert!((global_norm(&[3e30f32, 4e30]) / 5e30 - 1.0).abs() < 1e-7);
        assert!(global_norm(&[1.0, f64::NAN]).is_nan());
        assert_eq!(global_norm(&[1.0, f32::NEG_INFINITY]), f64::INFINITY);
    }

    #[test]
    fn norm_and_clipping_do_not_depend_on_threads() {
        let x: Vec<f32> = (0..200_003).map(|i| ((i * 7919) % 1009) as f32 - 504.0).collect();
        let clipped = |threads| {
            wengert_tensor::parallel::with_threads(threads, || {
                let mut y = x.clone();
                let norm = clip_by_global_norm(&mut y, 3.0);
                (norm.to_bits(), y)
            })
        };
        let one = clipped(1);
        assert!((global_norm(&one.1) - 3.0).abs() < 1e-5);
        for threads in [2, 3, 8] {
            assert!(clipped(threads) == one);
        }
    }

    #[test]
    fn non_finite_gradients_are_left_alone() {
        let mut g = [1.0, f64::INFINITY];
        assert_eq!(clip_by_global_norm(&mut g, 0.1), f64::INFINITY);
        assert_eq!(g, [1.0, f64::INFINITY]);
    }
}
