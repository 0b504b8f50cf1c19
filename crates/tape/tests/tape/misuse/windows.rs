//! Misuse of convolutions, pools, borders, resampling and patches.

use crate::panics::caught;
use wengert_tape::{Interpolation, PadMode, PoolOptions, Resize, Var};
use wengert_tensor::Tensor;
use wengert_tensor::conv::ConvOptions;

/// Asserts that `$work` panics at a line of this file with a text that has all of the parts.
macro_rules! refuses {
    ($work:expr, $($part:expr),+) => {{
        let panic = caught(|| $work);
        $( assert!(panic.message.contains($part), "{:?} does not say {:?}", panic.message, $part); )+
        assert_eq!(panic.file, file!(), "{}", panic.message);
    }};
}

fn zeros<const N: usize>(shape: [usize; N]) -> Var<f64> {
    Var::zeros(shape)
}

fn plain<const D: usize>() -> ConvOptions<D> {
    ConvOptions::default()
}

#[test]
fn convolutions() {
    let (x1, x2, x3) = (zeros([2, 4, 5]), zeros([2, 4, 5, 5]), zeros([2, 4, 5, 5, 5]));
    refuses!(x2.conv1d(&zeros([3, 4, 2]), None, plain()), "conv1d: ", "[2, 4, 5, 5]", "three axes");
    refuses!(x1.conv1d(&zeros([3, 3, 2]), None, plain()), "conv1d: ", "4 input channels", "[3, 3, …]");
    refuses!(x1.conv1d(&zeros([3, 4, 6]), None, plain()), "conv1d: ", "6 taps", "5 pixels");
    refuses!(x1.conv1d(&zeros([3, 4, 2]), Some(&zeros([4])), plain()), "conv1d: bias [4]", "3 output");
    refuses!(x2.conv(&zeros([3, 4, 2]), None, plain::<2>()), "conv2d: ", "[3, 4, 2]", "four axes");
    refuses!(x2.conv3d(&zeros([3, 4, 2, 2, 2]), None, plain()), "conv3d: ", "[2, 4, 5, 5]", "five axes");
    refuses!(x3.conv3d(&zeros([3, 4, 6, 2, 2]), None, plain()), "conv3d: ", "6 taps", "5 pixels");
    let none = ConvOptions { stride: [0; 3], ..plain() };
    refuses!(x3.conv3d(&zeros([3, 4, 2, 2, 2]), None, none), "conv3d: ", "stride (0)");
}

#[test]
fn transposed_convolutions() {
    let (x1, x2, x3) = (zeros([2, 4, 5]), zeros([2, 4, 5, 5]), zeros([2, 4, 5, 5, 5]));
    refuses!(x2.conv_transpose1d(&zeros([4, 3, 2]), None, plain(), [0]), "conv_transpose1d: ", "three axes");
    refuses!(
        x2.conv_transpose2d(&zeros([3, 4, 2, 2]), None, plain(), [0; 2]),
        "conv_transpose2d: image [2, 4, 5, 5] and weight [3, 4, 2, 2] do not fit 1 groups"
    );
    let groups = ConvOptions { groups: 3, ..plain() };
    refuses!(
        x3.conv_transpose3d(&zeros([4, 1, 2, 2, 2]), None, groups, [0; 3]),
        "conv_transpose3d: ",
        "3 groups"
    );
    refuses!(
        x1.conv_transpose1d(&zeros([4, 3, 2]), None, plain(), [1]),
        "conv_transpose1d: an output padding of 1 is smaller neither than stride 1 nor than dilation 1"
    );
    let padding = ConvOptions { padding: [3], ..plain() };
    refuses!(
        x1.conv_transpose(&zeros([4, 3, 2]), None, padding, [0]),
        "conv_transpose1d: ",
        "padding [3]",
        "leave no pixel"
    );
    let far = ConvOptions { stride: [usize::MAX], ..plain() };
    refuses!(x1.conv_transpose(&zeros([4, 3, 2]), None, far, [0]), "conv_transpose1d: ", "too many");
    refuses!(
        x1.conv_transpose(&zeros([4, 3, 2]), Some(&zeros([2])), plain::<1>(), [0]),
        "conv_transpose1d: bias [2] does not fit the 3 output channels of weight [4, 3, 2]"
    );
}

#[test]
fn pools() {
    let (x1, x2, x3) = (zeros([2, 4, 5]), zeros([2, 4, 5, 5]), zeros([2, 4, 5, 5, 5]));
    refuses!(x2.max_pool1d(PoolOptions::new([2])), "max_pool1d: ", "[2, 4, 5, 5]", "three axes");
    refuses!(x2.max_pool(PoolOptions::new([2; 3])), "max_pool3d: ", "[2, 4, 5, 5]", "five axes");
    refuses!(x3.max_pool3d(PoolOptions::new([6, 1, 1])), "max_pool3d: ", "6 taps", "5 pixels");
    refuses!(x1.max_pool_with_indices(PoolOptions::new([0])), "max_pool1d: ", "kernel (0)");
    let wide = PoolOptions { padding: [2], ..PoolOptions::new([3]) };
    refuses!(x1.max_pool1d(wide), "max_pool1d: ", "padding 2");
    refuses!(x1.avg_pool1d(wide, true), "avg_pool1d: ", "padding 2");
    refuses!(x1.avg_pool(PoolOptions::new([2; 2]), true), "avg_pool2d: ", "[2, 4, 5]", "four axes");
    refuses!(x3.avg_pool3d(PoolOptions::new([2; 3]), 0usize), "avg_pool3d: the divisor is 0");
    for p in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        refuses!(x1.lp_pool(p, PoolOptions::new([2])), "lp_pool: the power ", "positive and finite");
    }
    refuses!(x1.adaptive_avg_pool([2, 2]), "adaptive_avg_pool: [2, 4, 5] does not have 4 axes");
    refuses!(
        zeros([2, 4, 0]).adaptive_avg_pool([2]),
        "adaptive_avg_pool: axis 2 of shape [2, 4, 0] has no elements to make 2 of"
    );
    refuses!(x2.adaptive_max_pool([2]), "adaptive_max_pool: ", "[2, 4, 5, 5]", "3 axes");
    refuses!(
        x2.adaptive_max_pool_with_indices([2; 3]),
        "adaptive_max_pool_with_indices: ",
        "[2, 4, 5, 5]",
        "5 axes"
    );
    let one = |u: f64| Var::from([[[u]]]);
    let x = zeros([1, 1, 5]);
    refuses!(x.fractional_max_pool([2, 2], [2, 2], &one(0.0)), "fractional_max_pool: [1, 1, 5]", "4 axes");
    refuses!(x.fractional_max_pool([3], [4], &one(0.0)), "fractional_max_pool: [4] windows of extent [3]");
    refuses!(x.fractional_max_pool([0], [4], &one(0.0)), "fractional_max_pool: ", "extent [0]");
    refuses!(x.fractional_max_pool([usize::MAX], [2], &one(0.0)), "fractional_max_pool: ", "do not fit");
    refuses!(
        x.fractional_max_pool([2], [4], &one(1.0)),
        "fractional_max_pool: the sample 1 is not in [0, 1)"
    );
    refuses!(x.fractional_max_pool([2], [4], &zeros([1, 1, 2])), "fractional_max_pool: samples [1, 1, 2]");
    let at = |shape: [usize; 3], index: u32| Tensor::full(shape, index);
    refuses!(x2.max_unpool(at([2, 4, 5], 0), [9]), "max_unpool: [2, 4, 5, 5] does not have 3 axes");
    refuses!(x1.max_unpool(at([2, 4, 4], 0), [9]), "max_unpool: values [2, 4, 5]", "[2, 4, 4]");
    refuses!(x1.max_unpool(at([2, 4, 5], 9), [9]), "max_unpool: index 9 is outside", "[9]");
}

#[test]
fn borders_and_resampling() {
    let x = zeros([1, 2, 3]);
    refuses!(x.pad_with(&[(1, 1)], PadMode::Reflect), "pad_with: 1 pairs", "[1, 2, 3]");
    refuses!(
        x.pad_with(&[(0, 0), (0, 0), (0, 3)], PadMode::Reflect),
        "pad_with: a reflect border of 0 and 3 positions does not fit axis 2 of shape [1, 2, 3]"
    );
    refuses!(x.pad_with(&[(2, 0), (0, 0), (0, 0)], PadMode::Circular), "a circular border", "axis 0");
    refuses!(
        zeros([0, 1]).pad_with(&[(1, 0), (0, 0)], PadMode::Replicate),
        "pad_with: a replicate border of 1 and 0",
        "[0, 1]"
    );
    refuses!(x.pad_with(&[(0, 0); 2], PadMode::Constant(1.0)), "pad: ", "[1, 2, 3]");
    refuses!(
        x.pad_with(&[(usize::MAX, 2), (0, 0), (0, 0)], PadMode::Replicate),
        "pad_with: 18446744073709551615 + 1 + 2 are too many elements"
    );
    refuses!(
        x.interpolate(Resize::Size([2, 2]), Interpolation::Area),
        "interpolate: [1, 2, 3] does not have 4 axes"
    );
    for factor in [0.0, -1.0, f64::NAN, 1e300] {
        refuses!(
            x.interpolate(Resize::Scale([factor]), Interpolation::Nearest),
            "interpolate: 3 elements cannot be scaled by "
        );
    }
    refuses!(
        zeros([1, 2, 0]).interpolate(Resize::Size([2]), Interpolation::Nearest),
        "interpolate: axis 2 of shape [1, 2, 0] has no elements to make 2 of"
    );
    refuses!(
        x.interpolate(Resize::Size([1 << 62]), Interpolation::Nearest),
        "interpolate: shape [1, 2, 4611686018427387904] has too many elements"
    );
}

#[test]
fn patches_and_shuffles() {
    let x = zeros([2, 3, 4]);
    refuses!(x.unfold([2, 2], plain()), "unfold: [2, 3, 4] does not have 4 axes");
    refuses!(x.unfold([5], plain()), "unfold: size [4] and kernel [5]: ", "5 taps");
    let groups = ConvOptions { groups: 2, ..plain() };
    refuses!(x.unfold([2], groups), "unfold: patches have no groups, but 2 are given");
    refuses!(x.fold([4], [2], plain()), "fold: [2, 3, 4] is not [batch, channels · 2, 3]");
    refuses!(x.fold([4], [2], groups), "fold: patches have no groups");
    refuses!(x.fold([1], [2], plain()), "fold: size [1] and kernel [2]: ");
    refuses!(x.pixel_shuffle(2), "pixel_shuffle: [2, 3, 4] is not ", "2²");
    refuses!(x.pixel_shuffle(0), "pixel_shuffle: ", "0²");
    refuses!(x.pixel_shuffle(usize::MAX), "pixel_shuffle: ");
    refuses!(x.pixel_unshuffle(2), "pixel_unshuffle: [2, 3, 4] is not ", "multiples of 2");
    refuses!(x.channel_shuffle(2), "channel_shuffle: [2, 3, 4] is not ", "2 groups");
}
