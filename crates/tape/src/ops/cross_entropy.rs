//! Softmax cross-entropy against class labels.

use wengert_tensor::{Float, Tensor};

use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

struct SoftmaxCrossEntropy {
    labels: Tensor<u32>,
    smoothing: f64,
}

impl SoftmaxCrossEntropy {
    /// softmax(x) − target, the gradient of each row's loss.
    fn gradient<T: Float>(&self, at: &Point<T>) -> Var<T> {
        let x = at.input(0);
        let classes = x.shape()[1];
        let target = Tensor::<T>::one_hot(&self.labels, classes) * (1.0 - self.smoothing)
            + self.smoothing / classes as f64;
        x.softmax(1) - Var::constant(target)
    }
}

impl<T: Float> Op<T> for SoftmaxCrossEntropy {
    fn name(&self) -> &str {
        "softmax_cross_entropy"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].softmax_cross_entropy(&self.labels, self.smoothing)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let x = at.input(0);
        into.add(0, || {
            if cotangent.is_tracked() || x.is_tracked() {
                return self.gradient(at) * cotangent.unsqueeze(1);
            }
            // Nothing is recorded: one pass over the logits.
            let (x, scale) = (x.value(), cotangent.value());
            Var::constant(x.softmax_cross_entropy_gradient(&self.labels, self.smoothing, scale))
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| (self.gradient(at) * t).sum_axes(1, false))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(SoftmaxCrossEntropy);
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
    pub fn softmax_cross_entropy(&self, labels: &Tensor<u32>, smoothing: f64) -> Var<T> {
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "softmax_cross_entropy: the label smoothing {smoothing} is not in 0..=1"
        );
        apply(SoftmaxCrossEntropy { labels: labels.clone(), smoothing }, &[self])
    }
}
