//! The problem: softmax regression.

use std::ops::Range;

use wengert::curvature::FlatLoss;
use wengert::optim::Batched;
use wengert::prelude::*;

/// Digits that are evaluated at once.
const CHUNK: usize = 2000;
/// The strength of the penalty.
const L2: f64 = 1e-3;

/// Pixels in [0, 1] and labels.
type Digits = (Var<f64>, Tensor<u32>);

pub(crate) struct Regression {
    chunks: Vec<Digits>,
    params: Params<f64>,
    layer: Linear,
}

impl Regression {
    pub(crate) fn new(digits: &Dataset) -> Self {
        let chunk = |(images, labels): Batch| (Var::constant(images.value().cast::<f64>()), labels);
        let mut params = Params::seeded(0);
        let layer = Linear::new(params.root(), 784, 10);
        Regression { chunks: digits.batches(CHUNK).map(chunk).collect(), params, layer }
    }

    /// The mean cross-entropy over all digits with the penalty.
    pub(crate) fn objective(&self) -> Ridge<Batched<FlatLoss<'_, f64>>> {
        let loss =
            |cx: &Ctx<f64>, (images, labels): &Digits| self.layer.forward(cx, images).cross_entropy(labels);
        Ridge::new(self.params.objective_over(&self.chunks, loss), L2)
    }

    /// Mini-batches of so many digits, or fewer where a chunk ends: chunk and range.
    pub(crate) fn batches(&self, size: usize) -> Vec<(usize, Range<isize>)> {
        let cut = |(chunk, (_, labels)): (usize, &Digits)| {
            let count = labels.len();
            (0..count)
                .step_by(size)
                .map(move |start| (chunk, start as isize..count.min(start + size) as isize))
                .collect::<Vec<_>>()
        };
        self.chunks.iter().enumerate().flat_map(cut).collect()
    }

    /// Value and gradient over a mini-batch.
    pub(crate) fn value_and_gradient(
        &self,
        (chunk, range): (usize, Range<isize>),
        x: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let (images, labels) = &self.chunks[chunk];
        let (images, labels) = (images.slice(range.clone()), labels.slice(range));
        let loss = |cx: &Ctx<f64>| self.layer.forward(cx, &images).cross_entropy(&labels) + cx.l2(L2);
        self.params.objective(loss).value_and_gradient(x, gradient)
    }
}
