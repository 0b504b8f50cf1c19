//! The Kronecker-factored approximation of a model's curvature: the factors, layer by layer.
//!
//! For a layer s = W ā applied to every example, the generalised Gauss–Newton matrix (for likelihoods, the Fisher matrix)
//! of W is E[ā āᵀ ⊗ g gᵀ], with g the cotangents of s under targets drawn from the model. Taking inputs and cotangents as
//! independent leaves A ⊗ G with A = E[ā āᵀ] and G = E[g gᵀ], which is quickly inverted (Martens and Grosse, "Optimizing
//! neural networks with Kronecker-factored approximate curvature", 2015). ā is the input with a one appended where there is a
//! bias.

mod capture;
mod cotangent;
mod moments;

use std::rc::Rc;

use wengert_nn::Watched;
use wengert_optim::Kronecker;
use wengert_tape::{Sweep, Var};
use wengert_tensor::Float;
use wengert_tensor::random::Generator;

use crate::flat_loss::FlatLoss;

/// Which targets the cotangents of the outputs belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Drawn from the model, which approximates the generalised Gauss–Newton matrix (the Fisher matrix). The default.
    ///
    /// What matters of the draws is that their cotangents have mean zero and the loss's Hessian in the outputs as their
    /// covariance. They are taken as √H ε with random signs ε, which has that covariance with a smaller variance than actual draws:
    /// √d ∘ ε for a loss with a diagonal Hessian (squared error, binary cross-entropy, Huber; negative elements count as
    /// 0), and √w (√p ∘ ε − p √pᵀε) for the cross-entropy of softmax. Which it is, and the weight w of an example
    /// (the mean, class weights, masks), is found by products with that Hessian.
    #[default]
    Model,
    /// Those of the data: the empirical Fisher matrix, the mean of the squares of the examples' gradients. The loss must be
    /// the mean over the first axis of the outputs.
    Data,
}

impl<T: Float> FlatLoss<'_, T> {
    /// The Kronecker factors at `x`, from one forward and one backward sweep without weight gradients. `None` unless made by
    /// [`Objectives::model_objective`](crate::Objectives::model_objective), and for [`Targets::Model`] if the loss's Hessian
    /// in the outputs is neither diagonal nor that of softmax cross-entropy (classes along the last axis or axis 1). `seed`
    /// decides the draws.
    ///
    /// There is one block for the weight of each layer, one for each group of a grouped convolution. For every parameter
    /// that no block has, there is an unbiased estimate of the matrix's diagonal (the square of the sum of the examples'
    /// sampled gradients, as in Liu et al., "Sophia", 2023).
    ///
    /// A layer takes part by telling the context of its [affine map](wengert_nn::Ctx::affine), as
    /// [`Linear`](wengert_nn::Linear) and [`Conv2d`](wengert_nn::Conv2d) do. Where it is applied at several positions (more
    /// axes than two, a convolution's pixels, uses of one weight in a recurrence), cotangents of different positions are
    /// taken as uncorrelated (Grosse and Martens, "A Kronecker-factored approximate Fisher matrix for convolution layers",
    /// 2016): A is the mean over all positions and G the sum of their means. Uses of a weight that no layer tells of are
    /// not seen. Frozen parameters have no block.
    ///
    /// ```
    /// use wengert_curvature::{Objectives, Targets};
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let (x, y) = (Var::from([[1.0], [3.0]]), Var::from([[0.0], [0.0]]));
    /// let loss = params.model_objective(|cx| model.forward(cx, &x), |z| z.mse(&y));
    /// let factors = loss.kronecker_factors(&[0.5, 0.0], Targets::Model, 0).unwrap();
    /// assert_eq!(factors.blocks()[0].inputs(), [5.0, 2.0, 2.0, 1.0]);
    /// assert!((factors.blocks()[0].outputs()[0] - 2.0).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn kronecker_factors(&self, x: &[T], targets: Targets, seed: u64) -> Option<Kronecker<T>> {
        let loss = Watched::new(self.loss.as_ref()?);
        let (tape, cx) = self.recording("kronecker", x);
        let capture = Rc::new(capture::Capture::default());
        cx.observe(capture.clone());
        let outputs = (self.outputs)(&cx);
        let generator = Generator::seeded(seed);
        let cotangent = cotangent::of(&tape.leave(&outputs), |z| loss.value(z), targets, generator);
        loss.check("kronecker");
        let Some(cotangent) = cotangent else {
            tape.close();
            return None;
        };
        let layout = &**self.model.layout();
        let maps = capture::by_weight(layout, capture.take());
        let covered: Vec<usize> = maps.iter().flat_map(|m| m.parameters()).collect();
        let rest: Vec<usize> = (0..layout.entries().len())
            .filter(|i| !layout.entries()[*i].frozen && !covered.contains(i))
            .collect();
        let mut wanted: Vec<&Var<T>> = rest.iter().map(|&i| cx.leaf(i)).collect();
        wanted.extend(maps.iter().flat_map(|m| &m.uses).map(|u| &u.output));
        let mut found =
            tape.pull_back(&outputs, Var::constant(cotangent), &wanted, Sweep::Consume).into_iter();
        tape.close();

        let diagonal = rest.iter().zip(found.by_ref().take(rest.len())).map(|(&i, sum)| {
            let entry = &layout.entries()[i];
            let values = match sum {
                Some(sum) => sum.value().square().to_vec(),
                None => vec![T::ZERO; entry.shape.count()],
            };
            (entry.start, values)
        });
        let diagonal = diagonal.collect();
        let mut blocks = Vec::new();
        for map in &maps {
            // A use that the outputs do not depend on has no cotangent.
            let cotangents = found.by_ref().take(map.uses.len()).map(|c| c.map(Var::into_value));
            moments::blocks(layout, map, cotangents.collect(), &mut blocks);
        }
        Some(Kronecker::new(layout.len(), blocks, diagonal))
    }
}
