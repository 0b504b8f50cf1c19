//! Train steps: forward, backward, update, and the loss read back.

use std::hint::black_box;

use wengert::prelude::*;

use super::Workload;

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
        optimizer.step(&mut params.values_mut(), &grads);
        black_box(value);
    };
    Workload { most_steps: MOST_STEPS, ..Workload::new(step) }
}

/// Adam as every workload has it.
pub(super) fn adam() -> Adam {
    Adam::new(1e-3)
}
