//! Choosing by a mask, and the larger or smaller of two, away from ties.

use super::{Case, any, case, other, positive};
use wengert_tape::Var;
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("select_where", |v| Var::select_where(mask(), &v[0], &v[1]), [any([2, 3]), other([2, 3])])
            .also([any([]), other([2, 3])])
            .also([any([3]), other([2, 1])])
            .also([any([]), other([])])
            .also([any([4, 1, 3]), other([2, 3])])
            .also([any([1, 1, 1]), other([])]),
        case("masked_fill", |v| v[0].masked_fill(mask(), 2.0), [any([2, 3])])
            .also([any([])])
            .also([any([4, 1, 1])]),
        case("masked_scale", |v| v[0].masked_scale(&factors()), [any([2, 3])])
            .also([any([])])
            .also([any([4, 1, 3])])
            .also([any([1, 1])]),
        case("masked_select", |v| v[0].masked_select(mask()), [any([2, 3])]),
        case("masked_select nothing", |v| v[0].masked_select(Tensor::full([2], false)), [any([2])]),
        case("maximum", |v| v[0].maximum(&v[1]), [any([2, 3]), other([2, 3])])
            .also([any([2, 3]), other([])])
            .also([any([2, 1]), other([3])]),
        case("minimum", |v| v[0].minimum(&v[1]), [any([2, 3]), other([2, 3])])
            .also([any([]), other([2, 3])])
            .also([any([3]), positive([2, 1])]),
    ]
}

fn mask() -> Tensor<bool> {
    Tensor::from([[true, false, true], [false, false, true]])
}

fn factors() -> Tensor<f64> {
    Tensor::from([[2.0, 0.0, -0.5], [0.0, 1.0, 3.0]])
}
