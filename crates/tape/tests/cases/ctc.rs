//! Connectionist temporal classification.

use wengert_tape::{Var, hvp, jvp};
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

/// Steps behind the end of a sequence, and their tangents, may be anything.
#[test]
fn what_is_behind_the_end_of_a_sequence_does_not_matter() {
    let number = |k: usize| (1.3 * k as f64).sin();
    let of = |f: &dyn Fn(usize) -> f64, bad: f64| {
        Var::from(Tensor::from_fn([4, 2, 3], |i| {
            if (i[0], i[1]) == (3, 0) { bad } else { f(i[0] * 6 + i[1] * 3 + i[2]) }
        }))
    };
    let loss = |x: &Var<f64>| {
        let losses = losses(x, Tensor::from([[2u32, 1], [1, 1]]), &[3, 4], &[2, 1]);
        (&losses * &losses).sum()
    };
    let clean = (of(&number, 0.5), of(&|k| number(k + 5), 0.5));
    let expected = hvp(loss, &clean.0, &clean.1).value().to_vec();
    for bad in [f64::NAN, f64::INFINITY] {
        let (x, t) = (of(&number, bad), of(&|k| number(k + 5), bad));
        assert_eq!(jvp(loss, &x, &t).1.item(), jvp(loss, &clean.0, &clean.1).1.item());
        let found = hvp(loss, &x, &t).value().to_vec();
        for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // That row itself goes through a softmax.
            assert!(
                (18..21).contains(&k) || (found - expected).abs() < 1e-13,
                "{bad}: {found} at {k}, not {expected}"
            );
        }
    }
}
