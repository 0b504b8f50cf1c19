//! Complex numbers as pairs.

use super::{Case, any, case, other};
use wengert_tape::Var;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("polar", |v| Var::polar(&v[0], &v[1]), [any([2, 3]), any([3])]),
        case("complex", |v| Var::complex(&v[0], &v[1]), [any([2, 3]), other([3])]).also([any([]), other([])]),
        case("real", |v| v[0].real(), [any([3, 2])]).also([any([2])]),
        case("imag", |v| v[0].imag(), [any([3, 2])]),
        case("conj", |v| v[0].conj(), [any([3, 2])]).also([any([0, 2])]),
        case("complex_mul", |v| v[0].complex_mul(&v[1]), [any([3, 2]), other([4, 1, 2])]).order(3),
        case("complex_abs", |v| v[0].complex_abs(), [any([3, 2])]),
        case("complex_angle", |v| v[0].complex_angle(), [any([3, 2])]),
    ]
}
