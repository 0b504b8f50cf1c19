//! Connectionist temporal classification.

use wengert_tape::Var;
use wengert_tensor::Tensor;

use super::{Case, any, case};

/// The losses of logits, with labels of every kind: repeated, as many as steps allow, none.
fn losses(x: &Var<f64>, labels: Tensor<u32>, steps: &[u32], counts: &[u32]) -> Var<f64> {
    x.log_softmax(-1).ctc_loss(labels, Tensor::vector(steps), Tensor::vector(counts), 0)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "ctc_loss",
            |v| losses(&v[0], Tensor::from([[1u32, 1], [2, 1], [2, 0]]), &[4, 4, 3], &[2, 2, 1]),
            [any([4, 3, 3])],
        ),
        case(
            "ctc_loss without labels",
            |v| losses(&v[0], Tensor::from([[9u32], [1]]), &[2, 1], &[0, 1]),
            [any([2, 2, 3])],
        ),
        case(
            "ctc_loss of no steps",
            |v| losses(&v[0], Tensor::from([[1u32], [1]]), &[0, 2], &[0, 1]),
            [any([2, 2, 2])],
        ),
        case(
            "ctc_loss of too few steps, without those",
            |v| {
                let losses = losses(&v[0], Tensor::from([[1u32, 1], [2, 1]]), &[2, 2], &[2, 2]);
                losses.masked_fill(losses.equal(f64::INFINITY), 0.0)
            },
            [any([2, 2, 3])],
        ),
        case(
            "ctc_loss of probabilities that are none",
            |v| v[0].ctc_loss(Tensor::from([[1u32, 0]]), Tensor::from([3u32]), Tensor::from([2u32]), 2),
            [any([3, 1, 3])],
        ),
    ]
}
