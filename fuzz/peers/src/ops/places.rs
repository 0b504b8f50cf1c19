//! Indices, masks, scattering and segments.

use wengert::tape::{ScatterReduce, Segments, Var};
use wengert::tensor::Float;

use super::shapes::slice;
use super::{Results, one, seen, truth};
use crate::wire::Attrs;

fn how(a: &Attrs) -> ScatterReduce {
    match a.text("how") {
        "sum" => ScatterReduce::Sum,
        "mean" => ScatterReduce::Mean,
        "amax" => ScatterReduce::Max,
        "amin" => ScatterReduce::Min,
        "prod" => ScatterReduce::Prod,
        other => panic!("there is no reduction {other}"),
    }
}

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = v.first()?;
    one(match name {
        "index_select" => x.index_select(a.int("axis"), a.index("index")),
        "gather" => x.gather(a.int("axis"), a.index("index")),
        "take" => x.take(a.index("index")),
        "take_along_axis" => x.take_along_axis(a.index("index"), a.int("axis")),
        "index" => x.index(&a.indices("index")),
        "index_fill" => x.index_fill(a.int("axis"), a.index("index"), a.number("value")),
        "masked_fill" => x.masked_fill(a.mask("mask"), a.number("value")),
        "masked_select" => x.masked_select(a.mask("mask")),
        "embedding" => {
            let padding = a.has("padding").then(|| a.size("padding"));
            x.embedding(a.index("index"), padding)
        }
        "index_add" => x.index_add(a.int("axis"), a.index("index"), &v[1]),
        "index_copy" => x.index_copy(a.int("axis"), a.index("index"), &v[1]),
        "scatter" => x.scatter(a.int("axis"), a.index("index"), &v[1]),
        "scatter_add" => x.scatter_add(a.int("axis"), a.index("index"), &v[1]),
        "scatter_reduce" => {
            x.scatter_reduce(a.int("axis"), a.index("index"), &v[1], how(a), a.flag("include_self"))
        }
        "index_put" => x.index_put(&a.indices("index"), &v[1], a.flag("accumulate")),
        "masked_scatter" => x.masked_scatter(a.mask("mask"), &v[1]),
        "slice_scatter" => x.slice_scatter(a.int("axis"), slice(a), &v[1]),
        "select_scatter" => x.select_scatter(a.int("axis"), a.int("at"), &v[1]),
        "diagonal_scatter" => x.diagonal_scatter(a.int("offset"), &v[1]),
        "segment" => {
            let segments = Segments::lengths(a.index("lengths"));
            match a.text("how") {
                "sum" => x.segment_sum(&segments, a.int("axis")),
                "mean" => x.segment_mean(&segments, a.int("axis")),
                "max" => x.segment_max(&segments, a.int("axis")),
                "min" => x.segment_min(&segments, a.int("axis")),
                "prod" => x.segment_prod(&segments, a.int("axis")),
                other => panic!("there is no reduction {other}"),
            }
        }
        "searchsorted" => seen(&x.searchsorted(&v[1], a.flag("right"))),
        "bucketize" => seen(&x.bucketize(&v[1], a.flag("right"))),
        "is_in" => truth(&x.is_in(&v[1])),
        _ => return None,
    })
}
