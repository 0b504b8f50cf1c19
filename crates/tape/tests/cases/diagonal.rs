//! Diagonals and triangles.

use super::{Case, any, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("tril", |v| v[0].tril(0), [any([3, 3])])
            .also([any([2, 4])])
            .also([any([2, 3, 2])])
            .also([any([0, 3])]),
        case("tril offset", |v| v[0].tril(-1), [any([3, 4])]),
        case("triu", |v| v[0].triu(0), [any([3, 3])]).also([any([4, 2])]).also([any([2, 1, 2])]),
        case("triu offset", |v| v[0].triu(1), [any([3, 4])]),
        case("diagonal", |v| v[0].diagonal(0), [any([3, 3])]).also([any([2, 4])]).also([any([2, 3, 2])]),
        case("diagonal above", |v| v[0].diagonal(1), [any([3, 4])]).also([any([3, 1])]),
        case("diagonal below", |v| v[0].diagonal(-2), [any([4, 3])]),
        case("diag", |v| v[0].diag(0), [any([3])]).also([any([2, 3])]).also([any([1])]).also([any([0])]),
        case("diag above", |v| v[0].diag(2), [any([3])]),
        case("diag below", |v| v[0].diag(-1), [any([2, 2])]),
    ]
}
