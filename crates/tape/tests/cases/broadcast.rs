//! Broadcasts, sums and means.

use super::{Case, any, case};
use wengert_tensor::Shape;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("broadcast_to", |v| v[0].broadcast_to([2, 3]), [any([3])]).also([any([])]).also([any([2, 1])]),
        case("broadcast_to same shape", |v| v[0].broadcast_to([2, 3]), [any([2, 3])]),
        case("broadcast_to new and old axes", |v| v[0].broadcast_to([4, 2, 3]), [any([2, 1])]),
        case("broadcast_to no elements", |v| v[0].broadcast_to([0, 3]), [any([3])]),
        case("sum_to", |v| v[0].sum_to(&Shape::from([1, 3])), [any([2, 3])]).also([any([4, 2, 3])]),
        case("sum_to a scalar", |v| v[0].sum_to(&Shape::scalar()), [any([2, 3])]).also([any([0])]),
        case("sum", |v| v[0].sum(), [any([2, 3])]).also([any([])]).also([any([0])]).also([any([1])]),
        case("sum_axes", |v| v[0].sum_axes(1, false), [any([2, 3])])
            .also([any([2, 3, 2])])
            .also([any([2, 0])]),
        case("sum_axes keepdim", |v| v[0].sum_axes([0, -1], true), [any([2, 3, 2])]).also([any([1, 4])]),
        case("sum_axes all", |v| v[0].sum_axes(.., true), [any([2, 3])]).also([any([])]),
        case("mean", |v| v[0].mean(), [any([2, 3])]).also([any([])]),
        case("mean_axes", |v| v[0].mean_axes(0, false), [any([2, 3])]).also([any([3, 0])]),
        case("mean_axes keepdim", |v| v[0].mean_axes([1, 2], true), [any([2, 3, 2])]),
    ]
}
