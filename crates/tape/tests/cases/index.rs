//! Reading and adding at indices, of which some stand more than once.

use super::{Case, any, case, indices, other};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("gather shorter", |v| v[0].gather(1, indices([[2, 0], [1, 1]])), [any([3, 4])]),
        case(
            "scatter_add shorter",
            |v| v[0].scatter_add(1, indices([[2, 0], [1, 1]]), &v[1]),
            [any([3, 4]), other([2, 2])],
        )
        .also([any([3, 4]), other([3, 4])]),
        case("index_select", |v| v[0].index_select(0, indices([2, 0, 2, 2])), [any([3])]).also([any([3, 2])]),
        case("index_select last axis", |v| v[0].index_select(-1, indices([1, 1])), [any([2, 3])]),
        case("index_select nothing", |v| v[0].index_select(0, indices([0; 0])), [any([3])]),
        case("index_add", |v| v[0].index_add(0, indices([1, 1, 0]), &v[1]), [any([2]), other([3])])
            .also([any([2, 4]), other([3, 4])])
            .also([any([3]), other([3])]),
        case("index_add axis 1", |v| v[0].index_add(1, indices([2, 2]), &v[1]), [any([2, 3]), other([2, 2])]),
        case("gather", |v| v[0].gather(0, indices([[1, 1, 0], [0, 1, 1]])), [any([2, 3])]),
        case("gather axis 1", |v| v[0].gather(1, indices([[2, 2], [0, 1]])), [any([2, 3])]),
        case(
            "scatter_add",
            |v| v[0].scatter_add(1, indices([[2, 2], [0, 1]]), &v[1]),
            [any([2, 3]), other([2, 2])],
        ),
        case(
            "scatter_add of the same shape",
            |v| v[0].scatter_add(0, indices([[1, 1], [0, 1]]), &v[1]),
            [any([2, 2]), other([2, 2])],
        ),
    ]
}
