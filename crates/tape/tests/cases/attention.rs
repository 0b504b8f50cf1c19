//! Attention with every option. No row has one key alone: the derivatives by its scores are 0, of which differences would
//! see rounding errors only.

use super::{Case, any, case, indices, other, unit};
use wengert_tape::{AttentionMask, AttentionOptions, Index, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

pub(super) fn cases() -> Vec<Case> {
    // The third order goes by other rules than the first two.
    let third = |case: Case| if case.operation() == "attention" { case.order(3) } else { case };
    let all = vec![
        case(
            "attention",
            |v| v[0].attention(&v[1], &v[2], &AttentionOptions::default()),
            qkv([2, 3], [4, 3], 2),
        )
        .also([any([1, 2, 3, 2]), other([1, 2, 2, 2]), unit([1, 2, 2, 2])])
        .also([any([2, 2]), other([2, 2]), unit([2, 2])])
        .also([any([0, 2, 2, 2]), other([0, 2, 2, 2]), unit([0, 2, 2, 2])])
        .also([any([1, 0, 2]), other([1, 2, 2]), unit([1, 2, 2])])
        .also([any([1, 2, 2]), other([1, 0, 2]), unit([1, 0, 2])])
        .also([any([2, 2]), other([3, 2]), unit([3, 0])]),
        case(
            "attention causal",
            |v| v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::causal_after(1))),
            qkv([3, 2], [3, 2], 2),
        )
        .also([any([3, 2]), other([2, 2]), unit([2, 2])]),
        case(
            "attention behind a cache",
            |v| v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::causal_after(2))),
            qkv([2, 2], [4, 2], 2),
        ),
        case(
            "attention grouped",
            |v| v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::causal_after(1))),
            [any([1, 4, 2, 2]), other([1, 2, 3, 2]), unit([1, 2, 3, 1])],
        ),
        case(
            "attention of several axes of the batch",
            |v| {
                v[0].attention(
                    &v[1],
                    &v[2],
                    &AttentionOptions::masked(AttentionMask::lengths(indices([[2], [3]]))),
                )
            },
            [any([2, 1, 1, 2, 2]), other([2, 1, 1, 3, 2]), unit([2, 1, 1, 3, 2])],
        ),
        case(
            "attention masked",
            |v| {
                // The second query sees nothing.
                let mask = Tensor::from([[true, false, true], [false, false, false]]);
                v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::takes_part(mask)))
            },
            qkv([2, 3], [3, 3], 2),
        ),
        case(
            "attention padded, with a scale",
            |v| {
                let mask = AttentionMask::lengths(indices([0, 2])).and(AttentionMask::causal_after(2));
                let options = AttentionOptions { scale: Some(0.3), ..AttentionOptions::masked(mask) };
                v[0].attention(&v[1], &v[2], &options)
            },
            [any([2, 1, 3, 2]), other([2, 1, 3, 2]), unit([2, 1, 3, 2])],
        ),
        case("attention with a bias", with_bias, bias([2, 2, 2, 3])).also(bias([3])).also(bias([2, 1, 2, 3])),
        case(
            "attention with −∞ in the bias",
            |v| {
                let bias = &v[3] + Tensor::from([[0.0, f64::NEG_INFINITY, 0.0], [f64::NEG_INFINITY; 3]]);
                v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::bias(&bias)))
            },
            bias([2, 3]),
        ),
        case(
            "attention with dropout",
            |v| {
                let key = Index::key(&Generator::seeded(3));
                let mask = AttentionMask::causal_after(1).and(AttentionMask::bias(&v[3]));
                let options =
                    AttentionOptions { dropout: Some((0.4, key)), ..AttentionOptions::masked(mask) };
                v[0].attention(&v[1], &v[2], &options)
            },
            bias([2, 3]),
        ),
        case(
            "attention of large scores",
            |v| {
                let bias = &v[3] + Tensor::from([1000.0, 1001.0, -1000.0]);
                v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::bias(&bias)))
            },
            bias([3]),
        ),
        case(
            "attention_weights",
            |v| v[0].attention_weights(&v[1], &AttentionOptions::masked(AttentionMask::causal())),
            [any([2, 3, 2]), other([2, 3, 2])],
        )
        .also([any([1, 4, 2, 2]), other([1, 2, 3, 2])]),
    ];
    all.into_iter().map(third).collect()
}

fn with_bias(v: &[Var<f64>]) -> Var<f64> {
    v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::bias(&v[3])))
}

fn qkv(query: [usize; 2], key: [usize; 2], value_width: usize) -> [Var<f64>; 3] {
    [any(query), other(key), unit([key[0], value_width])]
}

fn bias<const N: usize>(shape: [usize; N]) -> [Var<f64>; 4] {
    [any([2, 2, 2, 1]), other([2, 2, 3, 1]), unit([2, 2, 3, 1]), any(shape)]
}
