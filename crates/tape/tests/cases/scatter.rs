//! Writing to the positions of indices, some of which stand more than once, and reductions of segments.

use super::{Case, any, at, case, indices, other, positive};
use wengert_tape::{ScatterReduce, Segments, Var};
use wengert_tensor::Tensor;

pub(super) fn cases() -> Vec<Case> {
    [writing(), reducing(), segments()].into_iter().flatten().collect()
}

fn writing() -> Vec<Case> {
    vec![
        case("scatter", |v| v[0].scatter(1, indices([[2, 2], [0, 1]]), &v[1]), [any([2, 3]), other([2, 2])]),
        case(
            "scatter axis 0",
            |v| v[0].scatter(0, indices([[1, 1], [1, 0]]), &v[1]),
            [any([2, 2]), other([2, 2])],
        ),
        case(
            "scatter axis 1 of 3",
            |v| v[0].scatter(1, indices([[[0, 1], [0, 0]], [[2, 2], [2, 1]]]), &v[1]),
            [any([2, 3, 2]), other([2, 2, 2])],
        ),
        case(
            "scatter_reduce max alone, axis 1 of 3",
            |v| {
                let index = indices([[[0, 1], [0, 0]], [[2, 2], [2, 1]]]);
                v[0].scatter_reduce(1, index, &v[1], ScatterReduce::Max, false)
            },
            [any([2, 3, 2]), other([2, 2, 2])],
        ),
        case("scatter a number", |v| v[0].scatter(0, indices([2, 0]), &v[1]), [any([4]), other([])]),
        case(
            "scatter shorter",
            |v| v[0].scatter(1, indices([[2, 2], [0, 1]]), &v[1]),
            [any([3, 3]), other([3, 2])],
        ),
        case(
            "scatter_reduce shorter",
            |v| v[0].scatter_reduce(0, indices([[1, 1], [1, 0]]), &v[1], ScatterReduce::Prod, false),
            [any([3, 3]), other([2, 4])],
        ),
        case("scatter nothing", |v| v[0].scatter(0, indices([0; 0]), &v[1]), [any([4]), other([0])]),
        case("index_copy", |v| v[0].index_copy(0, indices([2, 0, 2]), &v[1]), [any([3, 2]), other([3, 2])])
            .also([any([4]), other([3])]),
        case(
            "index_copy axis 1",
            |v| v[0].index_copy(1, indices([1, 1]), &v[1]),
            [any([2, 3]), other([2, 2])],
        ),
        case("index_fill", |v| v[0].index_fill(-1, indices([1, 1]), 2.0).square(), [any([2, 3])])
            .also([any([3])]),
        case("index", |v| v[0].index(&[indices([1, 0, 1])]), [any([2, 3])]),
        case("index two", |v| v[0].index(&[indices([[1], [0]]), indices([2, 2])]), [any([2, 3])])
            .also([any([2, 3, 2])]),
        case(
            "index_put",
            |v| v[0].index_put(&[indices([1, 0, 1])], &v[1], false),
            [any([2, 3]), other([3, 3])],
        )
        .also([any([2, 2]), other([2])]),
        case(
            "index_put two",
            |v| v[0].index_put(&[indices([[1], [0]]), indices([2, 2])], &v[1], false),
            [any([2, 3]), other([2, 2])],
        ),
        case(
            "index_put accumulated",
            |v| v[0].index_put(&[indices([1, 0, 1]), indices([2, 2, 2])], &v[1], true),
            [any([2, 3]), other([3])],
        ),
        case("take", |v| v[0].take(indices([[5, 0], [5, 1]])), [any([2, 3])]),
        case("take_along_axis", |v| v[0].take_along_axis(indices([[1], [0]]), 1), [any([2, 3])]),
        case("take_along_axis broadcast", |v| v[0].take_along_axis(indices([[1, 0, 1]]), 1), [any([2, 3])])
            .also([any([1, 2])]),
        case(
            "take_along_axis broadcast input",
            |v| v[0].take_along_axis(indices([[1, 0], [2, 2]]), 1),
            [any([1, 3])],
        ),
        case("masked_scatter", |v| v[0].masked_scatter(mask(), &v[1]), [any([2, 3]), other([4])])
            .also([any([2, 3]), other([3, 1])]),
        case(
            "masked_scatter broadcast",
            |v| v[0].masked_scatter(Tensor::from([false, true, true]), &v[1]),
            [any([2, 3]), other([2, 2])],
        ),
        case(
            "masked_scatter nothing",
            |v| v[0].masked_scatter(Tensor::full([3], false), &v[1]).square(),
            [any([3]), other([0])],
        ),
    ]
}

fn reducing() -> Vec<Case> {
    fn reduce(v: &[Var<f64>], how: ScatterReduce, include: bool) -> Var<f64> {
        v[0].scatter_reduce(1, indices([[2, 2, 2, 0], [0, 1, 0, 0]]), &v[1], how, include)
    }
    let points = || [any([2, 3]), other([2, 4])];
    let zeros = || [any([2, 3]), at([[0.0, 0.5, 0.0, 1.0], [0.0, 2.0, -3.0, 1.5]])];
    vec![
        case("scatter_reduce sum", |v| reduce(v, ScatterReduce::Sum, true), points()),
        case("scatter_reduce sum alone", |v| reduce(v, ScatterReduce::Sum, false), points()),
        case("scatter_reduce mean", |v| reduce(v, ScatterReduce::Mean, true), points()),
        case("scatter_reduce mean alone", |v| reduce(v, ScatterReduce::Mean, false), points()),
        case("scatter_reduce max", |v| reduce(v, ScatterReduce::Max, true), points()),
        case("scatter_reduce max alone", |v| reduce(v, ScatterReduce::Max, false), points()),
        case("scatter_reduce min", |v| reduce(v, ScatterReduce::Min, true), points()),
        case("scatter_reduce min alone", |v| reduce(v, ScatterReduce::Min, false), points()),
        case("scatter_reduce prod", |v| reduce(v, ScatterReduce::Prod, true), points())
            .also(zeros())
            .order(3),
        case("scatter_reduce prod alone", |v| reduce(v, ScatterReduce::Prod, false), points()).also(zeros()),
        case(
            "scatter_reduce nothing",
            |v| v[0].scatter_reduce(0, indices([0; 0]), &v[1], ScatterReduce::Prod, false),
            [any([2]), other([0])],
        ),
    ]
}

fn segments() -> Vec<Case> {
    fn ids() -> Segments<f64> {
        Segments::ids(indices([2, 0, 2, 2]), 4)
    }
    vec![
        case("segment_sum", |v| v[0].segment_sum(&ids(), 0), [any([4])]).also([any([4, 2])]),
        case(
            "segment_sum lengths",
            |v| v[0].segment_sum(&Segments::lengths(indices([2, 0, 2])), 1),
            [any([2, 4])],
        ),
        case(
            "segment_sum offsets",
            |v| v[0].segment_sum(&Segments::offsets(indices([0, 1, 1, 4])), 0),
            [any([4])],
        ),
        case(
            "segment_sum of nothing",
            |v| v[0].segment_sum(&Segments::offsets(indices([0, 0])), 0),
            [any([0, 2])],
        ),
        case("segment_mean", |v| v[0].segment_mean(&ids(), 0), [any([4])]).also([any([4, 2])]),
        case("segment_max", |v| v[0].segment_max(&ids(), 0).slice(2..3), [any([4])]).also([any([4, 2])]),
        case("segment_min", |v| v[0].segment_min(&ids(), 1).slice_axis(1, 2..3), [any([2, 4])]),
        case("segment_prod", |v| v[0].segment_prod(&ids(), 0), [positive([4])])
            .also([any([4, 2])])
            .also([at([0.0, 3.0, 2.0, 0.0])])
            .order(3),
        case("segment_prod last axis", |v| v[0].segment_prod(&ids(), -1), [any([2, 4])]),
    ]
}

fn mask() -> Tensor<bool> {
    Tensor::from([[true, false, true], [false, false, true]])
}
