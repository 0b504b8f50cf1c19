//! After the first steps, a step asks nobody for memory.

use wengert_nn::{CompiledLoss, Ctx};
use wengert_tape::Ran;
use wengert_tensor::parallel::with_threads;

use crate::counting::allocations;
use crate::losses::{Batch, Model, batches, models};

#[test]
fn steps_take_no_memory_from_the_system() {
    let mut failures = Vec::new();
    for Model { name, params, loss, shape } in models() {
        let batches = batches(&shape);
        for threads in [1, 2] {
            let mut compiled = CompiledLoss::new(|cx: &Ctx, batch: &Batch| loss(cx, batch));
            let counts: Vec<usize> = with_threads(threads, || {
                let step = |count: usize| {
                    allocations(|| drop(compiled.value_and_grad(&params, &batches[count % 4]).unwrap()))
                };
                (0..5).map(step).collect()
            });
            assert_eq!(compiled.ran(), &Ran::Replayed);
            if counts[3..] != [0, 0] {
                failures.push(format!("{name}, {threads} threads: {counts:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
