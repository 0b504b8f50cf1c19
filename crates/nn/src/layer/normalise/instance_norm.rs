//! Instance normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::running::Running;
use super::{Gain, check_channels, checked_epsilon};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// (x − mean) / √(variance + ε) · weight + bias for inputs `[batch, channels, …]`, or `[channels, …]`, with the mean and the
/// variance of each channel of each example (Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016). `D` is the
/// number of axes behind the channels.
///
/// As in PyTorch there are neither parameters (`weight` and `bias` of shape `[channels]`) nor running statistics
/// (`running_mean`, `running_var`, `num_batches_tracked`, the last of which stays 0) unless the builder says so. Running
/// statistics are used in evaluation, in training they move to the mean over the batch of the examples' means
/// and unbiased variances.
///
/// ```
/// use wengert_nn::{InstanceNorm2d, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let norm = InstanceNorm2d::new(params.at("norm"), 3);
/// let y = params.infer(|cx| norm.forward(cx, &Var::ones([2, 3, 4, 4])));
/// assert!(params.is_empty() && y.value().abs().max().item() == 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct InstanceNorm<const D: usize> {
    gain: Gain,
    running: Option<Running>,
    channels: usize,
    epsilon: f64,
    momentum: f64,
}

/// [`InstanceNorm`] of sequences `[batch, channels, length]`.
#[doc(alias = "nn.InstanceNorm1d")]
pub type InstanceNorm1d = InstanceNorm<1>;
/// [`InstanceNorm`] of images `[batch, channels, height, width]`.
#[doc(alias = "nn.InstanceNorm2d")]
pub type InstanceNorm2d = InstanceNorm<2>;
/// [`InstanceNorm`] of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.InstanceNorm3d")]
pub type InstanceNorm3d = InstanceNorm<3>;

impl<const D: usize> InstanceNorm<D> {
    /// A layer without parameters and running statistics, with ε = 10⁻⁵.
    pub fn new<T: Float>(p: Scope<'_, T>, channels: usize) -> Self {
        InstanceNorm::builder(channels).build(p)
    }

    /// A layer with options.
    pub fn builder(channels: usize) -> InstanceNormBuilder<D> {
        InstanceNormBuilder { channels, epsilon: 1e-5, momentum: 0.1, affine: false, running: false }
    }

    /// The factor, of shape `[channels]`.
    pub fn weight(&self) -> Option<ParamId> {
        self.gain.weight
    }

    /// The shift, of shape `[channels]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.gain.bias
    }

    fn kind() -> &'static str {
        match D {
            1 => "InstanceNorm1d",
            2 => "InstanceNorm2d",
            3 => "InstanceNorm3d",
            _ => "InstanceNorm",
        }
    }

    /// Moves the running statistics, if there are such, towards those of a batch.
    fn track<T: Float>(&self, cx: &Ctx<T>, x: &Tensor<T>) {
        let Some(running) = &self.running else { return };
        let others: Vec<usize> = (2..x.rank()).collect();
        let mean = x.mean_axes(&others[..], false).mean_axes(0, false);
        let variance = x.var_axes(&others[..], 1, false).mean_axes(0, false);
        running.move_to(cx, self.momentum, &mean, &variance);
    }
}

/// The options of an [`InstanceNorm`].
#[derive(Clone, Debug)]
pub struct InstanceNormBuilder<const D: usize> {
    channels: usize,
    epsilon: f64,
    momentum: f64,
    affine: bool,
    running: bool,
}

impl<const D: usize> InstanceNormBuilder<D> {
    /// ε. Default 10⁻⁵.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Which part of the running statistics a batch's replace. Default 0.1.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// With weight and bias.
    #[must_use]
    pub fn affine(mut self) -> Self {
        self.affine = true;
        self
    }

    /// With running statistics, which are used in evaluation.
    ///
    /// ```
    /// use wengert_nn::{InstanceNorm1d, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// InstanceNorm1d::builder(3).running_statistics().momentum(0.2).build(params.at("norm"));
    /// assert_eq!(params.buffers()[1].1.to_vec(), [1.0; 3]);
    /// ```
    #[doc(alias = "track_running_stats")]
    #[must_use]
    pub fn running_statistics(mut self) -> Self {
        self.running = true;
        self
    }

    /// Makes the layer's parameters and buffers.
    ///
    /// # Panics
    /// If ε is negative or NaN, or the place already has one of the names.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> InstanceNorm<D> {
        let InstanceNormBuilder { channels, epsilon, momentum, affine, running } = self;
        checked_epsilon("instance_norm", epsilon);
        let gain = Gain::make(&mut p, &[channels].into(), affine, affine);
        // Not by `then`: a closure would lose the caller's line.
        let running = if running { Some(Running::make(&mut p, channels)) } else { None };
        InstanceNorm { gain, running, channels, epsilon, momentum }
    }
}

impl<T: Float, const D: usize> Layer<T> for InstanceNorm<D> {
    /// # Panics
    /// If the input has another number of axes or channels, or a single element behind the channels where the
    /// statistics are its own, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let channels_at = x.rank().saturating_sub(D + 1).min(1);
        check_channels(Self::kind(), x.shape(), [D + 1, D + 2], channels_at, self.channels);
        let layer = cx.enter(Self::kind());
        let batch = if channels_at == 0 { x.unsqueeze(0) } else { x.clone() };
        let (weight, bias) = self.gain.get("instance_norm", cx);
        let y = match &self.running {
            Some(running) if !cx.is_training() => running.apply(cx, &batch, &weight, &bias, self.epsilon),
            _ => {
                let elements: usize = batch.shape()[2..].iter().product();
                assert!(
                    elements != 1,
                    "{}: an input of shape {} has one element in each channel, and so no variance",
                    Self::kind(),
                    x.shape()
                );
                let y = batch.instance_norm(&weight, &bias, self.epsilon);
                if cx.is_training() && !batch.is_empty() {
                    self.track(cx, batch.value());
                }
                y
            }
        };
        let y = if channels_at == 0 { y.squeeze(0) } else { y };
        layer.leave(&self.gain.ids(), y)
    }
}
