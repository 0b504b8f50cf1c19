//! Writing to positions of indices, and reductions of what comes to them.

use super::functions::Function;
use wengert_tape::{ScatterReduce, Segments, Var};
use wengert_tensor::{Float, Tensor};

fn reduce<T: Float>(v: &[Var<T>], how: ScatterReduce, include: bool) -> Var<T> {
    let index = Tensor::from([[2, 2, 2, 0], [0, 1, 0, 0]]);
    v[0].scatter_reduce(1, index, &v[1], how, include)
}

fn lengths<T: Float>() -> Segments<T> {
    Segments::lengths(Tensor::vector(&[2, 0, 3]))
}

fn rows_and_columns() -> [Tensor<u32>; 2] {
    [Tensor::from([[1], [0]]), Tensor::vector(&[2, 0])]
}

pub(super) fn functions<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("scatter", |v| v[0].scatter(1, Tensor::from([[2, 0], [0, 1]]), &v[1])),
        ("scatter_add", |v| v[0].scatter_add(1, Tensor::from([[2, 2, 2, 0], [0, 1, 0, 0]]), &v[1])),
        ("index_copy", |v| v[0].index_copy(1, Tensor::vector(&[2, 0]), &v[1])),
        ("index_fill", |v| v[0].index_fill(1, Tensor::vector(&[2, 0]), 1.5)),
        ("index_add", |v| v[0].index_add(1, Tensor::vector(&[2, 0, 2]), &v[1])),
        ("index", |v| v[0].index(&rows_and_columns())),
        ("index of rows", |v| v[0].index(&[Tensor::vector(&[1, 1, 0])])),
        ("index_put", |v| v[0].index_put(&rows_and_columns(), &v[1], false)),
        ("index_put of rows", |v| v[0].index_put(&[Tensor::vector(&[1])], &v[1], false)),
        ("index_put accumulated", |v| {
            let repeated = Tensor::vector(&[1, 0, 1]);
            v[0].index_put(&[&repeated, &repeated], &v[1], true)
        }),
        ("take", |v| v[0].take(Tensor::from([[5, 0], [5, 2]]))),
        ("take_along_axis", |v| v[0].take_along_axis(Tensor::from([[1, 0, 1]]), 1)),
        ("masked_scatter", |v| v[0].masked_scatter(Tensor::from([true, false, true]), &v[1])),
        ("masked_select", |v| v[0].masked_select(v[0].gt(0.5))),
        ("scatter_reduce sum with itself", |v| reduce(v, ScatterReduce::Sum, true)),
        ("scatter_reduce sum alone", |v| reduce(v, ScatterReduce::Sum, false)),
        ("scatter_reduce mean with itself", |v| reduce(v, ScatterReduce::Mean, true)),
        ("scatter_reduce mean alone", |v| reduce(v, ScatterReduce::Mean, false)),
        ("scatter_reduce amax with itself", |v| reduce(v, ScatterReduce::Max, true)),
        ("scatter_reduce amax alone", |v| reduce(v, ScatterReduce::Max, false)),
        ("scatter_reduce amin with itself", |v| reduce(v, ScatterReduce::Min, true)),
        ("scatter_reduce amin alone", |v| reduce(v, ScatterReduce::Min, false)),
        ("scatter_reduce prod with itself", |v| reduce(v, ScatterReduce::Prod, true)),
        ("scatter_reduce prod alone", |v| reduce(v, ScatterReduce::Prod, false)),
        ("segment_sum", |v| v[0].segment_sum(&lengths(), 0)),
        ("segment_mean", |v| v[0].segment_mean(&Segments::lengths(Tensor::vector(&[2, 3])), 0)),
        ("segment_max", |v| v[0].segment_max(&lengths(), 0)),
        ("segment_min", |v| v[0].segment_min(&lengths(), 0)),
        ("segment_prod", |v| v[0].segment_prod(&lengths(), 0)),
    ]
}
