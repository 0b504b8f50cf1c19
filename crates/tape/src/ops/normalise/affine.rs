//! What normalisation by known statistics is: a scale and a shift for each channel, in one pass.

use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::{Float, Shape, Tensor};

use super::{by_channel, of_channels, written};
use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
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

    /// (x − mean) / √(variance + ε) · gain + bias for x of shape `[examples, channels, …]`, with statistics that are known, such
    /// as the running ones of a batch normalisation in evaluation.
    ///
    /// # Panics
    /// If mean, variance, gain and bias do not have the shape `[channels]`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let of_channels = |a: f64, b: f64| Var::from([a, b]);
    /// let x = Var::from([[1.0, 10.0], [3.0, 30.0]]);
    /// let (mean, variance) = (of_channels(1.0, 10.0), of_channels(4.0, 16.0));
    /// let y = x.batch_norm_by(&mean, &variance, &of_channels(1.0, 3.0), &of_channels(0.5, 0.0), 0.0);
    /// assert_eq!(y.value().to_vec(), [0.5, 0.0, 1.5, 15.0]);
    /// ```
    #[doc(alias = "batch_norm(training=False)")]
    #[track_caller]
    pub fn batch_norm_by(
        &self,
        mean: &Var<T>,
        variance: &Var<T>,
        gain: &Var<T>,
        bias: &Var<T>,
        epsilon: f64,
    ) -> Var<T> {
        assert!(
            fits(&[self, mean, variance, gain, bias].map(Var::shape)),
            "batch_norm_by: mean, variance, gain and bias of shapes {}, {}, {} and {} for the channels, the second axis, of shape {}",
            mean.shape(),
            variance.shape(),
            gain.shape(),
            bias.shape(),
            self.shape()
        );
        fused(
            || {
                let mut attributes = Attributes::default();
                attributes.set("epsilon", epsilon);
                Description { name: "batch_norm_by".to_owned(), attributes }
            },
            [self, mean, variance, gain, bias],
            move |[x, mean, variance, gain, bias]| {
                let scale = gain * (variance + epsilon).rsqrt();
                ChannelAffine.forward(&[x, mean, &scale, bias])
            },
            || self.channel_affine(mean, &(gain * (variance + epsilon).rsqrt()), bias),
        )
    }
}
