//! Connectionist temporal classification: the losses and their gradient are one kernel each; higher derivatives are those of the
//! recursion of the losses, written in operations on variables.

mod recursion;

use wengert_tensor::ctc::{self, CtcBatch};
use wengert_tensor::{Float, Tensor};

use super::slice;
use crate::cotangent;
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::transform::{jvp, vjp};
use crate::var::Var;

/// −ln of the likelihoods of labels, of the logarithms of probabilities; given labels, numbers of steps and of labels.
#[derive(Clone, Copy)]
struct Ctc {
    blank: u32,
}

/// The gradient of the losses, each times a factor: of the logarithms of probabilities and the factors.
struct Gradient(Ctc);

/// The derivative of the losses along t: of the logarithms of probabilities and t. An operation of its own and no product,
/// since what does not count for a sequence with an infinite loss has the derivative 0, and the loss no finite one.
struct Tangent(Ctc);

impl Ctc {
    /// What the kernels need, of contiguous operands.
    fn batch<'a>(self, shape: &[usize], given: &'a [Tensor<u32>; 3]) -> CtcBatch<'a> {
        let [labels, steps, counts] = given.each_ref().map(slice);
        CtcBatch { shape: [shape[0], shape[1], shape[2]], labels, steps, counts, blank: self.blank }
    }

    fn gradient<T: Float>(self, x: &Var<T>, scale: &Var<T>, given: [&Given<T>; 3]) -> Var<T> {
        apply_given(Gradient(self), &[x, scale], &given)
    }

    /// The derivative of the losses along t.
    fn tangent<T: Float>(self, x: &Var<T>, t: &Var<T>, given: [&Given<T>; 3]) -> Var<T> {
        apply_given(Tangent(self), &[x, t], &given)
    }

    /// The derivative of the gradient along t, which is also its transpose.
    fn curvature<T: Float>(self, x: &Var<T>, scale: &Var<T>, t: &Var<T>, given: [&Given<T>; 3]) -> Var<T> {
        let losses = |x: &Var<T>| recursion::losses(x, self.blank, given);
        let (_, pullback) = vjp(|x: &Var<T>| jvp(losses, x, t).1, x);
        pullback.apply(scale)
    }

    /// The second derivative of the losses, along t and u.
    fn second<T: Float>(self, x: &Var<T>, t: &Var<T>, u: &Var<T>, given: [&Given<T>; 3]) -> Var<T> {
        let losses = |x: &Var<T>| recursion::losses(x, self.blank, given);
        jvp(|x: &Var<T>| jvp(losses, x, t).1, x, u).1
    }
}

/// The operands that are no numbers, for kernels.
fn contiguous<T: Float>(given: &[&Data<T>]) -> [Tensor<u32>; 3] {
    [0, 1, 2].map(|i| given[i].index().contiguous())
}

fn all<T: Float>(at: &Point<T>) -> [&Given<T>; 3] {
    [0, 1, 2].map(|i| at.given(i))
}

impl<T: Float> Op<T> for Ctc {
    fn name(&self) -> &str {
        "ctc_loss"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("blank", self.blank as usize);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("ctc_loss: evaluated with its labels")
    }
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let (x, given) = (inputs[0].contiguous(), contiguous(given));
        let batch = self.batch(x.shape(), &given);
        Data::Float(Tensor::written_for("ctc_loss", x.dim(1), |out| ctc::losses(slice(&x), &batch, out)))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.gradient(at.input(0), cotangent, all(at)));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| self.tangent(at.input(0), t, all(at)))
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Ctc);
}

impl<T: Float> Op<T> for Gradient {
    fn name(&self) -> &str {
        "ctc_loss_gradient"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("blank", self.0.blank as usize);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("ctc_loss: evaluated with its labels")
    }
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let (x, scale, given) = (inputs[0].contiguous(), inputs[1].contiguous(), contiguous(given));
        let batch = self.0.batch(x.shape(), &given);
        let by_sequence = [x.dim(1), x.dim(0), x.dim(2)];
        let gradient = Tensor::written_for("ctc_loss", by_sequence, |out| {
            ctc::gradient(slice(&x), &batch, slice(&scale), out);
        });
        Data::Float(gradient.permute([1usize, 0, 2]))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, scale) = (at.input(0), at.input(1));
        into.add(0, || self.0.curvature(x, scale, cotangent, all(at)));
        into.add(1, || self.0.tangent(x, cotangent, all(at)));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, scale) = (at.input(0), at.input(1));
        let along_x = tangents[0].as_ref().map(|t| self.0.curvature(x, scale, t, all(at)));
        let along_scale = tangents[1].as_ref().map(|t| self.0.gradient(x, t, all(at)));
        cotangent::sum(along_x, along_scale)
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Gradient);
}

impl<T: Float> Op<T> for Tangent {
    fn name(&self) -> &str {
        "ctc_loss_tangent"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("blank", self.0.blank as usize);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("ctc_loss: evaluated with its labels")
    }
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let ones = Tensor::ones(inputs[0].dim(1));
        let Data::Float(gradient) = Gradient(self.0).evaluate(&[inputs[0], &ones], given) else {
            unreachable!("a gradient is of numbers")
        };
        // What does not count has no part, be its tangent infinite or NaN.
        let products = (&gradient * inputs[1]).masked_fill(&gradient.equal(0.0), T::ZERO);
        Data::Float(products.sum_axes([0usize, 2], false))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, t) = (at.input(0), at.input(1));
        into.add(0, || self.0.curvature(x, cotangent, t, all(at)));
        into.add(1, || self.0.gradient(x, cotangent, all(at)));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (x, t) = (at.input(0), at.input(1));
        let along_x = tangents[0].as_ref().map(|u| self.0.second(x, t, u, all(at)));
        let along_t = tangents[1].as_ref().map(|u| self.0.tangent(x, u, all(at)));
        cotangent::sum(along_x, along_t)
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Tangent);
}

impl<T: Float> Var<T> {
    /// The loss of connectionist temporal classification (Graves et al., 2006) of each sequence: −ln of the probability, summed
    /// over all ways to spread the labels over the steps with blanks between, for logarithms of probabilities
    /// `[steps, sequences, classes]`; infinite where there are too few steps.
    ///
    /// `labels` is `[sequences, most labels]`, of which sequence n has the first `label_counts[n]`; it has the first
    /// `step_counts[n]` steps.
    ///
    /// The gradient is one kernel; derivatives of higher order cost what the recursion costs that is written in operations on
    /// variables, some twenty for each step.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// // Two steps of a blank and one label, all equally likely: only twice the blank is wrong.
    /// let log_p = Var::<f64>::zeros([2, 1, 2]).log_softmax(-1);
    /// let one = Tensor::from([1u32]);
    /// let loss = log_p.ctc_loss(&Tensor::from([[1u32]]), &Tensor::from([2u32]), &one, 0);
    /// assert!((loss.item() + 0.75f64.ln()).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a number of steps or labels is larger than there are, or a label or the blank is no class.
    #[track_caller]
    pub fn ctc_loss(
        &self,
        labels: impl Into<Index<T>>,
        step_counts: impl Into<Index<T>>,
        label_counts: impl Into<Index<T>>,
        blank: u32,
    ) -> Var<T> {
        let (labels, steps, counts) = (labels.into(), step_counts.into(), label_counts.into());
        check(self, [&labels, &steps, &counts], blank);
        apply_given(Ctc { blank }, &[self], &[labels.given(), steps.given(), counts.given()])
    }
}

#[track_caller]
fn check<T: Float>(x: &Var<T>, [labels, steps, counts]: [&Index<T>; 3], blank: u32) {
    assert!(x.rank() == 3, "ctc_loss: shape {} is not [steps, sequences, classes]", x.shape());
    let [most_steps, sequences, classes] = [x.shape()[0], x.shape()[1], x.shape()[2]];
    let fits = labels.shape().len() == 2 && labels.shape()[0] == sequences;
    assert!(fits, "ctc_loss: labels of shape {} for {sequences} sequences", labels.shape());
    for (what, index) in [("step counts", steps), ("label counts", counts)] {
        assert!(
            index.shape()[..] == [sequences],
            "ctc_loss: {what} of shape {} for {sequences} sequences",
            index.shape()
        );
    }
    assert!((blank as usize) < classes, "ctc_loss: the blank {blank} is not one of {classes} classes");
    let most_labels = labels.shape()[1];
    let all = labels.value().to_vec();
    for (n, (steps, count)) in steps.value().to_vec().into_iter().zip(counts.value().to_vec()).enumerate() {
        assert!(
            steps as usize <= most_steps,
            "ctc_loss: {steps} steps in sequence {n} of at most {most_steps}"
        );
        assert!(
            count as usize <= most_labels,
            "ctc_loss: {count} labels in sequence {n} of at most {most_labels}"
        );
        let wrong = all[n * most_labels..][..count as usize].iter().find(|&&label| label as usize >= classes);
        if let Some(label) = wrong {
            panic!("ctc_loss: the label {label} of sequence {n} is not one of {classes} classes");
        }
    }
}
