//! Other shapes and orders of the same elements.

use super::{Case, any, case};
use wengert_tape::Var;
use wengert_tensor::Slice;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("reshape", |v| v[0].reshape([3, -1]), [any([2, 3])]).also([any([6])]).also([any([1, 3, 1])]),
        case("reshape a scalar", |v| v[0].reshape([1, 1]), [any([])]).also([any([1])]),
        case("reshape a transpose", |v| v[0].t().reshape([-1]), [any([2, 3])]),
        case("flatten", |v| v[0].flatten(1, 2), [any([2, 3, 2])]).also([any([2, 0, 2])]),
        case("permute", |v| v[0].permute([2, 0, 1]), [any([2, 3, 4])]),
        case("permute four", |v| v[0].permute([0, 3, 1, -2]), [any([1, 2, 3, 2])]),
        case("transpose", |v| v[0].transpose(0, 2), [any([2, 1, 3])]),
        case("transpose the same axis", |v| v[0].transpose(1, 1), [any([2, 3])]),
        case("t", |v| v[0].t(), [any([2, 3])]).also([any([2, 3, 2])]).also([any([0, 2])]),
        case("slice", |v| v[0].slice(1..), [any([3])]).also([any([3, 2])]).also([any([1])]),
        case("slice with a step", |v| v[0].slice(Slice::from(1..).step(2)), [any([6])]),
        case("slice backwards", |v| v[0].slice(Slice::from(..).step(-2)), [any([5])]),
        case("slice_axis", |v| v[0].slice_axis(1, ..-1), [any([2, 3])]).also([any([2, 1])]),
        case("slice_axis backwards", |v| v[0].slice_axis(-1, Slice::from(4..).step(-1)), [any([2, 6])]),
        case("select", |v| v[0].select(0, 1), [any([3])]).also([any([2, 3])]),
        case("select from the end", |v| v[0].select(-1, -1), [any([2, 3])]),
        case("squeeze", |v| v[0].squeeze(1), [any([2, 1, 3])]),
        case("squeeze to a scalar", |v| v[0].squeeze(0), [any([1])]),
        case("unsqueeze", |v| v[0].unsqueeze(1), [any([2, 3])]),
        case("unsqueeze a scalar", |v| v[0].unsqueeze(-1), [any([])]),
        case("flip", |v| v[0].flip(0), [any([3])]).also([any([3, 2])]),
        case("flip all", |v| v[0].flip(..), [any([2, 3])]).also([any([])]),
        case("flip some", |v| v[0].flip([0, -1]), [any([2, 1, 3])]),
        case("split", |v| weighted(&v[0].split(2, 0)), [any([5])]).also([any([4, 2])]),
        case("chunk", |v| weighted(&v[0].chunk(3, -1)), [any([5])]).also([any([2, 7])]),
    ]
}

/// A value that depends on each piece differently.
fn weighted(pieces: &[Var<f64>]) -> Var<f64> {
    pieces.iter().zip(1..).fold(Var::scalar(0.0), |sum, (p, i)| sum + p.powi(2).sum() * f64::from(i))
}
