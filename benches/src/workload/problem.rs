//! Models with data and a loss, whose derivatives are measured or which are trained.

use std::rc::Rc;

use wengert::prelude::*;
use wengert::tape::Index;

use super::Workload;
use super::training::{replayed_training, training};

/// What a step is taken on: numbers and labels.
pub(super) type Batch = (Vec<Var>, Vec<Index>);

type Outputs = dyn Fn(&Ctx, &Batch) -> Var;
type Loss = dyn Fn(&Var, &Batch) -> Var;

/// A model with its parameters, and the loss of its outputs on one batch.
pub(super) struct Problem {
    pub(super) params: Params,
    pub(super) batch: Batch,
    outputs: Rc<Outputs>,
    loss: Rc<Loss>,
}

impl Problem {
    pub(super) fn new(
        params: Params,
        batch: Batch,
        outputs: impl Fn(&Ctx, &Batch) -> Var + 'static,
        loss: impl Fn(&Var, &Batch) -> Var + 'static,
    ) -> Self {
        Problem { params, batch, outputs: Rc::new(outputs), loss: Rc::new(loss) }
    }

    /// One of a model and labels of classes.
    pub(super) fn classifying(
        params: Params,
        x: Var,
        labels: impl Into<Index>,
        outputs: impl Fn(&Ctx, &Var) -> Var + 'static,
    ) -> Self {
        let batch = (vec![x], vec![labels.into()]);
        let outputs = move |cx: &Ctx, (x, _): &Batch| outputs(cx, &x[0]);
        Problem::new(params, batch, outputs, |y, (_, labels)| y.cross_entropy(&labels[0]))
    }

    /// One of a model and numbers that it is to give.
    pub(super) fn fitting(
        params: Params,
        x: Var,
        target: Var,
        outputs: impl Fn(&Ctx, &Var) -> Var + 'static,
    ) -> Self {
        let batch = (vec![x, target], Vec::new());
        let outputs = move |cx: &Ctx, (numbers, _): &Batch| outputs(cx, &numbers[0]);
        Problem::new(params, batch, outputs, |y, (numbers, _)| y.mse(&numbers[1]))
    }

    /// The outputs and the loss as functions of the batch.
    pub(super) fn functions(&self) -> (impl Fn(&Ctx) -> Var + 'static, impl Fn(&Var) -> Var + 'static) {
        let (outputs, loss) = (Rc::clone(&self.outputs), Rc::clone(&self.loss));
        let batches = [self.batch.clone(), self.batch.clone()];
        let [first, second] = batches;
        (move |cx: &Ctx| outputs(cx, &first), move |y: &Var| loss(y, &second))
    }

    /// The loss of a batch.
    pub(super) fn whole(&self) -> impl Fn(&Ctx, &Batch) -> Var + 'static {
        let (outputs, loss) = (Rc::clone(&self.outputs), Rc::clone(&self.loss));
        move |cx, batch| loss(&outputs(cx, batch), batch)
    }

    /// Train steps on the batch.
    pub(super) fn training(self, optimizer: impl Optimizer + 'static) -> Workload {
        let (whole, batch) = (self.whole(), self.batch.clone());
        training(self.params, optimizer, move |cx| whole(cx, &batch))
    }

    /// The same steps, recorded once and replayed.
    pub(super) fn replayed_training(self, optimizer: impl Optimizer + 'static) -> Workload {
        let whole = self.whole();
        replayed_training(self.params, optimizer, self.batch, whole)
    }
}
