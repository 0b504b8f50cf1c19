//! Train steps: forward, backward, update, and the loss read back.

use std::hint::black_box;

use wengert::nn::CompiledLoss;
use wengert::prelude::*;

use super::Workload;
use super::problem::{Batch, Problem};

/// After about 800 steps on the same batch the first moments of Adam for dead units become subnormal, and the step
/// is another one.
const MOST_STEPS: usize = 500;

/// Train steps of the model behind `loss` on the same batch.
pub(super) fn training(
    mut params: Params,
    mut optimizer: impl Optimizer + 'static,
    loss: impl Fn(&Ctx) -> Var + 'static,
) -> Workload {
    let step = move || {
        let (value, grads) = params.value_and_grad(&loss).expect("the loss depends on every parameter");
        params.update_buffers(&grads);
        optimizer.step(&mut params.values_mut(), &grads);
        black_box(value);
    };
    Workload { most_steps: MOST_STEPS, ..Workload::new(step) }
}

/// The same steps, recorded once and replayed.
pub(super) fn replayed_training(
    mut params: Params,
    mut optimizer: impl Optimizer + 'static,
    batch: Batch,
    loss: impl Fn(&Ctx, &Batch) -> Var + 'static,
) -> Workload {
    let mut loss = CompiledLoss::new(loss);
    let step = move || {
        let (value, grads) =
            loss.value_and_grad(&params, &batch).expect("the loss depends on every parameter");
        params.update_buffers(&grads);
        optimizer.step(&mut params.values_mut(), &grads);
        black_box(value);
    };
    Workload { most_steps: MOST_STEPS, ..Workload::new(step) }
}

/// The same steps in a run, which has all that it has for a program that does not ask for more.
pub(super) fn in_a_run(problem: Problem, optimizer: impl Optimizer + 'static) -> Workload {
    let (whole, batch) = (problem.whole(), problem.batch.clone());
    // The workload lasts as long as the program.
    let params = Box::leak(Box::new(problem.params));
    let mut run = Trainer::new(params, optimizer).start().expect("the settings go together");
    let step = move || {
        let value = run.step(|cx| whole(cx, &batch)).expect("the loss depends on every parameter");
        black_box(value);
    };
    Workload { most_steps: MOST_STEPS, ..Workload::new(step) }
}

/// Adam as every workload has it.
pub(super) fn adam() -> Adam {
    Adam::new(1e-3)
}
