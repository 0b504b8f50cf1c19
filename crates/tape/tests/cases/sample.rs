//! Random numbers: constants for the derivatives, operations for a replay.

use super::{Case, any, case, positive};
use wengert_tape::{Index, Var};
use wengert_tensor::random::Generator;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("uniform", |v| &v[0] * Var::uniform([2, 3], -1.0, 2.0, key()), [any([2, 3])]),
        case("normal", |v| &v[0] * Var::normal([2, 3], 0.5, 2.0, key()), [any([2, 3])]).also([any([])]),
        case("exponential", |v| &v[0] * Var::exponential([3], 2.0, key()), [any([2, 3])]),
        case("gumbel", |v| (&v[0] + Var::gumbel([3], key())).exp(), [any([2, 3])]),
        case("bernoulli", |v| v[0].sigmoid().bernoulli(key()) * &v[0], [any([2, 3])]).also([any([0])]),
        case("poisson", |v| v[0].poisson(key()) * &v[0], [positive([2, 3])]).also([positive([0])]),
        case("categorical", |v| v[0].gather(1, v[0].categorical(key()).reshape([2, 1])), [any([2, 3])]),
        case("multinomial", |v| v[0].gather(1, v[0].multinomial(4, true, key())), [positive([2, 3])]),
        case(
            "multinomial without",
            |v| v[0].gather(1, v[0].multinomial(2, false, key())),
            [positive([2, 3])],
        ),
        case("gumbel_softmax", |v| v[0].gumbel_softmax(0.7, false, 1, key()), [any([2, 3])])
            .also([any([0, 3])])
            .also([any([2, 1])]),
        case("gumbel_softmax first", |v| v[0].gumbel_softmax(2.0, false, 0, key()), [any([3, 2])]),
    ]
}

fn key() -> Index<f64> {
    Index::key(&Generator::seeded(9))
}
