//! Convolutions, pools and what else images and signals have; attention.

use wengert::tape::{
    AttentionMask, AttentionOptions, Divisor, GridSampleOptions, Interpolation, Pool2dOptions, Resize,
};
use wengert::tensor::conv::{Conv1dOptions, Conv2dOptions, ConvOptions};

use super::Bench;

pub(super) fn time(bench: &mut Bench) {
    let x = bench.normal([16, 32, 56, 56]);
    let same = Conv2dOptions { padding: [1, 1], ..Default::default() };
    let (full, deep) = (bench.normal([64, 32, 3, 3]), bench.normal([32, 1, 3, 3]));
    let (point, up) = (bench.normal([64, 32, 1, 1]), bench.normal([32, 32, 2, 2]));
    let by_channel = Conv2dOptions { groups: 32, ..same };
    bench.time("conv2d 3x3", &x, |x| x.conv2d(&full, None, same));
    bench.time("conv2d 3x3 of the weight", &full, |weight| x.conv2d(weight, None, same));
    bench.time("conv2d 1x1", &x, |x| x.conv2d(&point, None, Conv2dOptions::default()));
    bench.time("conv2d by channel", &x, |x| x.conv2d(&deep, None, by_channel));
    bench.time("conv2d by channel of the weight", &deep, |weight| x.conv2d(weight, None, by_channel));
    let strided = Conv2dOptions { stride: [2, 2], ..Default::default() };
    bench.time("conv_transpose2d 2x2", &x, |x| x.conv_transpose2d(&up, None, strided, [0, 0]));
    let (signal, filter) = (bench.normal([16, 64, 512]), bench.normal([64, 64, 5]));
    let around = Conv1dOptions { padding: [2], ..Default::default() };
    bench.time("conv1d", &signal, |x| x.conv1d(&filter, None, around));

    let halved = Pool2dOptions::new([2, 2]);
    let overlapping = Pool2dOptions { stride: [2, 2], padding: [1, 1], ..Pool2dOptions::new([3, 3]) };
    bench.time("max_pool2d 2x2", &x, |x| x.max_pool2d(halved));
    bench.time("max_pool2d 3x3", &x, |x| x.max_pool2d(overlapping));
    bench.time("avg_pool2d 3x3", &x, |x| x.avg_pool2d(overlapping, Divisor::Taps));
    bench.time("adaptive_avg_pool2d", &x, |x| x.adaptive_avg_pool([7, 7]));
    bench.time("avg_pool2d 2x2", &x, |x| x.avg_pool2d(halved, Divisor::Taps));
    let [gain, bias] = [(); 2].map(|()| bench.normal([32]));
    bench.time("group_norm", &x, |x| x.group_norm(8, &gain, &bias, 1e-5));
    bench.time("unfold", &x, |x| x.unfold([3, 3], ConvOptions::default()));
    bench.time("pixel_shuffle", &x, |x| x.pixel_shuffle(2));
    let small = bench.normal([16, 32, 28, 28]);
    let linear = Interpolation::Linear { align_corners: false };
    bench.time("interpolate bilinear", &small, |x| x.interpolate(Resize::Size([56, 56]), linear));
    let cubic = Interpolation::Cubic { align_corners: false };
    bench.time("interpolate bicubic", &small, |x| x.interpolate(Resize::Size([56, 56]), cubic));
    bench.time("interpolate nearest", &small, |x| {
        x.interpolate(Resize::Size([56, 56]), Interpolation::Nearest)
    });
    bench.time("pixel_unshuffle", &x, |x| x.pixel_unshuffle(2));
    let (image, grid) = (bench.normal([8, 16, 64, 64]), bench.normal([8, 64, 64, 2]) * 0.5);
    bench.time("grid_sample", &image, |x| x.grid_sample(&grid, GridSampleOptions::default()));

    let query = bench.normal([8, 8, 256, 64]);
    let (all, causal) = (
        AttentionOptions::default(),
        AttentionOptions { mask: AttentionMask::causal(), ..Default::default() },
    );
    bench.time("attention", &query, |x| x.attention(&query, &query, &all));
    bench.time("attention causal", &query, |x| x.attention(&query, &query, &causal));
}
