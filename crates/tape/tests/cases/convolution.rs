//! Convolution and pooling with every option.

use super::{Case, any, case, other};
use wengert_tape::{Pool2dOptions, Var};
use wengert_tensor::conv::Conv2dOptions;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("conv2d", |v| v[0].conv2d(&v[1], None, plain()), [any([2, 2, 4, 3]), other([3, 2, 2, 2])])
            .also([any([1, 1, 1, 1]), other([1, 1, 1, 1])])
            .also([any([0, 1, 3, 3]), other([2, 1, 2, 2])])
            .also([any([2, 1, 2, 2]), other([2, 1, 2, 2])]),
        case("conv2d bias", |v| v[0].conv2d(&v[1], Some(&v[2]), plain()), conv()),
        case(
            "conv2d stride",
            |v| v[0].conv2d(&v[1], Some(&v[2]), Conv2dOptions { stride: [2, 1], ..plain() }),
            conv(),
        ),
        case(
            "conv2d padding",
            |v| v[0].conv2d(&v[1], Some(&v[2]), Conv2dOptions { padding: [1, 2], ..plain() }),
            conv(),
        ),
        case(
            "conv2d dilation",
            |v| v[0].conv2d(&v[1], None, Conv2dOptions { dilation: [2, 2], ..plain() }),
            conv(),
        ),
        case(
            "conv2d groups",
            |v| v[0].conv2d(&v[1], None, Conv2dOptions { groups: 2, padding: [1, 0], ..plain() }),
            [any([2, 4, 3, 3]), other([2, 2, 2, 2])],
        ),
        case(
            "conv2d everything",
            |v| {
                v[0].conv2d(
                    &v[1],
                    Some(&v[2]),
                    Conv2dOptions { stride: [2, 3], padding: [2, 1], dilation: [1, 2], groups: 2 },
                )
            },
            [any([1, 2, 5, 4]), other([4, 1, 2, 2]), any([4])],
        ),
        case("max_pool2d", |v| v[0].max_pool2d(Pool2dOptions::new([2, 2])), [any([2, 1, 4, 4])])
            .also([any([1, 2, 5, 3])]),
        case("max_pool2d overlapping", |v| v[0].max_pool2d(overlapping()), [any([1, 2, 4, 5])]),
        case(
            "max_pool2d of a square",
            |v| v[0].square().max_pool2d(Pool2dOptions::new([2, 2])),
            [any([1, 1, 4, 4])],
        )
        .order(3),
        case("avg_pool2d", |v| v[0].avg_pool2d(Pool2dOptions::new([2, 3]), true), [any([2, 1, 4, 3])]),
        case("avg_pool2d overlapping", |v| v[0].avg_pool2d(overlapping(), true), [any([1, 2, 4, 5])]),
        case("avg_pool2d without padding", |v| v[0].avg_pool2d(overlapping(), false), [any([1, 2, 4, 5])]),
    ]
}

fn plain() -> Conv2dOptions {
    Conv2dOptions::default()
}

fn overlapping() -> Pool2dOptions {
    Pool2dOptions { stride: [1, 2], padding: [1, 0], dilation: [2, 1], ..Pool2dOptions::new([2, 3]) }
}

fn conv() -> [Var<f64>; 3] {
    [any([2, 2, 4, 3]), other([3, 2, 2, 2]), any([3])]
}
