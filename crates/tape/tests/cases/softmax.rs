//! Softmax and its kin.

use super::{Case, any, at, case, indices};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("softmax", |v| v[0].softmax(0), [any([4])]).also([any([3, 2])]).also([any([1])]).order(3),
        case("softmax last axis", |v| v[0].softmax(-1), [any([2, 3])]).also([any([2, 1, 3])]),
        case("softmax of large numbers", |v| v[0].softmax(0), [at([1000.0, 1001.0, -1000.0])]),
        case("log_softmax", |v| v[0].log_softmax(0), [any([4])])
            .also([any([3, 2])])
            .also([any([1])])
            .order(3),
        case("log_softmax last axis", |v| v[0].log_softmax(-1), [any([2, 3])]),
        case("logsumexp", |v| v[0].logsumexp(0, false), [any([4])])
            .also([any([3, 2])])
            .also([any([1])])
            .order(3),
        case("logsumexp all", |v| v[0].logsumexp(.., false), [any([2, 3])]).also([any([])]),
        case("logsumexp keepdim", |v| v[0].logsumexp([0, 2], true), [any([2, 3, 2])]),
        case("logsumexp of large numbers", |v| v[0].logsumexp(0, false), [at([1000.0, 1001.0, -1000.0])]),
        case("softmax_cross_entropy", |v| v[0].softmax_cross_entropy(indices([2, 0]), 0.0), [any([2, 3])])
            .order(3),
        case(
            "softmax_cross_entropy smoothed",
            |v| v[0].softmax_cross_entropy(indices([1, 1]), 0.1),
            [any([2, 3])],
        )
        .also([at([[1000.0, -1000.0], [1.0, 2.0]])]),
        case(
            "softmax_cross_entropy of a sum",
            |v| v[0].softmax_cross_entropy(indices([0]), 0.2) + v[0].sum(),
            [any([1, 4])],
        ),
    ]
}
