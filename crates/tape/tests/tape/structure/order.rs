//! Cumulative extremes, order statistics, and what is counted.

use super::functions::{Function, joined};
use wengert_tape::{Index, QuantileMethod, Var};
use wengert_tensor::{Float, Tensor};

const Q: [f64; 5] = [0.0, 0.3, 0.5, 0.85, 1.0];

pub(super) fn functions<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("cummax", |v| v[0].cummax(1).0),
        ("cummax index", |v| numbers(&v[0].cummax(1).1)),
        ("cummin", |v| v[0].cummin(0).0),
        ("cummin index", |v| numbers(&v[0].cummin(1).1)),
        ("logcumsumexp", |v| v[0].logcumsumexp(1)),
        ("logcumsumexp from nothing", |v| v[0].logcumsumexp(0)),
        ("median", |v| v[0].median(1, false).0),
        ("median of all", |v| v[0].reshape([-1]).median(0, true).0),
        ("nanmedian", |v| v[0].nanmedian(1, false).0),
        ("kthvalue", |v| v[0].kthvalue(3, 1, true).0),
        ("mode", |v| v[0].mode(1, false).0),
        ("mode index", |v| numbers(&v[0].mode(1, false).1)),
        ("quantile", |v| v[0].quantile(0.3, 1, false)),
        ("quantile of NaN", |v| v[0].quantile(0.3, 1, false)),
        ("quantiles linear", |v| v[0].quantiles(&Q, 1, QuantileMethod::Linear, false)),
        ("quantiles lower", |v| v[0].quantiles(&Q, 1, QuantileMethod::Lower, false)),
        ("quantiles higher", |v| v[0].quantiles(&Q, 1, QuantileMethod::Higher, false)),
        ("quantiles midpoint", |v| v[0].quantiles(&Q, 1, QuantileMethod::Midpoint, false)),
        ("quantiles nearest", |v| v[0].quantiles(&Q, 1, QuantileMethod::Nearest, false)),
        ("quantiles kept", |v| v[0].quantiles(&Q, 0, QuantileMethod::Linear, true)),
        ("nanquantile", |v| v[0].nanquantile(0.4, 1, false)),
        ("nanquantiles", |v| v[0].nanquantiles(&Q, 1, QuantileMethod::Linear, false)),
        ("aminmax", |v| {
            let (low, high) = v[0].aminmax(1, false);
            joined(&[low, high])
        }),
        ("msort", |v| v[0].sort(0, false)),
        ("topk", |v| v[0].topk(2, 1).0),
        ("logsumexp of two axes", |v| v[0].logsumexp([0, 2], false)),
        ("var", |v| v[0].var_axes(1, 2, false)),
        ("std", |v| v[0].std_axes([0, 1], 0, false)),
        ("nansum", |v| v[0].nansum(1, false)),
        ("nanmean", |v| v[0].nanmean(0, false)),
        ("cov", |v| v[0].cov(1)),
        ("cov of all", |v| v[0].cov(0)),
        ("corrcoef", |v| v[0].corrcoef()),
        ("cumsum", |v| v[0].cumsum(1)),
        ("cumsum reversed", |v| v[0].flip(1).cumsum(1).flip(1)),
    ]
}

pub(super) fn counts<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("searchsorted left", |v| numbers(&v[0].searchsorted(&v[1], false))),
        ("searchsorted right", |v| numbers(&v[0].searchsorted(&v[1], true))),
        ("bucketize left", |v| numbers(&v[1].bucketize(&v[0], false))),
        ("bucketize right", |v| numbers(&v[1].bucketize(&v[0], true))),
        ("bincount", |v| {
            let labels = v[0].value().to_vec().into_iter().map(|x| x.to_f64() as u32).collect::<Vec<u32>>();
            numbers(&Index::constant(Tensor::vector(&labels)).bincount(6))
        }),
        ("histc", |v| v[0].histc(4, 0.0, 4.0)),
        ("histc of the whole range", |v| v[0].histc(3, 0.0, 0.0)),
        ("histc of equals", |v| v[0].histc(3, 0.0, 0.0)),
        ("count_nonzero", |v| numbers(&v[0].count_nonzero(1, false))),
        ("unique", |v| {
            let (values, inverse, counts) = v[0].unique();
            joined(&[values, numbers(&inverse), numbers(&counts)])
        }),
    ]
}

/// Indices as the golden file has them.
fn numbers<T: Float>(index: &Index<T>) -> Var<T> {
    let numbers = index.value().to_vec().into_iter().map(|i| T::from_f64(f64::from(i))).collect();
    Var::constant(Tensor::from_vec(numbers, index.shape().clone()).expect("one number per index"))
}
