//! What normalisation by known statistics is: a scale and a shift for each channel, in one pass.

use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::{Float, Shape, Tensor};

use super::{by_channel, of_channels, written};
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// (x − mean)·scale + shift of x and of one number for each channel.
struct ChannelAffine;

fn fits(inputs: &[&Shape]) -> bool {
    let x = inputs[0];
    x.len() >= 2 && inputs[1..].iter().all(|shape| shape[..] == x[1..2])
}

impl<T: Float> Op<T> for ChannelAffine {
    fn name(&self) -> &str {
        "channel_affine"
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let shapes: Vec<&Shape> = inputs.iter().map(|input| input.shape()).collect();
        assert!(
            fits(&shapes),
            "channel_affine: mean, scale and shift of shapes {}, {} and {} for the channels, the second axis, of shape {}",
            shapes[1],
            shapes[2],
            shapes[3],
            shapes[0]
        );
        let geometry = NormGeometry::batch(shapes[0], 0.0).expect("a tensor with channels");
        let inputs = [inputs[0], inputs[1], inputs[2], inputs[3]];
        written("channel_affine", shapes[0], inputs, |[x, mean, scale, shift], out| {
            normalise::affine(&geometry, x, [mean, scale, shift], out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, mean, scale) = (at.input(0), at.input(1), at.input(2));
        let rank = x.rank();
        into.add(0, || cotangent * by_channel(scale, rank));
        into.add(1, || -(of_channels(cotangent) * scale));
        into.add(2, || of_channels(&(cotangent * (x - by_channel(mean, rank)))));
        into.add(3, || of_channels(cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, mean, scale) = (at.input(0), at.input(1), at.input(2));
        let rank = x.rank();
        let of_x = tangents[0].as_ref().map(|t| t * by_channel(scale, rank));
        let of_mean = tangents[1].as_ref().map(|t| by_channel(&-(t * scale), rank));
        let of_scale = tangents[2].as_ref().map(|t| (x - by_channel(mean, rank)) * by_channel(t, rank));
        let of_shift = tangents[3].as_ref().map(|t| by_channel(t, rank));
        let parts = [of_x, of_mean, of_scale, of_shift].into_iter().flatten();
        parts.reduce(|a, b| a + b).map(|sum| sum.broadcast_to(x.shape()))
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b111)
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        fits(inputs).then(|| inputs[0].clone())
    }

    rules_compiled_here!(ChannelAffine);
}

impl<T: Float> Var<T> {
    /// (x − mean)·scale + shift for x of shape `[examples, channels, …]` and one number of each for each channel: what
    /// normalisation by known statistics comes to, with scale = gain / √(variance + ε).
    ///
    /// # Panics
    /// If mean, scale and shift do not have the shape `[channels]`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let of_channels = |a: f64, b: f64| Var::from([a, b]);
    /// let x = Var::from([[1.0, 10.0], [3.0, 30.0]]);
    /// let y = x.channel_affine(&of_channels(1.0, 10.0), &of_channels(2.0, 0.1), &of_channels(0.5, 0.0));
    /// assert_eq!(y.value().to_vec(), [0.5, 0.0, 4.5, 2.0]);
    /// ```
    #[track_caller]
    pub fn channel_affine(&self, mean: &Var<T>, scale: &Var<T>, shift: &Var<T>) -> Var<T> {
        apply(ChannelAffine, &[self, mean, scale, shift])
    }
}
