//! Convolutions, pools, borders, resampling and patches over one, two and three axes.

use super::{Case, any, at, case, indices, other, positive, unit};
use wengert_tape::{Interpolation, PadMode, Pool1dOptions, Pool3dOptions, PoolOptions, Resize, Var};
use wengert_tensor::conv::{Conv1dOptions, Conv2dOptions, Conv3dOptions};

pub(super) fn cases() -> Vec<Case> {
    [convolutions(), transposed(), pools(), along_axes(), shuffles()].into_iter().flatten().collect()
}

fn convolutions() -> Vec<Case> {
    vec![
        case(
            "conv",
            |v| v[0].conv(&v[1], Some(&v[2]), Conv2dOptions::default()),
            [any([1, 2, 3, 3]), other([2, 2, 2, 2]), any([2])],
        ),
        case(
            "conv1d",
            |v| v[0].conv1d(&v[1], None, Conv1dOptions::default()),
            [any([2, 2, 5]), other([3, 2, 2])],
        )
        .also([any([0, 2, 5]), other([3, 2, 2])])
        .also([any([1, 1, 1]), other([1, 1, 1])]),
        case("conv1d everything", |v| v[0].conv1d(&v[1], Some(&v[2]), everything1()), sequences()),
        case(
            "conv3d",
            |v| v[0].conv3d(&v[1], None, Conv3dOptions::default()),
            [any([2, 2, 3, 2, 3]), other([2, 2, 2, 2, 1])],
        )
        .also([any([0, 1, 2, 2, 2]), other([1, 1, 2, 1, 1])]),
        case("conv3d everything", |v| v[0].conv3d(&v[1], Some(&v[2]), everything3()), volumes()),
    ]
}

fn transposed() -> Vec<Case> {
    vec![
        case(
            "conv_transpose",
            |v| v[0].conv_transpose(&v[1], Some(&v[2]), Conv2dOptions::default(), [0, 0]),
            [any([1, 2, 2, 2]), other([2, 1, 2, 2]), any([1])],
        ),
        case(
            "conv_transpose1d",
            |v| v[0].conv_transpose1d(&v[1], Some(&v[2]), everything1(), [1]),
            [any([2, 4, 3]), other([4, 1, 2]), any([2])],
        )
        .also([any([0, 2, 3]), other([2, 3, 2]), any([6])]),
        case(
            "conv_transpose2d",
            |v| {
                v[0].conv_transpose2d(
                    &v[1],
                    None,
                    Conv2dOptions { stride: [2, 1], ..Default::default() },
                    [1, 0],
                )
            },
            [any([2, 2, 2, 3]), other([2, 2, 2, 2])],
        ),
        case(
            "conv_transpose2d output padding of a stride",
            |v| {
                let options = Conv2dOptions { dilation: [3, 2], padding: [1, 0], ..Default::default() };
                v[0].conv_transpose2d(&v[1], None, options, [2, 1])
            },
            [any([1, 2, 2, 2]), other([2, 1, 2, 2])],
        ),
        case(
            "conv_transpose3d",
            |v| v[0].conv_transpose3d(&v[1], Some(&v[2]), everything3(), [1, 0, 1]),
            [any([1, 2, 2, 2, 2]), other([2, 1, 2, 1, 2]), any([2])],
        ),
    ]
}

fn everything1() -> Conv1dOptions {
    Conv1dOptions { stride: [2], padding: [1], dilation: [2], groups: 2 }
}

fn everything3() -> Conv3dOptions {
    Conv3dOptions { stride: [2, 1, 3], padding: [1, 0, 2], dilation: [1, 2, 1], groups: 2 }
}

fn sequences() -> [Var<f64>; 3] {
    [any([2, 2, 5]), other([4, 1, 2]), any([4])]
}

fn volumes() -> [Var<f64>; 3] {
    [any([1, 2, 3, 3, 2]), other([2, 1, 2, 2, 2]), any([2])]
}

fn pools() -> Vec<Case> {
    vec![
        case("max_pool", |v| v[0].max_pool(PoolOptions::new([2, 1])), [any([1, 1, 4, 2])]),
        case("max_pool1d", |v| v[0].max_pool1d(padded1()), [any([2, 2, 5])]).also([any([0, 2, 5])]),
        case("max_pool3d", |v| v[0].max_pool3d(padded3()), [any([1, 2, 3, 4, 3])])
            .also([any([2, 1, 2, 2, 3])]),
        case("max_pool3d of a square", |v| v[0].square().max_pool3d(padded3()), [any([1, 1, 3, 2, 3])])
            .order(3),
        case("max_pool_with_indices", |v| v[0].max_pool_with_indices(padded3()).0, [any([1, 1, 3, 4, 3])]),
        case("avg_pool", |v| v[0].avg_pool(PoolOptions::new([2, 1]), 3usize), [any([1, 1, 4, 2])]),
        case("avg_pool1d", |v| v[0].avg_pool1d(padded1(), true), [any([2, 2, 5])]).also([any([0, 2, 5])]),
        case("avg_pool1d without padding", |v| v[0].avg_pool1d(padded1(), false), [any([2, 1, 6])]),
        case("avg_pool3d", |v| v[0].avg_pool3d(padded3(), true), [any([1, 2, 3, 2, 3])]),
        case("avg_pool3d without padding", |v| v[0].avg_pool3d(padded3(), false), [any([1, 2, 3, 2, 3])]),
        case(
            "avg_pool3d divided by a number",
            |v| v[0].avg_pool3d(padded3(), 5usize),
            [any([1, 1, 3, 2, 3])],
        ),
        case("lp_pool", |v| v[0].lp_pool(3.0, PoolOptions::new([2, 2])), [positive([1, 2, 4, 4])]),
        case(
            "lp_pool ceil_mode",
            |v| v[0].lp_pool(2.0, Pool1dOptions { ceil_mode: true, ..Pool1dOptions::new([2]) }),
            [any([1, 2, 5])],
        ),
        case("adaptive_avg_pool", |v| v[0].adaptive_avg_pool([3, 2]), [any([2, 1, 5, 4])])
            .also([any([1, 1, 2, 3])])
            .also([any([1, 1, 6, 4])])
            .also([any([0, 1, 4, 4])]),
        case("adaptive_avg_pool to nothing", |v| v[0].adaptive_avg_pool([0]), [any([2, 1, 5])]),
        case("adaptive_max_pool", |v| v[0].adaptive_max_pool([3, 2]), [any([2, 1, 5, 4])])
            .also([any([1, 1, 2, 3])])
            .also([any([0, 1, 4, 4])]),
        case(
            "adaptive_max_pool_with_indices",
            |v| v[0].adaptive_max_pool_with_indices([2, 3, 1]).0,
            [any([1, 2, 3, 4, 2])],
        ),
        case(
            "fractional_max_pool",
            |v| v[0].square().fractional_max_pool([2, 1], [3, 2], &at([[[0.3, 0.8]], [[0.0, 0.5]]])).0,
            [any([2, 1, 5, 4])],
        )
        .order(3),
        case("max_unpool", |v| v[0].max_unpool(indices([[[3, 0, 5]], [[1, 1, 2]]]), [6]), [any([2, 1, 3])]),
        case(
            "max_unpool of maxima",
            |v| {
                let (y, at) = v[0].max_pool_with_indices(padded3());
                y.square().max_unpool(&at, [3, 4, 3])
            },
            [any([1, 2, 3, 4, 3])],
        ),
    ]
}

fn padded1() -> Pool1dOptions {
    Pool1dOptions { stride: [2], padding: [1], ceil_mode: true, ..Pool1dOptions::new([3]) }
}

fn padded3() -> Pool3dOptions {
    Pool3dOptions { stride: [1, 2, 2], padding: [1, 0, 1], ceil_mode: true, ..Pool3dOptions::new([2, 1, 2]) }
}

fn along_axes() -> Vec<Case> {
    const LINEAR: [Interpolation; 2] =
        [Interpolation::Linear { align_corners: false }, Interpolation::Linear { align_corners: true }];
    const CUBIC: Interpolation = Interpolation::Cubic { align_corners: false };
    vec![
        case("pad_with", |v| v[0].pad_with(&[(1, 2), (0, 1)], PadMode::Reflect), [any([3, 2])])
            .also([any([4, 3])]),
        case("pad_with replicate", |v| v[0].pad_with(&[(0, 3)], PadMode::Replicate), [any([2])]),
        case("pad_with circular", |v| v[0].pad_with(&[(2, 1), (3, 0)], PadMode::Circular), [any([2, 3])]),
        case("pad_with constant", |v| v[0].pad_with(&[(2, 1)], PadMode::Constant(2.5)), [any([2])]),
        case("interpolate", |v| v[0].interpolate(Resize::Size([5, 2]), LINEAR[0]), [any([1, 2, 3, 4])])
            .also([any([0, 2, 3, 4])]),
        case(
            "interpolate aligned",
            |v| v[0].interpolate(Resize::Size([5, 2, 3]), LINEAR[1]),
            [any([1, 1, 3, 2, 2])],
        ),
        case(
            "interpolate cubic",
            |v| v[0].interpolate(Resize::Scale([1.7, 0.6]), CUBIC),
            [any([1, 1, 3, 4])],
        ),
        case(
            "interpolate nearest",
            |v| v[0].interpolate(Resize::Scale([1.6]), Interpolation::Nearest),
            [any([2, 1, 3])],
        ),
        case(
            "interpolate nearest-exact",
            |v| v[0].interpolate(Resize::Size([4]), Interpolation::NearestExact),
            [any([2, 1, 3])],
        ),
        case(
            "interpolate area",
            |v| v[0].interpolate(Resize::Size([2, 5]), Interpolation::Area),
            [any([1, 1, 3, 3])],
        ),
        case("unfold", |v| v[0].unfold([2, 3], everything2()), [any([2, 2, 3, 4])]).also([any([0, 1, 3, 4])]),
        case("unfold volumes", |v| v[0].unfold([2, 1, 2], Conv3dOptions::default()), [any([1, 2, 3, 2, 2])]),
        case("fold", |v| v[0].fold([3, 4], [2, 3], everything2()), [any([2, 12, 8])]).also([any([0, 6, 8])]),
    ]
}

fn everything2() -> Conv2dOptions {
    Conv2dOptions { stride: [2, 1], padding: [1, 1], dilation: [2, 1], groups: 1 }
}

fn shuffles() -> Vec<Case> {
    vec![
        case("pixel_shuffle", |v| v[0].pixel_shuffle(2), [unit([2, 8, 1, 3])]).also([unit([4, 2, 1])]),
        case("pixel_unshuffle", |v| v[0].pixel_unshuffle(2), [unit([2, 1, 2, 4])]).also([unit([0, 1, 2, 2])]),
        case("channel_shuffle", |v| v[0].channel_shuffle(3), [unit([2, 6, 2])]).also([unit([1, 3])]),
    ]
}
