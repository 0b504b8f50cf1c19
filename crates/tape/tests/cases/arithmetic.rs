//! Operators, with broadcasting and with numbers.

use super::{Case, any, case, other, positive};
use wengert_tape::Var;
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    vec![
        binary("add", |v| &v[0] + &v[1]),
        binary("sub", |v| &v[0] - &v[1]),
        binary("mul", |v| &v[0] * &v[1]).order(3),
        binary("div", |v| &v[0] / &v[1]).order(3),
        case("neg", |v| -&v[0], [any([2, 3])]).also([any([])]).also([any([0])]),
        case("add a number", |v| &v[0] + 2.5, [any([3])]),
        case("add to a number", |v| 2.5 + &v[0], [any([3])]),
        case("sub a number", |v| &v[0] - 2.5, [any([3])]),
        case("sub from a number", |v| 2.5 - &v[0], [any([3])]),
        case("mul by a number", |v| &v[0] * -1.5, [any([3])]),
        case("mul of a number", |v| -1.5 * &v[0], [any([3])]),
        case("div by a number", |v| &v[0] / 3.0, [any([3])]),
        case("div of a number", |v| 3.0 / &v[0], [positive([3])]).order(3),
        case("add a tensor", |v| &v[0] + tensor(), [any([2, 3])]).also([any([2, 1])]),
        case("add to a tensor", |v| tensor() + &v[0], [any([2, 3])]),
        case("sub a tensor", |v| &v[0] - &tensor(), [any([3])]),
        case("sub from a tensor", |v| &tensor() - &v[0], [any([3])]),
        case("mul by a tensor", |v| &v[0] * tensor(), [any([2, 3])]),
        case("mul of a tensor", |v| tensor() * &v[0], [any([2, 3])]),
        case("div by a tensor", |v| &v[0] / tensor(), [any([2, 3])]),
        case("div of a tensor", |v| tensor() / &v[0], [positive([2, 3])]).order(3),
        case("add assigned and summed", |v| assigned(&v[0], &v[1]), [any([2, 3]), positive([2, 3])]),
        case("mul three times the same", |v| &v[0] * &v[0] * &v[0], [any([2, 2])]).order(3),
        case("mul with a broadcast of itself", |v| &v[0] * v[0].sum_axes(0, true), [any([2, 3])]),
        case("div by a broadcast of itself", |v| &v[0] / v[0].sum_axes(0, true), [positive([2, 3])]),
        case(
            "add broadcast twice",
            |v| (&v[0] + &v[1]) * (&v[2] + &v[1]),
            [any([2, 1]), other([]), any([1, 3])],
        ),
    ]
}

fn tensor() -> Tensor<f64> {
    Tensor::from([0.5, -2.0, 1.5])
}

/// The operators in place, and a sum.
fn assigned(a: &Var<f64>, b: &Var<f64>) -> Var<f64> {
    let mut x = a.clone();
    x *= b;
    x += 1.0;
    x -= a * a;
    x /= b.clone();
    [a, &x, b].into_iter().sum::<Var<f64>>() * x
}

/// An operator on two variables: equal shapes, and every kind of broadcasting.
fn binary(name: &'static str, f: fn(&[Var<f64>]) -> Var<f64>) -> Case {
    case(name, f, [any([2, 3]), positive([2, 3])])
        .also([any([]), positive([])])
        .also([any([]), positive([2, 3])])
        .also([any([2, 3]), positive([])])
        .also([any([2, 3]), positive([3])])
        .also([any([3]), positive([2, 3])])
        .also([any([2, 1]), positive([1, 3])])
        .also([any([2, 1, 3]), positive([4, 1])])
        .also([any([1, 1]), positive([3])])
        .also([any([0]), positive([1])])
        .also([any([2, 0]), positive([2, 1])])
}
