//! Group normalisation.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Gain, checked_epsilon};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// (x − mean) / √(variance + ε) · weight + bias for inputs `[batch, channels, …]`, with the mean and the variance over equal
/// groups of the channels of each example (Wu and He, "Group normalization", 2018).
///
/// Parameters as in PyTorch: `weight`, ones at the start, and `bias`, zeros, of shape `[channels]`.
///
/// ```
/// use wengert_nn::{GroupNorm, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let norm = GroupNorm::new(params.at("norm"), 2, 6);
/// let y = params.infer(|cx| norm.forward(cx, &Var::ones([5, 6, 4, 4])));
/// assert_eq!(y.value().abs().max().item(), 0.0);
/// ```
#[doc(alias = "nn.GroupNorm")]
#[derive(Clone, Debug)]
pub struct GroupNorm {
    gain: Gain,
    groups: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// A layer with weight, bias and ε = 10⁻⁵.
    ///
    /// # Panics
    /// If the channels cannot be parted into so many groups, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, groups: usize, channels: usize) -> Self {
        GroupNorm::builder(groups, channels).build(p)
    }

    /// A layer with options.
    pub fn builder(groups: usize, channels: usize) -> GroupNormBuilder {
        GroupNormBuilder { groups, channels, epsilon: 1e-5, affine: true }
    }

    /// The factor, of shape `[channels]`.
    pub fn weight(&self) -> Option<ParamId> {
        self.gain.weight
    }

    /// The shift, of shape `[channels]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.gain.bias
    }
}

/// The options of a [`GroupNorm`].
#[derive(Clone, Debug)]
pub struct GroupNormBuilder {
    groups: usize,
    channels: usize,
    epsilon: f64,
    affine: bool,
}

impl GroupNormBuilder {
    /// ε. Default 10⁻⁵.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Neither weight nor bias.
    ///
    /// ```
    /// use wengert_nn::{GroupNorm, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// GroupNorm::builder(2, 8).no_affine().build(params.root());
    /// assert_eq!(params.values().len(), 0);
    /// ```
    #[must_use]
    pub fn no_affine(mut self) -> Self {
        self.affine = false;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If ε is negative or NaN, the channels cannot be parted into so many groups, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> GroupNorm {
        let GroupNormBuilder { groups, channels, epsilon, affine } = self;
        checked_epsilon("group_norm", epsilon);
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "group_norm: {channels} channels cannot be parted into {groups} groups"
        );
        GroupNorm { gain: Gain::make(&mut p, &[channels].into(), affine, affine), groups, epsilon }
    }
}

impl<T: Float> Layer<T> for GroupNorm {
    /// # Panics
    /// If the second axis of `x` does not have the channels, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (weight, bias) = self.gain.get("group_norm", cx);
        cx.enter("GroupNorm").leave(&self.gain.ids(), x.group_norm(self.groups, &weight, &bias, self.epsilon))
    }
}
