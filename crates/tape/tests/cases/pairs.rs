//! Functions of two numbers.

use super::{Case, any, at, case, other, positive};
use wengert_tape::Var;
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    vec![
        pair("atan2", |v| v[0].atan2(&v[1])).order(3).also([at([1.0, -2.0, 0.0]), at([-3.0, -0.1, 0.7])]),
        pair("hypot", |v| v[0].hypot(&v[1])),
        case("hypot further", |v| v[0].hypot(&v[1]), [any([2, 1]), positive([3])]).order(3),
        case("pow", |v| v[0].pow(&v[1]), [positive([2, 3]), positive([2, 3])])
            .order(3)
            .also([positive([2, 1]), other([1, 3])])
            .also([positive([]), other([3])])
            .also([positive([0]), other([1])]),
        case("pow of a number", |v| Var::scalar(2.0).pow(&v[0]), [any([3])]).order(3),
        case("pow to a number", |v| v[0].pow(2.5) + v[0].pow(2), [positive([3])]),
        case("pow to a tensor", |v| v[0].pow(Tensor::from([1.0, 2.5, -1.0])), [positive([3])]),
        pair("ldexp", |v| v[0].ldexp(&v[1])),
        pair("logaddexp", |v| v[0].logaddexp(&v[1])).order(3).also([at([1.0, 900.0]), at([1.0, -900.0])]),
        pair("logaddexp2", |v| v[0].logaddexp2(&v[1])).order(3).also([at([1.0, 900.0]), at([1.0, -900.0])]),
        pair("xlogy", |v| v[0].xlogy(&v[1])).order(3).also([at([0.0, 0.0]), at([2.0, 0.5])]),
        pair("xlog1py", |v| v[0].xlog1py(&v[1])).order(3).also([at([0.0, 0.0]), at([-0.5, 1e-3])]),
        pair("fmod", |v| v[0].fmod(&v[1]) * &v[0]).also([at([-7.0, 7.5]), at([3.0, -2.0])]),
        pair("remainder", |v| v[0].remainder(&v[1]) * &v[0]).also([at([-7.0, 7.5]), at([3.0, -2.0])]),
        pair("floor_divide", |v| v[0].floor_divide(&v[1]) * &v[0]).also([at([-7.0, 7.5]), at([3.0, -2.0])]),
        pair("copysign", |v| v[0].copysign(&v[1]) * &v[0])
            .also([at([1.0, -2.0, 3.0]), at([-3.0, -0.1, 0.7])]),
        pair("heaviside", |v| v[0].heaviside(&v[1]) * &v[1]),
        pair("fmax", |v| v[0].fmax(&v[1]) * &v[1]),
        pair("fmin", |v| v[0].fmin(&v[1]) * &v[1]),
        case("lerp", |v| v[0].lerp(&v[1], &v[2]), [any([2, 3]), other([2, 3]), positive([2, 3])])
            .order(3)
            .also([any([2, 1]), other([3]), positive([])])
            .also([any([0]), other([1]), positive([])]),
        case("lerp by a number", |v| v[0].lerp(&v[1], 0.3), [any([2, 3]), other([3])]),
        case(
            "lerp by a tensor",
            |v| v[0].lerp(&v[1], Tensor::from([0.25, 0.5, 2.0])),
            [any([2, 3]), other([3])],
        ),
        case(
            "clamp_to",
            |v| v[0].clamp_to(&v[1], &v[2]) * &v[0],
            [any([2, 3]), at([-0.5, 0.1, 1.2]), at([[0.31], [1.5]])],
        ),
        case("nan_to_num", |v| v[0].nan_to_num(1.0, 2.0, None) * &v[0], [any([2, 3])]).also([any([0])]),
        case("is_nan", |v| Var::select_where(v[0].is_nan(), &v[0], &v[0].square()), [any([3])]),
        case("is_inf", |v| Var::select_where(v[0].is_inf(), &v[0], &v[0].square()), [any([3])]),
        case("is_finite", |v| Var::select_where(v[0].is_finite(), &v[0], &v[0].square()), [any([3])]),
        case(
            "is_close",
            |v| Var::select_where(v[0].is_close(&v[1], 0.5, 0.1), &v[0], &v[1].square()),
            [any([2, 3]), other([3])],
        ),
    ]
}

/// A function of two variables, the second positive: equal shapes, and every kind of broadcasting.
fn pair(name: &'static str, f: fn(&[Var<f64>]) -> Var<f64>) -> Case {
    case(name, f, [any([2, 3]), positive([2, 3])])
        .also([any([]), positive([])])
        .also([any([]), positive([2, 3])])
        .also([any([2, 1]), positive([1, 3])])
        .also([any([2, 1, 3]), positive([4, 1])])
        .also([any([0]), positive([1])])
}
