//! The network and its loss.

use wengert::curvature::FlatLoss;
use wengert::optim::Batched;
use wengert::optim::schedule::Cosine;
use wengert::prelude::*;

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;
/// Digits in a step of training.
const BATCH: usize = 100;

pub(crate) struct Problem {
    pub params: Params,
    hidden: Linear,
    out: Linear,
    digits: Dataset,
    chunks: Vec<Batch>,
}

impl Problem {
    pub(crate) fn new(digits: &Dataset, seed: u64) -> Self {
        let mut params = Params::seeded(seed);
        let (hidden, out) =
            (Linear::new(params.at("hidden"), 784, 32), Linear::new(params.at("out"), 32, 10));
        Problem { params, hidden, out, digits: digits.clone(), chunks: digits.batches(CHUNK).collect() }
    }

    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        // Smooth, so that there is a Hessian everywhere.
        self.out.forward(cx, &self.hidden.forward(cx, x).tanh())
    }

    /// Trains with Adam at a rate that falls to 0.
    ///
    /// # Errors
    /// If the loss has no gradient.
    pub(crate) fn train(&mut self, epochs: u64, seed: u64) -> wengert::Result<()> {
        let mut adam = Adam::new(3e-3);
        let schedule = Cosine::new(3e-3, epochs * self.digits.len().div_ceil(BATCH) as u64);
        let mut step = 0;
        for epoch in 0..epochs {
            for (images, labels) in self.digits.batches(BATCH).shuffled(seed.wrapping_add(epoch)) {
                let loss = |cx: &Ctx| self.forward(cx, &images).cross_entropy(&labels);
                let (_, grads) = self.params.value_and_grad(loss)?;
                adam.set_learning_rate(schedule.at(step));
                adam.step(&mut self.params.values_mut(), &grads);
                step += 1;
            }
        }
        Ok(())
    }

    /// The mean loss over all digits.
    pub(crate) fn objective(&self) -> Batched<FlatLoss<'_>> {
        self.params.model_objective_over(
            &self.chunks,
            |cx, (images, _)| self.forward(cx, images),
            |logits, (_, labels)| logits.cross_entropy(labels),
        )
    }
}
