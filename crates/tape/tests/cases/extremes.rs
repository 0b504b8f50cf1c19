//! Largest and smallest elements, away from ties.

use super::{Case, any, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("max", |v| v[0].max(), [any([5])]).also([any([])]).also([any([2, 3])]).also([any([1])]),
        case("max_axes", |v| v[0].max_axes(0, false), [any([2, 3])]).also([any([3, 2, 2])]),
        case("max_axes keepdim", |v| v[0].max_axes([0, 2], true), [any([2, 3, 2])]).also([any([2, 0, 1])]),
        case("max_axes of a square", |v| v[0].square().max_axes(-1, false), [any([2, 3])]),
        case("min", |v| v[0].min(), [any([5])]).also([any([])]).also([any([2, 3])]),
        case("min_axes", |v| v[0].min_axes(1, false), [any([2, 3])]).also([any([3, 1])]),
        case("min_axes keepdim", |v| v[0].min_axes([0, -1], true), [any([2, 3, 2])]),
        case("sort", |v| v[0].sort(0, false), [any([5])]).also([any([3, 2])]).also([any([1])]),
        case("sort descending", |v| v[0].sort(-1, true), [any([2, 4])]),
        case("topk", |v| v[0].topk(2, 0).0, [any([5])]).also([any([3, 2])]),
        case("topk last axis", |v| v[0].topk(3, -1).0, [any([2, 4])]),
    ]
}
