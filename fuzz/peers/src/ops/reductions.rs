//! Sums, extremes, moments, norms, order statistics, softmax and what else goes along axes.

use wengert::nn::Activations;
use wengert::tape::{QuantileMethod, Var};
use wengert::tensor::Float;

use super::{Results, one, seen, with_places};
use crate::wire::Attrs;

fn method(a: &Attrs) -> QuantileMethod {
    match a.text("method") {
        "linear" => QuantileMethod::Linear,
        "lower" => QuantileMethod::Lower,
        "higher" => QuantileMethod::Higher,
        "midpoint" => QuantileMethod::Midpoint,
        "nearest" => QuantileMethod::Nearest,
        other => panic!("there is no method {other}"),
    }
}

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = v.first()?;
    let [axes, keep] = [a.has("axes"), a.has("keep")].map(|has| has.then_some(()));
    // Those over several axes, which all take the same two attributes.
    if let (Some(()), Some(())) = (axes, keep) {
        let (axes, keep) = (a.axes("axes"), a.flag("keep"));
        match name {
            "sum" => return one(x.sum_axes(axes, keep)),
            "mean" => return one(x.mean_axes(axes, keep)),
            "max" => return one(x.max_axes(axes, keep)),
            "min" => return one(x.min_axes(axes, keep)),
            "var" => return one(x.var_axes(axes, a.size("correction"), keep)),
            "std" => return one(x.std_axes(axes, a.size("correction"), keep)),
            "norm" => return one(x.norm_axes(a.number("p"), axes, keep)),
            "logsumexp" => return one(x.logsumexp(axes, keep)),
            "nansum" => return one(x.nansum(axes, keep)),
            "nanmean" => return one(x.nanmean(axes, keep)),
            "count_nonzero" => return one(seen(&x.count_nonzero(axes, keep))),
            "aminmax" => {
                let (low, high) = x.aminmax(axes, keep);
                return Some(vec![low, high]);
            }
            _ => {}
        }
    }
    one(match name {
        "prod" => x.prod(),
        "prod_axis" => x.prod_axis(a.int("axis"), a.flag("keep")),
        "median" => return with_places(x.median(a.int("axis"), a.flag("keep"))),
        "nanmedian" => return with_places(x.nanmedian(a.int("axis"), a.flag("keep"))),
        "kthvalue" => return with_places(x.kthvalue(a.size("k"), a.int("axis"), a.flag("keep"))),
        "mode" => return with_places(x.mode(a.int("axis"), a.flag("keep"))),
        "quantiles" => x.quantiles(&a.floats("q"), a.int("axis"), method(a), a.flag("keep")),
        "nanquantiles" => x.nanquantiles(&a.floats("q"), a.int("axis"), method(a), a.flag("keep")),
        "argmax" => seen(&x.argmax(a.int("axis"))),
        "argmin" => seen(&x.argmin(a.int("axis"))),
        "softmax" => x.softmax(a.int("axis")),
        "log_softmax" => x.log_softmax(a.int("axis")),
        "softmin" => x.softmin(a.int("axis")),
        "cov" => x.cov(a.size("correction")),
        "corrcoef" => x.corrcoef(),
        "normalize" => x.normalize(a.number("p"), a.int("axis"), a.number("eps")),
        "renorm" => x.renorm(a.number("p"), a.int("axis"), a.number("limit")),
        "histc" => x.histc(a.size("bins"), a.number("low"), a.number("high")),
        "unique" => {
            let (values, inverse, counts) = x.unique();
            return Some(vec![values, seen(&inverse), seen(&counts)]);
        }
        "unique_consecutive" => {
            let (values, inverse, counts) = x.unique_consecutive();
            return Some(vec![values, seen(&inverse), seen(&counts)]);
        }
        _ => return None,
    })
}
