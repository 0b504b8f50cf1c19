//! Cumulative extremes and order statistics, away from ties; sums without NaN; what is looked up and counted.

use super::{Case, any, case, other};
use wengert_tape::{QuantileMethod, Var};
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    [cumulative(), places(), looked_up(), statistics()].into_iter().flatten().collect()
}

fn cumulative() -> Vec<Case> {
    vec![
        case("cummax", |v| v[0].cummax(0).0, [any([5])]).also([any([3, 2])]).also([any([0, 2])]),
        case("cummax of a square", |v| v[0].square().cummax(-1).0, [any([2, 4])]),
        case("cummin", |v| v[0].cummin(1).0, [any([2, 4])]).also([any([2, 1])]),
        case("logcumsumexp", |v| v[0].logcumsumexp(0), [any([5])])
            .also([any([3, 2])])
            .also([any([1])])
            .also([any([0])])
            .order(3),
        case("logcumsumexp far apart", |v| (&v[0] * 400.0).logcumsumexp(1) * 0.01, [any([2, 3])]).order(1),
    ]
}

fn places() -> Vec<Case> {
    const Q: [f64; 3] = [0.0, 0.3, 0.75];
    vec![
        case("median", |v| v[0].median(0, false).0, [any([5])]).also([any([4, 2])]),
        case("median kept", |v| v[0].median(-1, true).0.square(), [any([2, 4])]),
        case("nanmedian", |v| v[0].nanmedian(0, false).0, [any([4, 2])]),
        case("kthvalue", |v| v[0].kthvalue(2, 1, false).0, [any([2, 4])]).also([any([2, 2])]),
        case("mode", |v| v[0].mode(0, true).0.square(), [any([3, 2])]),
        case("aminmax", |v| aminmax(&v[0]), [any([2, 3])]),
        case("quantile", |v| v[0].quantile(0.4, 0, false), [any([5])]).also([any([4, 2])]).also([any([1])]),
        case("quantiles", |v| v[0].quantiles(&Q, 1, QuantileMethod::Linear, true).square(), [any([2, 4])]),
        case("quantiles lower", |v| v[0].quantiles(&Q, 0, QuantileMethod::Lower, false), [any([4, 2])]),
        case("quantiles midpoint", |v| v[0].quantiles(&Q, 0, QuantileMethod::Midpoint, false), [any([4, 2])]),
        case("nanquantile", |v| v[0].nanquantile(0.3, 1, true).square(), [any([2, 4])]),
        case("nanquantiles", |v| v[0].nanquantiles(&Q, -1, QuantileMethod::Higher, false), [any([2, 3])]),
        case("unique", |v| v[0].unique().0.square(), [any([2, 3])]),
        case("unique inverse", |v| (v[0].take(v[0].unique().1) * &v[0]).square(), [any([2, 3])]),
    ]
}

fn aminmax(x: &Var<f64>) -> Var<f64> {
    let (low, high) = x.aminmax(1, true);
    (x - &low) / (high - low)
}

fn looked_up() -> Vec<Case> {
    vec![
        case(
            "searchsorted",
            |v| v[1].take(v[0].sort(0, false).searchsorted(&v[1], false)),
            [any([3]), other([5])],
        ),
        case(
            "searchsorted rows",
            |v| v[1].square().gather(1, v[0].sort(1, false).searchsorted(&v[1], true)),
            [any([2, 3]), other([2, 4])],
        ),
        case(
            "bucketize",
            |v| v[1].take(v[0].bucketize(&v[1].slice(1..).sort(0, false), false)),
            [any([2, 2]), other([3])],
        ),
        case("histc", |v| v[0].histc(3, -1.0, 1.5) * v[0].sum(), [any([2, 3])]),
        case("histc of the whole range", |v| v[0].histc(3, 0.0, 0.0) * v[0].sum(), [any([5])]),
        case("count_nonzero", |v| v[0].square().take(v[0].relu().count_nonzero(0, false)), [any([2, 3])]),
        case("count_nonzero kept", |v| v[0].take(v[0].relu().count_nonzero(.., true)), [any([2, 3])]),
    ]
}

fn statistics() -> Vec<Case> {
    vec![
        case("nansum", |v| v[0].nansum(1, false), [any([2, 3])]).also([any([3, 0])]),
        case("nansum with some", |v| holed(&v[0]).nansum(0, true).square(), [any([2, 3])]),
        case("nanmean", |v| v[0].nanmean(0, false).square(), [any([2, 3])]),
        case("nanmean with some", |v| holed(&v[0]).nanmean(.., false).square(), [any([2, 3])]),
        case("cov", |v| v[0].cov(1), [any([2, 4])]).also([any([4])]).also([any([1, 3])]),
        case("cov of all", |v| v[0].cov(0), [any([3, 3])]),
        case("corrcoef", |v| v[0].corrcoef().slice(..1).slice_axis(1, 1..), [any([3, 4])]),
    ]
}

/// With NaN in the place of an element.
fn holed(x: &Var<f64>) -> Var<f64> {
    let hole = Tensor::from([[false, true, false], [false, false, false]]);
    Var::select_where(hole, &Var::scalar(f64::NAN), x)
}
