//! Dropout of whole channels.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::probability;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// In training, makes every channel of every example 0 with probability p and divides the others by 1 − p; otherwise the
/// identity (Tompson et al., "Efficient object localization using convolutional networks", 2015). `D` is the number of axes
/// behind the channels: inputs are `[batch, channels, …]`, or a single example `[channels, …]`. (PyTorch's `Dropout2d`
/// takes three axes for `[batch, channels, length]`, which is [`Dropout1d`] here.)
///
/// ```
/// use wengert_nn::{Dropout2d, Layer, Mode, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let drop = Dropout2d::new(0.5);
/// let y = params.infer_in(Mode::Train, |cx| drop.forward(cx, &Var::ones([4, 8, 2, 2])));
/// assert!(y.value().to_vec().chunks(4).all(|channel| channel == [0.0; 4] || channel == [2.0; 4]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelDropout<const D: usize> {
    p: f64,
}

/// [`ChannelDropout`] of sequences `[batch, channels, length]`.
#[doc(alias = "nn.Dropout1d")]
#[doc(alias = "SpatialDropout1D")]
pub type Dropout1d = ChannelDropout<1>;
/// [`ChannelDropout`] of images `[batch, channels, height, width]`.
#[doc(alias = "nn.Dropout2d")]
#[doc(alias = "SpatialDropout2D")]
pub type Dropout2d = ChannelDropout<2>;
/// [`ChannelDropout`] of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.Dropout3d")]
#[doc(alias = "SpatialDropout3D")]
pub type Dropout3d = ChannelDropout<3>;

impl<const D: usize> ChannelDropout<D> {
    const KIND: &str = match D {
        1 => "Dropout1d",
        2 => "Dropout2d",
        3 => "Dropout3d",
        _ => "ChannelDropout",
    };

    /// Dropout of channels with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f64) -> Self {
        ChannelDropout { p: probability(Self::KIND, p) }
    }
}

impl<T: Float, const D: usize> Layer<T> for ChannelDropout<D> {
    /// # Panics
    /// If the input has another number of axes.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (kind, rank) = (Self::KIND, x.rank());
        assert!(
            rank == D + 1 || rank == D + 2,
            "{kind}: the input has shape {}, but {} or {} axes are expected",
            x.shape(),
            D + 1,
            D + 2
        );
        if !cx.is_training() || self.p == 0.0 {
            return cx.enter(kind).leave(&[], x.clone());
        }
        let behind: Vec<usize> = (rank - D..rank).collect();
        cx.enter(kind).leave(&[], x.dropout_shared(self.p, &behind[..], cx.key()))
    }
}
