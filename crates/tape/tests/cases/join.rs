//! Joining, padding and repeating.

use super::{Case, any, case, other};
use wengert_tape::Var;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("cat", |v| Var::cat(&[&v[0], &v[1]], 0), [any([2]), other([3])])
            .also([any([2, 3]), other([1, 3])])
            .also([any([0, 3]), other([1, 3])])
            .also([any([2]), other([2])]),
        case("cat last axis", |v| Var::cat(&[&v[0], &v[1], &v[0]], -1), [any([2, 3]), other([2, 1])]),
        case("cat the same twice", |v| Var::cat(&[&v[0], &v[0]], 0), [any([2, 2])]).order(3),
        case("cat one", |v| Var::cat(&[&v[0]], 0), [any([2, 2])]),
        case("stack", |v| Var::stack(&[&v[0], &v[1]], 0), [any([2]), other([2])]).also([any([]), other([])]),
        case("stack last axis", |v| Var::stack(&[&v[0], &v[1], &v[0]], -1), [any([2, 3]), other([2, 3])]),
        case("pad", |v| v[0].pad(&[(1, 2)], 0.0), [any([3])]).also([any([0])]),
        case("pad with a number", |v| v[0].pad(&[(1, 0), (0, 2)], 7.0), [any([2, 3])]),
        case("tile", |v| v[0].tile(&[2, 3]), [any([2, 2])]).also([any([3])]).also([any([])]),
        case("tile none", |v| v[0].tile(&[0]), [any([3])]),
        case("roll", |v| v[0].roll(1, 0), [any([4])]).also([any([3, 2])]).also([any([1])]).also([any([0])]),
        case("roll back", |v| v[0].roll(-5, -1), [any([2, 3])]),
    ]
}
