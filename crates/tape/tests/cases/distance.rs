//! Distances and similarities, away from points that coincide.

use super::{Case, any, case, other};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("cdist", |v| v[0].cdist(&v[1], 2.0), [any([2, 3]), other([3, 3])])
            .also([any([2, 1, 2]), other([1, 2, 2])])
            .also([any([2, 1, 2]), other([3, 2])])
            .also([any([3, 2]), other([2, 1, 2])])
            .also([any([0, 2]), other([2, 2])])
            .order(3),
        case("pdist", |v| v[0].pdist(2.0), [any([4, 2])]).also([any([1, 2])]).also([any([0, 2])]),
        case("pdist 3", |v| v[0].pdist(3.0), [any([3, 2])]),
        case("dist", |v| v[0].dist(&v[1], 2.0), [any([2, 3]), other([3])]),
        case("renorm", |v| v[0].renorm(2.0, 0, 1.5), [any([3, 4])]),
        case("cdist 1", |v| v[0].cdist(&v[1], 1.0), [any([2, 2]), other([3, 2])]),
        case("cdist 3", |v| v[0].cdist(&v[1], 3.0), [any([2, 2]), other([3, 2])]),
        case("cdist largest", |v| v[0].cdist(&v[1], f64::INFINITY), [any([2, 2]), other([1, 2])]),
        case(
            "pairwise_distance",
            |v| v[0].pairwise_distance(&v[1], 2.0, 1e-6, false),
            [any([2, 3]), other([2, 3])],
        )
        .also([any([2, 3]), other([3])]),
        case(
            "pairwise_distance kept",
            |v| v[0].pairwise_distance(&v[1], 3.0, 0.01, true),
            [any([2, 3]), other([2, 3])],
        ),
        case(
            "cosine_similarity",
            |v| v[0].cosine_similarity(&v[1].exp(), -1, 1e-8),
            [any([2, 3]), other([2, 3])],
        )
        .also([any([2, 1, 3]), other([2, 3])])
        .also([any([3]), other([2, 3])]),
        case(
            "cosine_similarity short",
            |v| v[0].cosine_similarity(&v[1], 0, 9.0),
            [any([2, 2]), other([2, 2])],
        ),
        case("normalize", |v| v[0].normalize(2.0, 0, 1e-12), [any([2, 3])]).also([any([3])]),
        case("normalize 1", |v| v[0].normalize(1.0, -1, 1e-12), [any([2, 3])]),
        case("normalize short", |v| v[0].normalize(2.0, -1, 5.0), [any([2, 3])]),
    ]
}
