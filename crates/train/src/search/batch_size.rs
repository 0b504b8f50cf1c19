//! The largest batch that fits into memory.

use std::ops::RangeInclusive;

use wengert_nn::Params;
use wengert_tensor::{Float, memory};

use super::Borrowed;

/// The size of a batch, and what a step with it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FittingBatch {
    /// The number of examples.
    pub size: usize,
    /// The most bytes of tensors that were alive at a time during the step, beyond what was before it.
    pub bytes: usize,
}

/// The largest batch, of one of the `sizes`, whose step stays within `bytes`; `None` if not even the smallest does, or there
/// are no sizes.
///
/// `step` does what a step does with a batch of the given size, and makes the batch, if that is to count. The parameters are
/// restored after each call. Sizes are tried by doubling, as long as the next is not expected to take more, and then by
/// what two of them say, so that the budget is hardly exceeded.
///
/// What counts are the tensors that the calling thread makes. Those are all of a step, with any number of
/// [threads](wengert_tensor::parallel): the others compute parts of what this one has made, and make none. Tensors that
/// `step` makes on threads of its own do not count, nor do the numbers that optimisers keep outside of tensors, as long as they
/// live: two for each parameter in Adam's case.
///
/// # Panics
/// If the smallest size is 0, or `step` panics; the parameters are then restored too.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params, Relu, Sequential};
/// use wengert_tape::Var;
/// use wengert_train::search::{FittingBatch, largest_batch};
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.root())
///     .with(|p| Linear::new(p, 100, 100))
///     .then(Relu)
///     .with(|p| Linear::new(p, 100, 1))
///     .build();
/// let found = largest_batch(&mut params, 1 << 20, 1..=100_000, |params, size| {
///     let x = Var::ones([size, 100]);
///     params.value_and_grad(|cx| model.forward(cx, &x).square().mean()).unwrap();
/// });
/// let FittingBatch { size, bytes, .. } = found.unwrap();
/// assert!(bytes <= 1 << 20 && (300..1500).contains(&size), "{found:?}");
/// ```
#[track_caller]
pub fn largest_batch<T: Float>(
    params: &mut Params<T>,
    bytes: usize,
    sizes: RangeInclusive<usize>,
    mut step: impl FnMut(&mut Params<T>, usize),
) -> Option<FittingBatch> {
    assert!(*sizes.start() > 0, "largest_batch: a batch of 0 examples is none");
    let mut borrowed = Borrowed::new(params);
    let mut taken = |size: usize| {
        memory::reset_peak();
        let before = memory::stats().live_bytes;
        step(borrowed.params, size);
        let peak = memory::stats().peak_bytes - before;
        borrowed.restore();
        FittingBatch { size, bytes: peak.max(0) as usize }
    };
    if sizes.is_empty() {
        return None;
    }
    let first = Some(taken(*sizes.start())).filter(|first| first.bytes <= bytes)?;
    let (mut previous, mut fits) = (FittingBatch { size: 0, bytes: 0 }, first);
    // The smallest that is known or held not to fit.
    let mut too_large = sizes.end().saturating_add(1);
    let mut halve = false;
    while too_large - fits.size > 1 {
        let each = (fits.bytes.saturating_sub(previous.bytes)).div_ceil(fits.size - previous.size).max(1);
        let expected = fits.size.saturating_add((bytes - fits.bytes) / each);
        let middle = fits.size + (too_large - fits.size) / 2;
        let guess = if halve { middle } else { expected.min(fits.size.saturating_mul(2)) };
        let tried = taken(guess.clamp(fits.size + 1, too_large - 1));
        if tried.bytes <= bytes {
            (previous, fits) = (fits, tried);
            // Next to what is expected, unless there is room for more.
            halve = false;
        } else {
            too_large = tried.size;
            // A guess that was too large may be so again.
            halve = !halve;
        }
    }
    Some(fits)
}
