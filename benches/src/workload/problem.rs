//! Models with data and a loss, whose derivatives are measured or which are trained.

use wengert::prelude::*;

use super::Workload;
use super::training::training;

/// A model with its parameters, and the loss of its outputs on one batch.
pub(super) struct Problem {
    pub(super) params: Params,
    pub(super) outputs: Box<dyn Fn(&Ctx) -> Var>,
    pub(super) loss: Box<dyn Fn(&Var) -> Var>,
}

impl Problem {
    pub(super) fn new(
        params: Params,
        outputs: impl Fn(&Ctx) -> Var + 'static,
        loss: impl Fn(&Var) -> Var + 'static,
    ) -> Self {
        Problem { params, outputs: Box::new(outputs), loss: Box::new(loss) }
    }

    /// Train steps on the batch.
    pub(super) fn training(self, optimizer: impl Optimizer + 'static) -> Workload {
        let Problem { params, outputs, loss } = self;
        training(params, optimizer, move |cx| loss(&outputs(cx)))
    }
}
