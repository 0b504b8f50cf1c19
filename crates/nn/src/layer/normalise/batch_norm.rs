//! Batch normalisation.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::over_shards::{self, Moments, of_a_channel};
use super::running::Running;
use super::{Gain, check_channels, checked_epsilon};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// (x − mean) / √(variance + ε) · weight + bias for each channel of inputs `[batch, channels, …]` (Ioffe and Szegedy, "Batch
/// normalization", 2015). `D` is the number of axes behind the channels; [`BatchNorm1d`] also takes `[batch, channels]`.
///
/// In training the mean and the variance Σ(x − mean)²/n are those of the batch, and running ones move the part
/// `momentum` of the way to the batch's mean and Σ(x − mean)²/(n − 1); in evaluation the running ones are used. They
/// change once for each step of an optimiser, by
/// [`Params::update_buffers`](crate::Params::update_buffers), whatever the number of evaluations in it.
///
/// The batch is what the forward pass sees: on each of several workers its shard, unless the context [knows of the
/// others](Ctx::set_shards). Then it is the whole batch, as in `torch.nn.SyncBatchNorm`, with all derivatives.
///
/// Parameters and buffers as in PyTorch: `weight`, ones at the start, `bias`, zeros, `running_mean`, zeros, `running_var`,
/// ones, all of shape `[channels]`, and `num_batches_tracked`. An empty batch gives an empty output and leaves the
/// statistics as they are.
///
/// ```
/// use wengert_nn::{BatchNorm2d, Conv2d, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let conv = Conv2d::builder(3, 8, 3).padding(1).no_bias().build(params.at("conv"));
/// let norm = BatchNorm2d::new(params.at("norm"), 8);
/// let x = Var::ones([4, 3, 6, 6]);
/// let loss = |cx: &wengert_nn::Ctx| norm.forward(cx, &conv.forward(cx, &x)).square().mean();
/// let (_, grads) = params.value_and_grad(loss)?;
/// params.update_buffers(&grads);
/// assert_eq!(params.counts(), [("norm.num_batches_tracked".to_owned(), 1)]);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
#[doc(alias = "SyncBatchNorm")]
#[derive(Clone, Debug)]
pub struct BatchNorm<const D: usize> {
    gain: Gain,
    running: Option<Running>,
    channels: usize,
    epsilon: f64,
    momentum: Option<f64>,
}

/// [`BatchNorm`] of `[batch, channels]` or `[batch, channels, length]`.
#[doc(alias = "nn.BatchNorm1d")]
pub type BatchNorm1d = BatchNorm<1>;
/// [`BatchNorm`] of images `[batch, channels, height, width]`.
#[doc(alias = "nn.BatchNorm2d")]
pub type BatchNorm2d = BatchNorm<2>;
/// [`BatchNorm`] of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.BatchNorm3d")]
pub type BatchNorm3d = BatchNorm<3>;

impl<const D: usize> BatchNorm<D> {
    /// A layer with weight, bias, running statistics, ε = 10⁻⁵ and momentum 0.1.
    ///
    /// # Panics
    /// If the place already has one of the names.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, channels: usize) -> Self {
        BatchNorm::builder(channels).build(p)
    }

    /// A layer with options.
    pub fn builder(channels: usize) -> BatchNormBuilder<D> {
        BatchNormBuilder { channels, epsilon: 1e-5, momentum: Some(0.1), affine: true, running: true }
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
            1 => "BatchNorm1d",
            2 => "BatchNorm2d",
            3 => "BatchNorm3d",
            _ => "BatchNorm",
        }
    }

    /// Normalises by the statistics of the batch: the whole one, where x is a shard of it. In training, running ones move to them.
    #[track_caller]
    fn by_batch<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, [weight, bias]: [&Var<T>; 2]) -> Var<T> {
        // Not in closures, which would lose the caller's line.
        let whole = match cx.shards() {
            Some(_) => Some(over_shards::batch_norm(cx, x, [weight, bias], self.epsilon)),
            None => None,
        };
        let elements = whole.as_ref().map_or(of_a_channel(x.shape()) as f64, |(_, batch)| batch.elements);
        assert!(
            elements != 1.0,
            "{}: an input of shape {} has one element in each channel, and so no variance",
            Self::kind(),
            x.shape()
        );
        let (y, batch) = match whole {
            Some((y, batch)) => (y, Some(batch)),
            None => (x.batch_norm(weight, bias, self.epsilon), None),
        };
        if let Some(running) = self.running.as_ref().filter(|_| cx.is_training() && elements > 0.0) {
            self.track(cx, running, &batch.unwrap_or_else(|| Moments::of(x.value())));
        }
        y
    }

    /// Moves the running statistics towards those of a batch.
    fn track<T: Float>(&self, cx: &Ctx<T>, running: &Running, batch: &Moments<T>) {
        let batches = running.batches(cx) + 1;
        let unbiased = &batch.variance * (batch.elements / (batch.elements - 1.0));
        running.move_to(cx, self.momentum.unwrap_or(1.0 / batches as f64), &batch.mean, &unbiased);
        running.set_batches(cx, batches);
    }
}

/// The options of a [`BatchNorm`].
#[derive(Clone, Debug)]
pub struct BatchNormBuilder<const D: usize> {
    channels: usize,
    epsilon: f64,
    momentum: Option<f64>,
    affine: bool,
    running: bool,
}

impl<const D: usize> BatchNormBuilder<D> {
    /// ε. Default 10⁻⁵.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Which part of the running statistics a batch's replace. Default 0.1.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = BatchNorm1d::builder(1).momentum(0.5).build(params.at("norm"));
    /// let (_, grads) = params.value_and_grad(|cx| norm.forward(cx, &Var::from([[1.0], [3.0]])).square().sum())?;
    /// params.update_buffers(&grads);
    /// // Half of the old mean, 0, and half of the batch's, 2.
    /// assert_eq!(params.buffers()[0].1.to_vec(), [1.0]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = Some(momentum);
        self
    }

    /// Running statistics that are the mean over all batches so far: the `n`th has the part 1/n. (PyTorch's
    /// `momentum=None`.)
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = BatchNorm1d::builder(1).cumulative().build(params.at("norm"));
    /// for batch in [[[1.0], [3.0]], [[5.0], [7.0]]] {
    ///     let (_, grads) = params.value_and_grad(|cx| norm.forward(cx, &Var::from(batch)).square().sum())?;
    ///     params.update_buffers(&grads);
    /// }
    /// assert_eq!(params.buffers()[0].1.to_vec(), [4.0]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.momentum = None;
        self
    }

    /// Neither weight nor bias.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm2d, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// BatchNorm2d::builder(8).no_affine().build(params.root());
    /// assert_eq!(params.values().len(), 0);
    /// ```
    #[must_use]
    pub fn no_affine(mut self) -> Self {
        self.affine = false;
        self
    }

    /// No running statistics: those of the batch are used in evaluation too.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = BatchNorm1d::builder(1).no_running_statistics().build(params.root());
    /// let y = params.infer(|cx| norm.forward(cx, &Var::from([[1.0], [3.0]])));
    /// assert!((y.value().at([1, 0]) - 1.0).abs() < 1e-4);
    /// ```
    #[doc(alias = "track_running_stats")]
    #[must_use]
    pub fn no_running_statistics(mut self) -> Self {
        self.running = false;
        self
    }

    /// Makes the layer's parameters and buffers.
    ///
    /// # Panics
    /// If ε is negative or NaN, or the place already has one of the names.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> BatchNorm<D> {
        let BatchNormBuilder { channels, epsilon, momentum, affine, running } = self;
        checked_epsilon("batch_norm", epsilon);
        let gain = Gain::make(&mut p, &[channels].into(), affine, affine);
        // Not by `then`: a closure would lose the caller's line.
        let running = if running { Some(Running::make(&mut p, channels)) } else { None };
        BatchNorm { gain, running, channels, epsilon, momentum }
    }
}

impl<T: Float, const D: usize> Layer<T> for BatchNorm<D> {
    /// # Panics
    /// If the input has another number of axes or channels, or a single element in each channel where the statistics are
    /// the batch's, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let least = if D == 1 { 2 } else { D + 2 };
        check_channels(Self::kind(), x.shape(), [least, D + 2], 1, self.channels);
        let layer = cx.enter(Self::kind());
        let (weight, bias) = self.gain.get("batch_norm", cx);
        let y = match &self.running {
            Some(running) if !cx.is_training() => running.apply(cx, x, &weight, &bias, self.epsilon),
            _ => self.by_batch(cx, x, [&weight, &bias]),
        };
        layer.leave(&self.gain.ids(), y)
    }
}
