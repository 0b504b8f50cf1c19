//! Batch normalisation of a batch of which several workers have a shard each.

use wengert_tape::Var;
use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::{Float, Shape, Tensor};

use crate::ctx::Ctx;

/// A batch's mean and variance Σ(x − mean)²/n of each channel, and the n they are taken over.
pub(super) struct Moments<T: Float> {
    pub(super) mean: Tensor<T>,
    pub(super) variance: Tensor<T>,
    pub(super) elements: f64,
}

impl<T: Float> Moments<T> {
    /// Those of a tensor with elements.
    pub(super) fn of(x: &Tensor<T>) -> Self {
        let geometry = NormGeometry::batch(x.shape(), 0.0).expect("it has been normalised");
        let elements = of_a_channel(x.shape()) as f64;
        let x = x.contiguous();
        let [mean, variance] =
            normalise::moments(&geometry, x.as_slice().expect("made contiguous")).map(|m| Tensor::vector(&m));
        Moments { mean, variance, elements }
    }
}

/// (x − mean) / √(variance + ε) · weight + bias with the moments over all shards of the batch.
///
/// The mean first and then the deviations from it, so two sums over the shards: sums of squares in one would lose the variance of
/// channels whose mean is large.
#[track_caller]
pub(super) fn batch_norm<T: Float>(
    cx: &Ctx<T>,
    x: &Var<T>,
    [weight, bias]: [&Var<T>; 2],
    epsilon: f64,
) -> (Var<T>, Moments<T>) {
    let channels = x.shape()[1];
    let others: Vec<usize> = (0..x.rank()).filter(|&axis| axis != 1).collect();
    let of_channels = |x: &Var<T>| x.sum_axes(&others[..], false);
    let count = Var::from([T::from_f64(of_a_channel(x.shape()) as f64)]);
    let sums = cx.sum_over_shards(&Var::cat(&[of_channels(x), count], 0));
    let (sum, count) = (sums.slice(..channels), sums.slice(channels..));
    let mean = sum / &count;
    let spread: Shape = (0..x.rank()).map(|axis| if axis == 1 { channels } else { 1 }).collect();
    let squares = (x - mean.reshape(spread)).square();
    let variance = cx.sum_over_shards(&of_channels(&squares)) / &count;
    let y = x.batch_norm_by(&mean, &variance, weight, bias, epsilon);
    let elements = count.item().to_f64();
    (y, Moments { mean: mean.value().clone(), variance: variance.value().clone(), elements })
}

/// The elements that a channel has in a tensor of shape `[examples, channels, …]`.
pub(super) fn of_a_channel(x: &Shape) -> usize {
    x[0] * x[2..].iter().product::<usize>()
}
