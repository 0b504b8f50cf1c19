//! Random numbers: constants for the derivatives, operations for a replay.

use super::{Case, any, at, case, positive};
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
        case("standard_gamma", |v| v[0].standard_gamma(key()), [positive([2, 3])])
            .order(3)
            .also([at([0.05, 20.0, 300.0, 2000.0])])
            .also([positive([0])]),
        case("beta", |v| v[0].beta(&v[1], key()), [positive([2, 3]), at([0.5, 1.0, 7.0])]),
        case("dirichlet", |v| v[0].dirichlet(key()), [positive([2, 3])]).also([positive([0, 2])]),
        case("chi2", |v| v[0].chi2(key()), [positive([3])]),
        case("student_t", |v| v[0].student_t(key()), [positive([3])]),
        case("laplace", |v| &v[0] * Var::laplace([3], key()), [any([2, 3])]),
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
