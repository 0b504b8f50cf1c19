//! Layer normalisation. Its derivatives are two more operations, of which all further ones are made: the gradients with
//! respect to x and to the gain.

use wengert_tensor::normalise::{self, NormGeometry};
use wengert_tensor::{Float, Shape, Tensor};

use super::slice;
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{
    Cotangents, Description, Fused, Op, Point, Saves, apply, apply_known, fused, is_tracked,
    rules_compiled_here,
};
use crate::var::Var;

/// z·gain + bias of x, gain and bias, with z = (x − mean) / √(variance + ε).
#[derive(Clone, Copy)]
struct LayerNorm {
    epsilon: f64,
}

/// J·(gain·v) of x, gain and v, with the symmetric Jacobian J of z.
struct Gradient(LayerNorm);

/// Σ z·v over the rows, of x and v.
struct GainGradient(LayerNorm, Shape);

/// The tangent, or zeros of that shape.
fn or_zeros<T: Float>(tangent: Option<&Var<T>>, like: &Var<T>) -> Var<T> {
    tangent.cloned().unwrap_or_else(|| Var::zeros(like.shape()))
}

/// What a kernel makes of the elements of some tensors, of that shape.
#[track_caller]
fn written<T: Float, const N: usize>(
    shape: &Shape,
    inputs: [&Tensor<T>; N],
    kernel: impl FnOnce([&[T]; N], &mut [T]),
) -> Tensor<T> {
    let inputs = inputs.map(Tensor::contiguous);
    Tensor::written_for("layer_norm", shape, |out| kernel(inputs.each_ref().map(slice), out))
}

impl LayerNorm {
    /// Rows of the last axes.
    #[track_caller]
    fn geometry(self, x: &Shape, gain: &Shape) -> NormGeometry {
        let Some(geometry) = NormGeometry::last_axes(x, gain, self.epsilon) else {
            panic!("layer_norm: {gain}, the shape of the gain, is not that of the last axes of shape {x}");
        };
        geometry
    }

    fn value<T: Float>(self, x: &Var<T>, gain: &Var<T>, bias: &Var<T>) -> Var<T> {
        apply(self, &[x, gain, bias])
    }

    fn gradient<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>) -> Var<T> {
        apply(Gradient(self), &[x, gain, v])
    }

    fn gain_gradient<T: Float>(self, x: &Var<T>, v: &Var<T>, gain: &Shape) -> Var<T> {
        apply(GainGradient(self, gain.clone()), &[x, v])
    }

    /// J·u, the tangent of z along u.
    fn tangent<T: Float>(self, x: &Var<T>, u: &Var<T>, gain: &Shape) -> Var<T> {
        self.gradient(x, &Var::ones(gain), u)
    }

    /// The derivative of J·(gain·v) in x along t, which is symmetric in gain·v and t.
    fn curvature<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>, t: &Var<T>) -> Var<T> {
        let (t_gain, t_v) = (or_zeros(None, gain), or_zeros(None, v));
        self.gradient_tangent([x, gain, v], [t, &t_gain, &t_v], || self.curvature_rule(x, gain, v, t))
    }

    /// The tangent of the gradient of `[x, gain, v]` along tangents of all three, which `rule` gives too.
    fn gradient_tangent<T: Float>(
        self,
        [x, gain, v]: [&Var<T>; 3],
        [t, t_gain, t_v]: [&Var<T>; 3],
        rule: impl FnOnce() -> Var<T>,
    ) -> Var<T> {
        fused(
            || Description::of::<T>(&Gradient(self), "tangent"),
            [x, gain, v, t, t_gain, t_v],
            move |inputs @ [x, gain, ..]| {
                let geometry = self.geometry(x.shape(), gain.shape());
                written(x.shape(), inputs, |[x, gain, v, t, t_gain, t_v], out| {
                    normalise::gradient_tangent(&geometry, x, gain, v, [t, t_gain, t_v], out);
                })
            },
            rule,
        )
    }

    /// The gradients of x, gain and bias for the cotangent v, in one pass.
    fn gradients<T: Float>(self, inputs: [&Tensor<T>; 3]) -> [Tensor<T>; 3] {
        let [x, gain, _] = inputs;
        let geometry = self.geometry(x.shape(), gain.shape());
        let mut sums = vec![T::ZERO; 2 * gain.len()];
        let of_x = written(x.shape(), inputs, |[x, gain, v], out| {
            normalise::gradients(&geometry, x, gain, v, out, &mut sums);
        });
        let [of_gain, of_bias] = <[&[T]; 2]>::from(sums.split_at(gain.len()))
            .map(|sums| Tensor::vector(sums).reshape(gain.shape()));
        [of_x, of_gain, of_bias]
    }

    fn curvature_rule<T: Float>(self, x: &Var<T>, gain: &Var<T>, v: &Var<T>, t: &Var<T>) -> Var<T> {
        let axes: Vec<usize> = (x.rank() - gain.rank()..x.rank()).collect();
        let mean = |u: Var<T>| u.mean_axes(&axes[..], true);
        let scale = ((x - mean(x.clone())).square().mean_axes(&axes[..], true) + self.epsilon).rsqrt();
        let (u, z) = (gain * v, self.value(x, &Var::ones(gain.shape()), &Var::zeros(gain.shape())));
        let moved = self.tangent(x, t, gain.shape());
        let sum = mean(&z * t) * self.gradient(x, gain, v) + mean(&u * &z) * &moved + mean(u * moved) * z;
        -(scale * sum)
    }
}

impl<T: Float> Op<T> for LayerNorm {
    fn name(&self) -> &str {
        "layer_norm"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("epsilon", self.epsilon);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let [x, gain, bias] = [0, 1, 2].map(|i| inputs[i]);
        let geometry = self.geometry(x.shape(), gain.shape());
        let (a, b) = (gain.shape(), bias.shape());
        assert!(a == b, "layer_norm: shapes {a} and {b} differ");
        written(x.shape(), [x, gain, bias], |[x, gain, bias], out| {
            normalise::value(&geometry, x, gain, bias, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, gain) = (at.input(0), at.input(1));
        if !is_tracked(&[x, gain, cotangent]) && at.needs(0) && at.needs(1) {
            let norm = *self;
            let all = norm.gradients([x.value(), gain.value(), cotangent.value()]);
            for (i, one) in all.into_iter().enumerate() {
                into.add(i, || {
                    // One loop gives all three; a replay runs it for each.
                    let mut description = Description::of::<T>(self, "gradients");
                    description.attributes.set("of_input", i);
                    let kernel = move |inputs: [&Tensor<T>; 3]| {
                        norm.gradients(inputs).into_iter().nth(i).expect("one for each input")
                    };
                    apply_known(Fused::new(description, kernel), &[x, gain, cotangent], &[], one)
                });
            }
            return;
        }
        into.add(0, || self.gradient(x, gain, cotangent));
        into.add(1, || self.gain_gradient(x, cotangent, gain.shape()));
        into.add(2, || cotangent.clone());
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
                        written(x.shape(), inputs, |[x, gain, t, t_gain, t_bias], out| {
                            normalise::tangent(&geometry, x, gain, [t, t_gain, t_bias], out);
                        })
                    },
                    || gain * self.tangent(x, t, gain.shape()) + self.value(x, &t_gain, &t_bias),
                )
            }
        })
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b11)
    }

    // Where the shapes do not fit, it is computed at once and says so.
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        let fits = inputs[1] == inputs[2] && inputs[0].ends_with(inputs[1]);
        fits.then(|| inputs[0].clone())
    }

    rules_compiled_here!(LayerNorm);
}

impl<T: Float> Op<T> for Gradient {
    fn name(&self) -> &str {
        "layer_norm_gradient"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("epsilon", self.0.epsilon);
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let [x, gain, v] = [0, 1, 2].map(|i| inputs[i]);
        let geometry = self.0.geometry(x.shape(), gain.shape());
        written(x.shape(), [x, gain, v], |[x, gain, v], out| {
            normalise::gradient(&geometry, x, gain, v, out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, gain, v) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || self.0.curvature(x, gain, v, cotangent));
        // Both are linear in J·cotangent.
        let moved = (at.needs(1) || at.needs(2)).then(|| self.0.tangent(x, cotangent, gain.shape()));
        if let Some(moved) = moved {
            into.add(1, || v * &moved);
            into.add(2, || gain * &moved);
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
        "layer_norm_gain_gradient"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("epsilon", self.0.epsilon);
        attributes.set("gain", &self.1);
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let geometry = self.0.geometry(inputs[0].shape(), &self.1);
        written(&self.1, [inputs[0], inputs[1]], |[x, v], out| {
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
                written(&gain, inputs, |[x, v, t, t_v], out| {
                    normalise::gain_gradient_tangent(&geometry, x, v, [t, t_v], out);
                })
            },
            || {
                let along_x = (v * self.0.tangent(x, t, &self.1)).sum_to(&self.1);
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

impl<T: Float> Var<T> {
    /// (x − mean) / √(variance + ε) · gain + bias, where the axes of `gain` and `bias` are the last axes of x, and the mean
    /// and the variance Σ(x − mean)²/n are taken over them (Ba, Kiros and Hinton, "Layer normalization", 2016).
    ///
    /// # Panics
    /// If the shapes of gain and bias differ or are not that of the last axes.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (gain, bias) = (Var::from([1.0f64, 2.0]), Var::from([0.0, 10.0]));
    /// assert_eq!(Var::from([[3.0, 1.0]]).layer_norm(&gain, &bias, 0.0).value().to_vec(), [1.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(&self, gain: &Var<T>, bias: &Var<T>, epsilon: f64) -> Var<T> {
        apply(LayerNorm { epsilon }, &[self, gain, bias])
    }
}
