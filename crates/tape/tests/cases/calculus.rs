//! Differences, integrals, windows, and other arrangements.

use super::{Case, any, case, other};
use wengert_tape::Var;

pub(super) fn cases() -> Vec<Case> {
    [calculus(), windows(), arrangements()].into_iter().flatten().collect()
}

fn calculus() -> Vec<Case> {
    vec![
        case("diff", |v| v[0].diff(1, 0), [any([4, 2])]).also([any([1])]).also([any([0])]),
        case("diff twice", |v| v[0].diff(2, -1), [any([2, 4])]),
        case("trapezoid", |v| v[0].trapezoid(0.3, 0), [any([4, 2])]).also([any([1])]).also([any([0])]),
        case("trapezoid at", |v| v[0].trapezoid(&v[1], 1), [any([2, 4]), other([4])])
            .also([any([2, 4]), other([1, 4])]),
        case("cumulative_trapezoid", |v| v[0].cumulative_trapezoid(0.3, -1), [any([2, 4])]),
        case("cumulative_trapezoid at", |v| v[0].cumulative_trapezoid(&v[1], 0), [any([4, 2]), other([4])]),
    ]
}

fn windows() -> Vec<Case> {
    vec![
        case("hann_window", |v| &v[0] * Var::hann_window(5, true), [any([5])]),
        case("hamming_window", |v| &v[0] * Var::hamming_window(5, false), [any([5])]),
        case("blackman_window", |v| &v[0] * Var::blackman_window(5, true), [any([5])]),
        case("bartlett_window", |v| &v[0] * Var::bartlett_window(5, false), [any([5])]),
        case("kaiser_window", |v| &v[0] * Var::kaiser_window(5, true, 3.0), [any([5])]),
    ]
}

fn arrangements() -> Vec<Case> {
    vec![
        case("rot90", |v| v[0].rot90(1, [0, -1]), [any([2, 3])]),
        case("rot90 back", |v| v[0].rot90(-1, [1, 0]), [any([2, 3, 2])]),
        case("block_diag", |v| Var::block_diag(v), [any([2, 3]), other([2]), any([])]).also([
            any([0, 2]),
            other([1, 1]),
            any([2, 0]),
        ]),
        case("combinations", |v| v[0].combinations(2, false), [any([4])]).also([any([1])]).also([any([0])]),
        case("combinations again", |v| v[0].combinations(3, true), [any([2])]),
        case("combinations of none", |v| v[0].combinations(0, false), [any([2])]),
        case("vander", |v| v[0].vander(4, true), [any([3])]).also([any([2, 2])]).also([any([0])]),
        case("vander falling", |v| v[0].vander(3, false), [any([3])]),
        case("slice_scatter", |v| v[0].slice_scatter(1, 1..3, &v[1]), [any([2, 4]), other([2, 2])]),
        case("select_scatter", |v| v[0].select_scatter(0, -1, &v[1]), [any([2, 3]), other([3])]),
        case("diagonal_scatter", |v| v[0].diagonal_scatter(-1, &v[1]), [any([3, 3]), other([2])])
            .also([any([2, 2, 3]), other([2, 1])]),
        case(
            "unique_consecutive",
            |v| {
                let (values, inverse, _) = v[0].unique_consecutive();
                values.index_select(0, inverse) * 2.0
            },
            [any([2, 3])],
        ),
        case("is_in", |v| v[0].masked_fill(v[0].is_in(&v[1]), 0.0), [any([2, 3]), other([4])]),
    ]
}
