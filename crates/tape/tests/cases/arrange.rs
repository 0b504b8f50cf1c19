//! Moved axes, grids, windows, repetitions and stacks.

use super::{Case, any, case, indices, other};
use wengert_tape::{Indexing, Var};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("movedim", |v| v[0].movedim(&[0], &[-1]), [any([2, 3, 2])]),
        case("movedim two", |v| v[0].movedim(&[2, 0], &[0, 1]).square(), [any([2, 1, 3])]),
        case("windows", |v| v[0].windows(0, 3, 1), [any([5])]).also([any([4, 2])]).also([any([3, 2])]),
        case("windows apart", |v| v[0].windows(-1, 2, 3), [any([2, 6])]),
        case("windows of nothing", |v| v[0].windows(0, 0, 2), [any([3])]),
        case("repeat_interleave", |v| v[0].repeat_interleave(3, 0), [any([2])]).also([any([2, 2])]),
        case("repeat_interleave last axis", |v| v[0].repeat_interleave(2, -1), [any([2, 3])]),
        case("repeat_interleave never", |v| v[0].repeat_interleave(0, 0), [any([2, 3])]),
        case(
            "repeat_interleave_counts",
            |v| v[0].repeat_interleave_counts(indices([2, 0, 1]), 0),
            [any([3])],
        )
        .also([any([3, 2])]),
        case(
            "repeat_interleave_counts axis 1",
            |v| v[0].repeat_interleave_counts(indices([0, 3]), 1),
            [any([2, 2])],
        ),
        case("meshgrid", |v| both(Indexing::Ij, v), [any([2]), other([3])]).also([any([2]), other([2])]),
        case("meshgrid xy", |v| both(Indexing::Xy, v), [any([2]), other([3])]).also([any([]), other([2])]),
        case("cartesian_prod", |v| Var::cartesian_prod(&[&v[0], &v[1]]).square(), [any([2]), other([3])]),
        case("cartesian_prod of one", |v| Var::cartesian_prod(&[&v[0]]).square(), [any([2])]),
        case("diag_embed", |v| v[0].diag_embed(1, 0, 2), [any([2, 2])]).also([any([1, 2])]),
        case("diag_embed back", |v| v[0].diag_embed(-1, -1, 0), [any([2, 2])]),
        case("unbind", |v| v[0].unbind(1).into_iter().reduce(|a, b| a * b).unwrap(), [any([2, 3])]),
        case("split_sizes", |v| v[0].split_sizes(&[1, 0, 2], 1)[2].square(), [any([2, 3])]),
        case("hstack", |v| Var::hstack(&[&v[0], &v[1]]), [any([2, 1]), other([2, 2])])
            .also([any([2]), other([1])])
            .also([any([]), other([2])]),
        case("vstack", |v| Var::vstack(&[&v[0], &v[1]]), [any([2]), other([2, 2])])
            .also([any([]), other([1])]),
        case("dstack", |v| Var::dstack(&[&v[0], &v[1]]), [any([2, 2]), other([2, 2])])
            .also([any([2]), other([2])])
            .also([any([1, 2]), other([1, 2, 2])]),
    ]
}

/// A function of all grids.
fn both(indexing: Indexing, v: &[Var<f64>]) -> Var<f64> {
    let grids = Var::meshgrid(&[&v[0], &v[1]], indexing);
    &grids[0] * grids[1].exp()
}
