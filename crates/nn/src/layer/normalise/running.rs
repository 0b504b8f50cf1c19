//! Running statistics of channels.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use crate::ctx::Ctx;
use crate::params::{BufferId, CountId, Scope};

/// The mean and the variance of each channel over the batches seen in training, and how many those were; under PyTorch's
/// names.
#[derive(Clone, Debug)]
pub(super) struct Running {
    mean: BufferId,
    variance: BufferId,
    batches: CountId,
}

impl Running {
    #[track_caller]
    pub(super) fn make<T: Float>(p: &mut Scope<'_, T>, channels: usize) -> Self {
        let mean = p.buffer("running_mean", Tensor::zeros([channels]));
        let variance = p.buffer("running_var", Tensor::ones([channels]));
        Running { mean, variance, batches: p.count("num_batches_tracked", 0) }
    }

    /// The batches seen so far.
    pub(super) fn batches<T: Float>(&self, cx: &Ctx<T>) -> i64 {
        cx.count(self.batches)
    }

    pub(super) fn set_batches<T: Float>(&self, cx: &Ctx<T>, batches: i64) {
        cx.set_count(self.batches, batches);
    }

    /// Moves mean and variance the part `momentum` of the way to those of a batch.
    pub(super) fn move_to<T: Float>(
        &self,
        cx: &Ctx<T>,
        momentum: f64,
        mean: &Tensor<T>,
        variance: &Tensor<T>,
    ) {
        for (buffer, value) in [(self.mean, mean), (self.variance, variance)] {
            cx.set_buffer(buffer, cx.buffer(buffer) * (1.0 - momentum) + value * momentum);
        }
    }

    /// (x − mean) / √(variance + ε) · weight + bias.
    #[track_caller]
    pub(super) fn apply<T: Float>(
        &self,
        cx: &Ctx<T>,
        x: &Var<T>,
        weight: &Var<T>,
        bias: &Var<T>,
        epsilon: f64,
    ) -> Var<T> {
        let [mean, variance] = [self.mean, self.variance].map(|buffer| Var::constant(cx.buffer(buffer)));
        x.batch_norm_by(&mean, &variance, weight, bias, epsilon)
    }
}
