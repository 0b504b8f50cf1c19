//! Softmax, its logarithm, and the logarithm of a sum of exponentials.

use wengert_tensor::{Axes, Axis, Float, Shape, Tensor};

use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
use crate::ops::broadcast::reduced_shape;
use crate::var::Var;

struct Softmax(usize);

impl Softmax {
    /// y·(v − Σ y·v): the Jacobian is symmetric, so this is the rule in both modes.
    fn product<T: Float>(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        apply(SoftmaxGradient(self.0), &[at.output(), v])
    }
}

/// y·(v − Σ y·v) of y and v.
struct SoftmaxGradient(usize);

impl<T: Float> Op<T> for SoftmaxGradient {
    fn name(&self) -> &str {
        "softmax_gradient"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].softmax_gradient(x[1], self.0)
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (y, v) = (at.input(0), at.input(1));
        let sum = |x: Var<T>| x.sum_axes(self.0, true);
        into.add(0, || cotangent * (v - sum(y * v)) - v * sum(cotangent * y));
        into.add(1, || apply(SoftmaxGradient(self.0), &[y, cotangent]));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (y, v) = (at.input(0), at.input(1));
        let along_v = |t: &Var<T>| apply(SoftmaxGradient(self.0), &[y, t]);
        let along_y = |t: &Var<T>| {
            let sum = |x: Var<T>| x.sum_axes(self.0, true);
            t * (v - sum(y * v)) - y * sum(t * v)
        };
        Some(match (&tangents[0], &tangents[1]) {
            (Some(t_y), Some(t_v)) => {
                let axis = self.0;
                fused(
                    || Description::of::<T>(self, "tangent"),
                    [y, v, t_y, t_v],
                    move |[y, v, t_y, t_v]| y.softmax_gradient_tangent(v, [t_y, t_v], axis),
                    || cotangent::accumulate(along_y(t_y), along_v(t_v)),
                )
            }
            (Some(t), None) => along_y(t),
            (None, Some(t)) => along_v(t),
            (None, None) => return None,
        })
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(SoftmaxGradient);
}

impl<T: Float> Op<T> for Softmax {
    fn name(&self) -> &str {
        "softmax"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].softmax(self.0)
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.product(at, cotangent));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| self.product(at, t))
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUT
    }
    rules_compiled_here!(Softmax);
}

struct LogSoftmax(usize);

impl<T: Float> Op<T> for LogSoftmax {
    fn name(&self) -> &str {
        "log_softmax"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].log_softmax(self.0)
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent - at.output().exp() * cotangent.sum_axes(self.0, true));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| t - (at.output().exp() * t).sum_axes(self.0, true))
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUT
    }
    rules_compiled_here!(LogSoftmax);
}

struct LogSumExp {
    axes: Axes,
    keepdim: bool,
}

impl LogSumExp {
    /// e^(x − y), the weights that add up to 1; 0 where everything is −∞.
    fn weights<T: Float>(&self, at: &Point<T>) -> Var<T> {
        let y = at.output().reshape(reduced_shape("logsumexp", at.input(0).shape(), &self.axes, true));
        let nothing = y.equal(f64::NEG_INFINITY);
        (at.input(0) - y.masked_fill(nothing, 0.0)).exp()
    }
}

impl<T: Float> Op<T> for LogSumExp {
    fn name(&self) -> &str {
        "logsumexp"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
        attributes.set("keepdim", self.keepdim);
    }
    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].logsumexp(self.axes.clone(), self.keepdim)
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape("logsumexp", at.input(0).shape(), &self.axes, true);
        into.add(0, || cotangent.reshape(kept) * self.weights(at));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| (t * self.weights(at)).sum_axes(self.axes.clone(), self.keepdim))
    }
    rules_compiled_here!(LogSumExp);
}

impl<T: Float> Var<T> {
    /// eˣ / Σeˣ along `axis`, without overflow.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: impl Into<Axis>) -> Var<T> {
        apply(Softmax(self.shape().axis("softmax", axis)), &[self])
    }

    /// x − ln Σeˣ along `axis`, without overflow.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: impl Into<Axis>) -> Var<T> {
        apply(LogSoftmax(self.shape().axis("log_softmax", axis)), &[self])
    }

    /// ln Σeˣ over some axes, without overflow; they stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        apply(LogSumExp { axes: axes.into(), keepdim }, &[self])
    }
}
