//! Matrix products of vectors, matrices and batches in every mix.

use super::{Case, any, case, other};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("matmul", |v| v[0].matmul(&v[1]), [any([2, 3]), other([3, 4])])
            .also([any([2, 2]), other([2, 2])])
            .also([any([1, 3]), other([3, 1])])
            .also([any([2, 1]), other([1, 2])])
            .also([any([0, 3]), other([3, 2])])
            .also([any([2, 0]), other([0, 3])])
            .order(3),
        case("matmul vectors", |v| v[0].matmul(&v[1]), [any([3]), other([3])]).also([any([1]), other([1])]),
        case("matmul vector and matrix", |v| v[0].matmul(&v[1]), [any([3]), other([3, 2])]),
        case("matmul matrix and vector", |v| v[0].matmul(&v[1]), [any([2, 3]), other([3])]),
        case("matmul vector and batch", |v| v[0].matmul(&v[1]), [any([3]), other([2, 3, 2])]),
        case("matmul batch and vector", |v| v[0].matmul(&v[1]), [any([2, 2, 3]), other([3])]),
        case("matmul batch and matrix", |v| v[0].matmul(&v[1]), [any([2, 2, 3]), other([3, 2])])
            .also([any([2, 2, 2, 3]), other([3, 2])])
            .also([any([0, 2, 3]), other([3, 2])])
            .also([any([2, 3, 0]), other([0, 2])]),
        case("matmul matrix and batch", |v| v[0].matmul(&v[1]), [any([2, 3]), other([2, 3, 2])]),
        case("matmul batches", |v| v[0].matmul(&v[1]), [any([2, 2, 3]), other([2, 3, 2])]),
        case("matmul broadcast batches", |v| v[0].matmul(&v[1]), [any([2, 1, 2, 3]), other([3, 3, 2])])
            .also([any([1, 2, 3]), other([2, 3, 2])])
            .also([any([2, 2, 3]), other([1, 3, 2])]),
        case("matmul with its transpose", |v| v[0].matmul(&v[0].t()), [any([2, 3])])
            .also([any([2, 2, 3])])
            .order(3),
        case("matmul of transposes", |v| v[0].t().matmul(&v[1].t()), [any([3, 2]), other([4, 3])]),
        case(
            "matmul summed twice",
            |v| v[0].matmul(&v[1]) + v[0].matmul(&v[1].square()),
            [any([2, 3]), other([3, 2])],
        ),
        case(
            "matmul batch summed twice",
            |v| v[0].matmul(&v[1]) + v[0].square().matmul(&v[1]),
            [any([2, 2, 3]), other([3, 2])],
        ),
        case("dot", |v| v[0].dot(&v[1]), [any([4]), other([4])]).also([any([0]), other([0])]).order(3),
        case("dot with itself", |v| v[0].dot(&v[0]), [any([4])]),
        case("outer", |v| v[0].outer(&v[1]), [any([2]), other([3])]).also([any([2]), other([2])]),
    ]
}
