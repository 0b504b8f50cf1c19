//! What `signals.py` in `tests/golden` has numbers of.

use super::compare_with;
use super::functions::Function;
use wengert_tape::{GridMode, GridPadding, GridSampleOptions, ScatterReduce, Var};
#[cfg(feature = "fft")]
use wengert_tape::{PadMode, StftOptions};
use wengert_tensor::{Float, Slice, Tensor};

#[test]
fn double_precision() {
    compare_with(include_str!("../../golden/signals.json"), &all::<f64>(), 1e-10);
}

#[test]
fn single_precision() {
    compare_with(include_str!("../../golden/signals.json"), &all::<f32>(), 2e-5);
}

fn all<T: Float>() -> Vec<(&'static str, Function<T>)> {
    [grids(), signals(), windows(), calculus(), special(), parts()].concat()
}

fn sampled<T: Float>(v: &[Var<T>], mode: GridMode, padding: GridPadding, align_corners: bool) -> Var<T> {
    v[0].grid_sample(&v[1], GridSampleOptions { mode, padding, align_corners })
}

fn grids<T: Float>() -> Vec<(&'static str, Function<T>)> {
    use GridMode::{Cubic, Linear, Nearest};
    use GridPadding::{Border, Reflection, Zeros};
    vec![
        ("grid_sample nearest zeros False", |v| sampled(v, Nearest, Zeros, false)),
        ("grid_sample nearest zeros True", |v| sampled(v, Nearest, Zeros, true)),
        ("grid_sample nearest border False", |v| sampled(v, Nearest, Border, false)),
        ("grid_sample nearest border True", |v| sampled(v, Nearest, Border, true)),
        ("grid_sample nearest reflection False", |v| sampled(v, Nearest, Reflection, false)),
        ("grid_sample nearest reflection True", |v| sampled(v, Nearest, Reflection, true)),
        ("grid_sample bilinear zeros False", |v| sampled(v, Linear, Zeros, false)),
        ("grid_sample bilinear zeros True", |v| sampled(v, Linear, Zeros, true)),
        ("grid_sample bilinear border False", |v| sampled(v, Linear, Border, false)),
        ("grid_sample bilinear border True", |v| sampled(v, Linear, Border, true)),
        ("grid_sample bilinear reflection False", |v| sampled(v, Linear, Reflection, false)),
        ("grid_sample bilinear reflection True", |v| sampled(v, Linear, Reflection, true)),
        ("grid_sample bicubic zeros False", |v| sampled(v, Cubic, Zeros, false)),
        ("grid_sample bicubic zeros True", |v| sampled(v, Cubic, Zeros, true)),
        ("grid_sample bicubic border False", |v| sampled(v, Cubic, Border, false)),
        ("grid_sample bicubic border True", |v| sampled(v, Cubic, Border, true)),
        ("grid_sample bicubic reflection False", |v| sampled(v, Cubic, Reflection, false)),
        ("grid_sample bicubic reflection True", |v| sampled(v, Cubic, Reflection, true)),
        ("affine_grid 2 False", |v| v[0].affine_grid([3, 4], false)),
        ("affine_grid 3 False", |v| v[0].affine_grid([2, 1, 3], false)),
        ("affine_grid 2 True", |v| v[0].affine_grid([3, 4], true)),
        ("affine_grid 3 True", |v| v[0].affine_grid([2, 1, 3], true)),
    ]
}

#[cfg(not(feature = "fft"))]
fn signals<T: Float>() -> Vec<(&'static str, Function<T>)> {
    Vec::new()
}

#[cfg(feature = "fft")]
fn signals<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("stft plain", |v| v[0].stft(&StftOptions::new(8))),
        ("stft window", |v| v[0].stft(&StftOptions::new(8).hop(3).window(v[1].clone()))),
        ("stft two-sided", |v| v[0].stft(&StftOptions::new(5).hop(2).not_centred().two_sided().normalized())),
        ("stft replicated", |v| v[0].stft(&StftOptions::new(6).hop(2).padding(PadMode::Replicate))),
        ("istft window", |v| v[0].istft(&StftOptions::new(8).hop(2).window(v[1].clone()), 12)),
        ("istft plain", |v| v[0].istft(&StftOptions::new(8).not_centred(), 14)),
        ("istft two-sided", |v| v[0].istft(&StftOptions::new(5).hop(2).two_sided().normalized(), 11)),
    ]
}

fn windows<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("hann_window 1 True", |v| &v[0] * Var::hann_window(1, true)),
        ("hamming_window 1 True", |v| &v[0] * Var::hamming_window(1, true)),
        ("blackman_window 1 True", |v| &v[0] * Var::blackman_window(1, true)),
        ("bartlett_window 1 True", |v| &v[0] * Var::bartlett_window(1, true)),
        ("kaiser_window 1 True", |v| &v[0] * Var::kaiser_window(1, true, 9.5)),
        ("hann_window 2 True", |v| &v[0] * Var::hann_window(2, true)),
        ("hamming_window 2 True", |v| &v[0] * Var::hamming_window(2, true)),
        ("blackman_window 2 True", |v| &v[0] * Var::blackman_window(2, true)),
        ("bartlett_window 2 True", |v| &v[0] * Var::bartlett_window(2, true)),
        ("kaiser_window 2 True", |v| &v[0] * Var::kaiser_window(2, true, 9.5)),
        ("hann_window 7 True", |v| &v[0] * Var::hann_window(7, true)),
        ("hamming_window 7 True", |v| &v[0] * Var::hamming_window(7, true)),
        ("blackman_window 7 True", |v| &v[0] * Var::blackman_window(7, true)),
        ("bartlett_window 7 True", |v| &v[0] * Var::bartlett_window(7, true)),
        ("kaiser_window 7 True", |v| &v[0] * Var::kaiser_window(7, true, 9.5)),
        ("hann_window 1 False", |v| &v[0] * Var::hann_window(1, false)),
        ("hamming_window 1 False", |v| &v[0] * Var::hamming_window(1, false)),
        ("blackman_window 1 False", |v| &v[0] * Var::blackman_window(1, false)),
        ("bartlett_window 1 False", |v| &v[0] * Var::bartlett_window(1, false)),
        ("kaiser_window 1 False", |v| &v[0] * Var::kaiser_window(1, false, 9.5)),
        ("hann_window 2 False", |v| &v[0] * Var::hann_window(2, false)),
        ("hamming_window 2 False", |v| &v[0] * Var::hamming_window(2, false)),
        ("blackman_window 2 False", |v| &v[0] * Var::blackman_window(2, false)),
        ("bartlett_window 2 False", |v| &v[0] * Var::bartlett_window(2, false)),
        ("kaiser_window 2 False", |v| &v[0] * Var::kaiser_window(2, false, 9.5)),
        ("hann_window 7 False", |v| &v[0] * Var::hann_window(7, false)),
        ("hamming_window 7 False", |v| &v[0] * Var::hamming_window(7, false)),
        ("blackman_window 7 False", |v| &v[0] * Var::blackman_window(7, false)),
        ("bartlett_window 7 False", |v| &v[0] * Var::bartlett_window(7, false)),
        ("kaiser_window 7 False", |v| &v[0] * Var::kaiser_window(7, false, 9.5)),
    ]
}

fn calculus<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("diff", |v| v[0].diff(1, 0)),
        ("diff twice", |v| v[0].diff(2, -1)),
        ("diff of nothing", |v| v[0].diff(5, -1)),
        ("trapezoid", |v| v[0].trapezoid(0.3, 0)),
        ("trapezoid at", |v| v[0].trapezoid(&v[1], -1)),
        ("trapezoid at all", |v| v[0].trapezoid(&v[1], 0)),
        ("cumulative_trapezoid", |v| v[0].cumulative_trapezoid(0.3, -1)),
        ("cumulative_trapezoid at", |v| v[0].cumulative_trapezoid(&v[1], -1)),
    ]
}

fn special<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("i0", |v| v[0].i0()),
        ("i0e", |v| v[0].i0e()),
        ("i1", |v| v[0].i1()),
        ("i1e", |v| v[0].i1e()),
        ("log_ndtr", |v| v[0].log_ndtr()),
        ("erfcx", |v| v[0].erfcx()),
        ("multigammaln", |v| v[0].multigammaln(3)),
    ]
}

fn short() -> Tensor<u32> {
    Tensor::from([[2, 0], [1, 1]])
}

/// Several results one behind the other.
fn joined<T: Float>(
    (values, inverse, counts): (Var<T>, wengert_tape::Index<T>, wengert_tape::Index<T>),
) -> Var<T> {
    let numbers =
        |index: wengert_tape::Index<T>| Var::constant(index.value().cast::<f64>().cast::<T>()).reshape([-1]);
    Var::cat(&[values, numbers(inverse), numbers(counts)], 0)
}

fn parts<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("gather shorter", |v| v[0].gather(1, short())),
        ("scatter_add shorter", |v| v[0].scatter_add(1, short(), &v[1])),
        ("scatter shorter", |v| v[0].scatter(1, Tensor::from([[2u32, 0], [1, 0]]), &v[1])),
        ("scatter_reduce shorter", |v| v[0].scatter_reduce(0, short(), &v[1], ScatterReduce::Mean, true)),
        ("slice_scatter", |v| v[0].slice_scatter(1, Slice::from(1..6).step(2), &v[1])),
        ("select_scatter", |v| v[0].select_scatter(1, -2, &v[1])),
        ("diagonal_scatter", |v| v[0].diagonal_scatter(1, &v[1])),
        ("rot90 0", |v| v[0].rot90(0, [0, 2])),
        ("rot90 1", |v| v[0].rot90(1, [0, 2])),
        ("rot90 2", |v| v[0].rot90(2, [0, 2])),
        ("rot90 3", |v| v[0].rot90(3, [0, 2])),
        ("rot90 -1", |v| v[0].rot90(-1, [0, 2])),
        ("block_diag", |v| Var::block_diag(v)),
        ("combinations", |v| v[0].combinations(3, false)),
        ("combinations again", |v| v[0].combinations(2, true)),
        ("vander", |v| v[0].vander(4, true)),
        ("vander falling", |v| v[0].vander(3, false)),
        ("polar", |v| Var::polar(&v[0], &v[1])),
        ("pdist 1.0", |v| v[0].pdist(1.0)),
        ("pdist 2.0", |v| v[0].pdist(2.0)),
        ("pdist 3.0", |v| v[0].pdist(3.0)),
        ("pdist inf", |v| v[0].pdist(f64::INFINITY)),
        ("dist", |v| v[0].dist(&v[1], 3.0)),
        ("renorm", |v| v[0].renorm(2.0, 1, 1.5)),
        ("vecdot", |v| v[0].vecdot(&v[1], 0)),
        ("multi_dot", |v| Var::multi_dot(v)),
        ("multi_dot of a row", |v| Var::multi_dot(v)),
        ("householder_product", |v| v[0].householder_product(&v[1])),
        ("unique_consecutive", |v| joined(v[0].unique_consecutive())),
        ("is_in", |v| Var::constant(v[0].is_in(&v[1]).value().cast::<T>())),
    ]
}
