//! The operation and its two gradients.

use wengert_tensor::normalise;
use wengert_tensor::{Float, Shape, Tensor};

use super::{Kind, Norm, or_zeros, written};
use crate::cotangent;
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::{
    Cotangents, Description, Op, Point, Replays, Saves, Several, Together, Values, apply_known, fused,
    is_tracked, rules_compiled_here,
};
use crate::profile::Timing;
use crate::var::Var;

/// J·(gain·v) of x, gain and v, with the symmetric Jacobian J of z.
pub(super) struct Gradient(pub(super) Norm);

/// Σ z·v over the rows, of x and v, for a gain of that shape.
pub(super) struct GainGradient(pub(super) Norm, pub(super) Shape);

impl Norm {
    fn set_attributes(self, attributes: &mut Attributes) {
        attributes.set("epsilon", self.epsilon);
        if let Kind::Group(groups) = self.kind {
            attributes.set("groups", groups);
        }
    }

    /// The name of one of the gradients.
    fn gradient_name(self) -> &'static str {
        match self.kind {
            Kind::Layer => "layer_norm_gradient",
            Kind::Rms => "rms_norm_gradient",
            Kind::Group(_) => "group_norm_gradient",
            Kind::Instance => "instance_norm_gradient",
            Kind::Batch => "batch_norm_gradient",
        }
    }

    fn gain_gradient_name(self) -> &'static str {
        match self.kind {
            Kind::Layer => "layer_norm_gain_gradient",
            Kind::Rms => "rms_norm_gain_gradient",
            Kind::Group(_) => "group_norm_gain_gradient",
            Kind::Instance => "instance_norm_gain_gradient",
            Kind::Batch => "batch_norm_gain_gradient",
        }
    }
}

impl<T: Float> Op<T> for Norm {
    fn name(&self) -> &str {
        Norm::name(*self)
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.set_attributes(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let [x, gain, bias] = [0, 1, 2].map(|i| inputs[i]);
        let geometry = self.geometry(x.shape(), gain.shape());
        let (a, b) = (gain.shape(), bias.shape());
        assert!(a == b, "{}: shapes {a} and {b} differ", Norm::name(*self));
        written(Norm::name(*self), x.shape(), [x, gain, bias], |[x, gain, bias], out| {
            normalise::value(&geometry, x, gain, bias, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, gain) = (at.input(0), at.input(1));
        if !is_tracked(&[x, gain, cotangent]) && at.needs(0) && at.needs(1) {
            let norm = *self;
            let values = [x.value(), gain.value(), cotangent.value()];
            let timing = Timing::start();
            let all = norm.gradients(values);
            if timing.is_on() {
                let name = format!("{}_gradients", Norm::name(norm));
                timing.named::<T>(&name, &values.map(Tensor::shape), x.shape());
            }
            for (i, one) in all.into_iter().enumerate() {
                into.add(i, || apply_known(OneGradient { norm, of: i }, &[x, gain, cotangent], &[], one));
            }
            return;
        }
        into.add(0, || self.gradient(x, gain, cotangent));
        into.add(1, || self.gain_gradient(x, cotangent, gain.shape()));
        into.add(2, || self.gathered(cotangent, gain.shape()));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, gain) = (at.input(0), at.input(1));
        let (t_gain, t_bias) = (or_zeros(tangents[1].as_ref(), gain), or_zeros(tangents[2].as_ref(), gain));
        Some(match &tangents[0] {
            None => self.value(x, &t_gain, &t_bias),
            Some(t) => {
                let norm = *self;
                fused(
                    || Description::of::<T>(self, "tangent"),
                    [x, gain, t, &t_gain, &t_bias],
                    move |inputs @ [x, gain, ..]| {
                        let geometry = norm.geometry(x.shape(), gain.shape());
                        written(Norm::name(norm), x.shape(), inputs, |[x, gain, t, t_gain, t_bias], out| {
                            normalise::tangent(&geometry, x, gain, [t, t_gain, t_bias], out);
                        })
                    },
                    || {
                        self.spread(gain, x.shape()) * self.tangent(x, t, gain.shape())
                            + self.value(x, &t_gain, &t_bias)
                    },
                )
            }
        })
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b11)
    }

    // Where the shapes do not fit, it is computed at once and says so.
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        let fits = inputs[1] == inputs[2] && self.fits(inputs[0], inputs[1]);
        fits.then(|| inputs[0].clone())
    }

    rules_compiled_here!(Norm);
}

/// One of the three that one loop gives, of x, gain and cotangent, where it is not to be differentiated.
struct OneGradient {
    norm: Norm,
    of: usize,
}

impl<T: Float> Several<T> for OneGradient {
    fn shared_description(&self) -> Description {
        Description::of::<T>(&self.norm, "gradients")
    }
    #[track_caller]
    fn values(&self, inputs: &[&Tensor<T>], _: &[&Data<T>], _: [bool; 4]) -> Values<T> {
        self.norm.gradients([inputs[0], inputs[1], inputs[2]]).into_iter().map(Some).collect()
    }
}

impl<T: Float> Op<T> for OneGradient {
    fn name(&self) -> &str {
        match self.norm.kind {
            Kind::Layer => "layer_norm_gradients",
            Kind::Rms => "rms_norm_gradients",
            Kind::Group(_) => "group_norm_gradients",
            Kind::Instance => "instance_norm_gradients",
            Kind::Batch => "batch_norm_gradients",
        }
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.norm.set_attributes(attributes);
        attributes.set("of_input", self.of);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let mut all = self.values(inputs, &[], [true; 4]);
        all[self.of].take().expect("one for each input")
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {
        unreachable!(
            "{}: no derivative is taken of what only a complete recording holds",
            Op::<T>::name(self)
        )
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { together: Together::OneOf(self.of, self), ..Replays::default() }
    }
    rules_compiled_here!(OneGradient);
}

impl<T: Float> Op<T> for Gradient {
    fn name(&self) -> &str {
        self.0.gradient_name()
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.set_attributes(attributes);
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let [x, gain, v] = [0, 1, 2].map(|i| inputs[i]);
        let geometry = self.0.geometry(x.shape(), gain.shape());
        written(self.0.name(), x.shape(), [x, gain, v], |[x, gain, v], out| {
            normalise::gradient(&geometry, x, gain, v, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, gain, v) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || self.0.curvature(x, gain, v, cotangent));
        // Both are linear in J·cotangent.
        let moved = (at.needs(1) || at.needs(2)).then(|| self.0.tangent(x, cotangent, gain.shape()));
        if let Some(moved) = moved {
            into.add(1, || self.0.gathered(&(v * &moved), gain.shape()));
            into.add(2, || self.0.spread(gain, x.shape()) * &moved);
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, gain, v) = (at.input(0), at.input(1), at.input(2));
        let along_gain = || tangents[1].as_ref().map(|t| self.0.gradient(x, t, v));
        let along_v = || tangents[2].as_ref().map(|t| self.0.gradient(x, gain, t));
        let Some(t) = &tangents[0] else { return cotangent::sum(along_gain(), along_v()) };
        let (t_gain, t_v) = (or_zeros(tangents[1].as_ref(), gain), or_zeros(tangents[2].as_ref(), v));
        Some(self.0.gradient_tangent([x, gain, v], [t, &t_gain, &t_v], || {
            let along_x = self.0.curvature_rule(x, gain, v, t);
            let others = [along_gain(), along_v()].into_iter().flatten();
            others.fold(along_x, cotangent::accumulate)
        }))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Gradient);
}

impl<T: Float> Op<T> for GainGradient {
    fn name(&self) -> &str {
        self.0.gain_gradient_name()
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.set_attributes(attributes);
        attributes.set("gain", &self.1);
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let geometry = self.0.geometry(inputs[0].shape(), &self.1);
        written(self.0.name(), &self.1, [inputs[0], inputs[1]], |[x, v], out| {
            normalise::gain_gradient(&geometry, x, v, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, v) = (at.input(0), at.input(1));
        into.add(0, || self.0.gradient(x, cotangent, v));
        into.add(1, || self.0.value(x, cotangent, &Var::zeros(&self.1)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, v) = (at.input(0), at.input(1));
        let along_v = || tangents[1].as_ref().map(|t| self.0.gain_gradient(x, t, &self.1));
        let Some(t) = &tangents[0] else { return along_v() };
        let (t_v, norm, gain) = (or_zeros(tangents[1].as_ref(), v), self.0, self.1.clone());
        Some(fused(
            || Description::of::<T>(self, "tangent"),
            [x, v, t, &t_v],
            move |inputs| {
                let geometry = norm.geometry(inputs[0].shape(), &gain);
                written(Norm::name(norm), &gain, inputs, |[x, v, t, t_v], out| {
                    normalise::gain_gradient_tangent(&geometry, x, v, [t, t_v], out);
                })
            },
            || {
                let along_x = self.0.gathered(&(v * self.0.tangent(x, t, &self.1)), &self.1);
                along_v().into_iter().fold(along_x, cotangent::accumulate)
            },
        ))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, _: &[&Shape]) -> Option<Shape> {
        Some(self.1.clone())
    }
    rules_compiled_here!(GainGradient);
}
