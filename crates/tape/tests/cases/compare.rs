//! What chooses by comparisons, positions and random numbers, away from ties.

use super::{Case, any, case, other};
use wengert_tape::{Index, Var};
use wengert_tensor::random::Generator;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("gt", |v| Var::select_where(v[0].gt(0.3), &v[0].square(), &v[1]), [any([2, 3]), other([2, 3])]),
        case("gt of two", |v| Var::select_where(v[0].gt(&v[1]), &v[0], &v[1]), [any([2, 3]), other([3])]),
        case("ge", |v| v[0].masked_fill(v[0].ge(0.1), 2.0) * &v[0], [any([2, 3])]),
        case("lt", |v| v[0].masked_fill(v[0].lt(&v[1]), 2.0) * &v[0], [any([2, 3]), other([2, 1])]),
        case("le", |v| v[0].masked_select(v[0].le(0.4)).square(), [any([2, 3])]),
        case("equal", |v| v[0].masked_fill(v[0].equal(v[0].max()), 0.5).square(), [any([2, 3])]),
        case("not_equal", |v| v[0].masked_fill(v[0].not_equal(v[0].max()), 0.5).square(), [any([2, 3])]),
        case("floor", |v| v[0].floor() * &v[0], [any([2, 3])]),
        case("round", |v| v[0].round() * &v[0], [any([2, 3])]),
        case("argmax", |v| v[0].square().index_select(1, v[0].argmax(1)), [any([2, 3])]),
        case("argmin", |v| v[0].argmin(0).one_hot(2) * v[0].t().exp(), [any([2, 3])]),
        case("argsort", |v| v[1].gather(1, v[0].argsort(1, true)) * &v[0], [any([2, 3]), other([2, 3])]),
        case("dropout", |v| v[0].dropout(0.4, key(5)).exp(), [any([2, 5])]).also([any([])]),
        case("dropout_shared", |v| v[0].dropout_shared(0.4, 1, key(5)).exp(), [any([5, 2])])
            .also([any([2, 3, 2])])
            .also([any([3, 0])]),
        case("rrelu", |v| v[0].rrelu(0.1, 0.4, key(5)).exp(), [any([2, 5])]).also([any([])]).also([any([0])]),
        case("dropout of all", |v| v[0].dropout(1.0, key(5)).exp(), [any([2, 2])]),
    ]
}

fn key(seed: u64) -> Index<f64> {
    Index::key(&Generator::seeded(seed))
}
