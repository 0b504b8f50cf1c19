//! Rows of tables of tokens, the gates of recurrent units, and sequences of unequal length.

use super::{Case, any, case, other, unit};
use wengert_tape::{Index, Var};
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("gru_gates", |v| v[0].gru_gates(&v[1], &v[2]), [any([2, 6]), other([2, 6]), unit([2, 2])])
            .also([any([9]), other([9]), any([3])])
            .also([any([2, 1, 3]), any([2, 1, 3]), other([2, 1, 1])])
            .also([any([0, 6]), any([0, 6]), any([0, 2])])
            .also([any([2, 0]), any([2, 0]), any([2, 0])])
            .order(3),
        case(
            "gru_gates two steps",
            |v| {
                let h = v[0].gru_gates(&v[1], &v[2]);
                v[0].gru_gates(&(&v[1] * Var::cat(&[&h, &h, &h], -1)), &h)
            },
            [any([2, 6]), other([2, 6]), unit([2, 2])],
        ),
        case("lstm_gates", |v| v[0].lstm_gates(&v[1], &v[2]), [any([2, 8]), other([2, 8]), unit([2, 2])])
            .also([any([12]), other([12]), any([3])])
            .also([any([2, 1, 4]), any([2, 1, 4]), other([2, 1, 1])])
            .also([any([0, 8]), any([0, 8]), any([0, 2])])
            .also([any([2, 0]), any([2, 0]), any([2, 0])])
            .order(3),
        case(
            "lstm_gates two steps",
            |v| {
                let next = v[0].lstm_gates(&v[1], &v[2]);
                let (h, c) = (next.slice_axis(-1, ..2), next.slice_axis(-1, 2..));
                v[0].lstm_gates(&(&v[1] * Var::cat(&[&h, &h, &h, &h], -1)), &c)
            },
            [any([2, 8]), other([2, 8]), unit([2, 2])],
        ),
        case(
            "lstm_sequence",
            |v| {
                let [outputs, cell] = v[0].lstm_sequence(&v[1], [&v[2], &v[3]], false);
                outputs.sum_axes(0, false) * &v[2] + cell.square()
            },
            [any([3, 2, 8]), other([8, 2]), unit([2, 2]), any([2, 2])],
        )
        .also([any([1, 5, 4]), other([4, 1]), any([5, 1]), unit([5, 1])])
        .also([any([0, 2, 8]), any([8, 2]), other([2, 2]), any([2, 2])])
        .also([any([2, 0, 8]), any([8, 2]), other([0, 2]), any([0, 2])])
        .also([any([2, 3, 0]), any([0, 0]), other([3, 0]), any([3, 0])]),
        case(
            "lstm_sequence backwards",
            |v| Var::cat(&v[0].lstm_sequence(&v[1], [&v[2], &v[3]], true).map(|x| x.reshape([x.len()])), 0),
            [any([3, 2, 8]), other([8, 2]), unit([2, 2]), any([2, 2])],
        ),
        case(
            "gru_sequence",
            |v| v[0].gru_sequence(&v[1], Some(&v[3]), &v[2], false),
            [any([3, 2, 6]), other([6, 2]), unit([2, 2]), any([6])],
        )
        .also([any([1, 5, 3]), other([3, 1]), any([5, 1]), unit([3])])
        .also([any([0, 2, 6]), any([6, 2]), other([2, 2]), any([6])])
        .also([any([2, 0, 6]), any([6, 2]), other([0, 2]), any([6])])
        .also([any([2, 3, 0]), any([0, 0]), other([3, 0]), any([0])]),
        case(
            "gru_sequence backwards",
            |v| v[0].gru_sequence(&v[1], None, &v[2], true),
            [any([3, 2, 6]), other([6, 2]), unit([2, 2])],
        ),
        // The row of the padding is a constant.
        case(
            "embedding",
            |v| {
                Var::cat(&[&v[0], &Var::ones(v[0].slice(..1).shape())], 0)
                    .embedding(tokens(), Some(3))
                    .square()
            },
            [any([3, 2])],
        )
        .also([any([3, 0])]),
        case("embedding without padding", |v| v[0].embedding(tokens(), None).exp(), [any([4, 2])]),
        case(
            "select_where within lengths",
            |v| {
                let lengths: Index<f64> = Tensor::from([2u32, 0]).into();
                Var::select_where(lengths.positions_within(1..4), &v[0].square(), &v[1])
            },
            [any([3, 2]), other([3, 2])],
        ),
    ]
}

fn tokens() -> Tensor<u32> {
    Tensor::from([[3, 1, 0], [1, 3, 3]])
}
