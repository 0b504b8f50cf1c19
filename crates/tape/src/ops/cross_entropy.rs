//! Softmax cross-entropy against class labels.

use wengert_tensor::{Float, Shape, Tensor};

use crate::cotangent;
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Saves, apply_given, fused, rules_compiled_here};
use crate::var::Var;

#[derive(Clone, Copy)]
struct SoftmaxCrossEntropy {
    smoothing: f64,
}

/// scale·(softmax(x) − target) of the logits x and a factor for each row.
struct Gradient(SoftmaxCrossEntropy);

impl SoftmaxCrossEntropy {
    fn gradient<T: Float>(self, x: &Var<T>, scale: &Var<T>, labels: &Given<T>) -> Var<T> {
        apply_given(Gradient(self), &[x, scale], &[labels])
    }

    /// Σ (softmax(x) − target)·t of each row: the tangent of the loss.
    fn tangent<T: Float>(self, x: &Var<T>, t: &Var<T>, labels: &Given<T>) -> Var<T> {
        (self.gradient(x, &Var::ones(x.shape()[0]), labels) * t).sum_axes(1, false)
    }
}

/// scale·y·(t − Σ y·t) of each row, with y = softmax(x): the Hessian is symmetric, so this is the rule in both modes.
fn curvature<T: Float>(x: &Var<T>, scale: &Var<T>, t: &Var<T>) -> Var<T> {
    fused(
        || Description { name: "softmax_cross_entropy_curvature".into(), attributes: Attributes::default() },
        [x, scale, t],
        |[x, scale, t]| x.softmax_cross_entropy_gradient_tangent(scale, t),
        || {
            let y = x.softmax(1);
            &y * (t - (&y * t).sum_axes(1, true)) * scale.unsqueeze(1)
        },
    )
}

impl<T: Float> Op<T> for SoftmaxCrossEntropy {
    fn name(&self) -> &str {
        "softmax_cross_entropy"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("smoothing", self.smoothing);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("softmax_cross_entropy: evaluated with its labels")
    }

    #[track_caller]
    fn evaluate(&self, x: &[&Tensor<T>], labels: &[&Data<T>]) -> Data<T> {
        Data::Float(x[0].softmax_cross_entropy(labels[0].index(), self.smoothing))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.gradient(at.input(0), cotangent, at.given(0)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| self.tangent(at.input(0), t, at.given(0)))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(SoftmaxCrossEntropy);
}

impl<T: Float> Op<T> for Gradient {
    fn name(&self) -> &str {
        "softmax_cross_entropy_gradient"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("smoothing", self.0.smoothing);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("softmax_cross_entropy: evaluated with its labels")
    }

    fn evaluate(&self, x: &[&Tensor<T>], labels: &[&Data<T>]) -> Data<T> {
        Data::Float(x[0].softmax_cross_entropy_gradient(labels[0].index(), self.0.smoothing, x[1]))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, scale) = (at.input(0), at.input(1));
        into.add(0, || curvature(x, scale, cotangent));
        into.add(1, || self.0.tangent(x, cotangent, at.given(0)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, scale) = (at.input(0), at.input(1));
        let along_x = tangents[0].as_ref().map(|t| curvature(x, scale, t));
        let along_scale = tangents[1].as_ref().map(|t| self.0.gradient(x, t, at.given(0)));
        cotangent::sum(along_x, along_scale)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Gradient);
}

impl<T: Float> Var<T> {
    /// The softmax cross-entropy ln Σ eˣ − x\[label\] of each row of logits `[rows, classes]`, as a vector; with label
    /// smoothing ε, the target is 1 − ε on the label plus ε spread evenly over all classes.
    ///
    /// # Panics
    /// If the logits are not a matrix, there is not one label per row, a label is not a class, or `smoothing` is
    /// not in 0..=1.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let logits = Var::from([[0.0f64, 0.0]]);
    /// let loss = logits.softmax_cross_entropy(&Tensor::vector(&[1]), 0.0).mean();
    /// assert!((loss.item() - 2f64.ln()).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn softmax_cross_entropy(&self, labels: impl Into<Index<T>>, smoothing: f64) -> Var<T> {
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "softmax_cross_entropy: the label smoothing {smoothing} is not in 0..=1"
        );
        apply_given(SoftmaxCrossEntropy { smoothing }, &[self], &[labels.into().given()])
    }
}
