use super::forward::{Framed, conv2d_at};
use super::input::{Phases, input_gradient_at};
use super::weight::weight_gradient_at;
use super::*;
use crate::array::element::Float;
use crate::machine::parallel::with_threads;
use crate::machine::simd::{self, Level};

fn levels() -> impl Iterator<Item = Level> {
    [Level::Baseline, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= simd::level())
}

/// Small integers, exact in every sum below.
fn numbers<T: Float>(shape: [usize; 4], seed: usize) -> Vec<T> {
    let len = shape.iter().product();
    (0..len).map(|i: usize| T::from_f64(((i * 7919 + seed * 104_729) % 13) as f64 - 6.0)).collect()
}

/// Calls `visit(input, weight, output)` with the places of every product of the convolution.
fn for_each_term(g: &Conv2dGeometry, mut visit: impl FnMut(usize, usize, usize)) {
    let ([images, channels, height, width], [_, per_group, kh, kw]) = (g.input_shape(), g.weight_shape());
    let ([_, out_channels, oh, ow], o) = (g.output_shape(), g.options());
    for index in 0..images * out_channels * oh * ow {
        let (x, y) = (index % ow, index / ow % oh);
        let (out, image) = (index / (ow * oh) % out_channels, index / (ow * oh * out_channels));
        for tap in 0..per_group * kh * kw {
            let (kx, ky, c) = (tap % kw, tap / kw % kh, tap / (kw * kh));
            let row = (y * o.stride[0] + ky * o.dilation[0]).wrapping_sub(o.padding[0]);
            let column = (x * o.stride[1] + kx * o.dilation[1]).wrapping_sub(o.padding[1]);
            if row < height && column < width {
                let channel = out / (out_channels / o.groups) * per_group + c;
                let pixel = ((image * channels + channel) * height + row) * width + column;
                visit(pixel, out * per_group * kh * kw + tap, index);
            }
        }
    }
}

fn check<T: Float>(g: &Conv2dGeometry) {
    let (input, weight): (Vec<T>, Vec<T>) = (numbers(g.input_shape(), 1), numbers(g.weight_shape(), 2));
    let gradient: Vec<T> = numbers(g.output_shape(), 3);
    let bias: Vec<T> = numbers([g.output_shape()[1], 1, 1, 1], 4);
    let plane = g.planes()[1].max(1);
    let mut output: Vec<T> = (0..gradient.len()).map(|i| bias[i / plane % bias.len()]).collect();
    let (mut by_input, mut by_weight) = (vec![T::ZERO; input.len()], vec![T::ZERO; weight.len()]);
    for_each_term(g, |i, w, o| {
        output[o] += input[i] * weight[w];
        by_input[i] += weight[w] * gradient[o];
        by_weight[w] += input[i] * gradient[o];
    });
    if input.is_empty() || weight.is_empty() || output.is_empty() {
        let (mut x, mut y, mut w) = (input.clone(), output.clone(), weight.clone());
        for out in [&mut x, &mut y, &mut w] {
            out.fill(T::NAN);
        }
        conv2d(g, &input, &weight, Some(&bias), &mut y);
        conv2d_input_gradient(g, &weight, &gradient, &mut x);
        conv2d_weight_gradient(g, &input, &gradient, &mut w);
        assert!(y == output && x == by_input && w == by_weight, "{g:?}");
        return;
    }
    let (framed, phases) = (Framed::of("test", g), Phases::of("test", g));
    for level in levels() {
        let (mut x, mut y) = (vec![T::NAN; input.len()], vec![T::NAN; output.len()]);
        let mut w = vec![T::NAN; weight.len()];
        conv2d_at(level, g, &framed, &input, &weight, Some(&bias), &mut y);
        assert!(y == output, "{level:?} forward {g:?}");
        conv2d_at(level, g, &framed, &input, &weight, None, &mut y);
        assert!(
            y.iter().enumerate().all(|(i, &y)| y + bias[i / plane % bias.len()] == output[i]),
            "{level:?} without bias {g:?}"
        );
        input_gradient_at(level, g, &phases, &weight, &gradient, &mut x);
        assert!(x == by_input, "{level:?} input gradient {g:?}");
        weight_gradient_at(level, g, &framed, &input, &gradient, &mut w);
        assert!(w == by_weight, "{level:?} weight gradient {g:?}");
    }
}

#[test]
fn all_three_directions_against_the_definition() {
    for channels in [[1, 1, 1], [1, 6, 1], [3, 5, 1], [4, 6, 2], [3, 6, 3], [2, 20, 1]] {
        let [inputs, outputs, groups] = channels;
        for (kernel, size) in
            [([1, 1], [1, 1]), ([1, 1], [5, 3]), ([3, 3], [7, 9]), ([2, 5], [9, 40]), ([5, 4], [6, 5])]
        {
            for i in 0..3 * 3 * 3 {
                let options = Conv2dOptions {
                    stride: [1 + i % 3, 1 + (i + 1) % 3],
                    padding: [i / 3 % 3, (i / 3 + i) % 3],
                    dilation: [1 + i / 9, 1 + (i / 9 + i) % 2],
                    groups,
                };
                let weight = [outputs, inputs / groups, kernel[0], kernel[1]];
                for images in [1, 3] {
                    if let Ok(g) = Conv2dGeometry::new([images, inputs, size[0], size[1]], weight, options) {
                        check::<f32>(&g);
                        check::<f64>(&g);
                    }
                }
            }
        }
    }
}

#[test]
fn shapes_beyond_one_block() {
    let wide = Conv2dOptions { padding: [1, 1], ..Default::default() };
    check::<f32>(&Conv2dGeometry::new([2, 40, 20, 30], [37, 40, 3, 3], wide).unwrap());
    check::<f32>(&Conv2dGeometry::new([10, 1, 28, 28], [6, 1, 5, 5], wide).unwrap());
    check::<f64>(&Conv2dGeometry::new([1, 1, 50, 60], [1, 1, 3, 3], wide).unwrap());
    // One channel, in pieces of all lengths.
    for width in (3..20).chain([31, 32, 33, 63, 64, 65]) {
        check::<f32>(&Conv2dGeometry::new([1, 2, 18, width], [1, 2, 2, 3], wide).unwrap());
    }
    // Few weights with blocks and sums that are not whole.
    let narrow = Conv2dGeometry::new([11, 1, 15, 13], [7, 1, 3, 3], Conv2dOptions::default()).unwrap();
    check::<f32>(&narrow);
    check::<f64>(&narrow);
}

#[test]
fn empty_batches_and_channels() {
    check::<f32>(&Conv2dGeometry::new([0, 2, 5, 5], [3, 2, 3, 3], Conv2dOptions::default()).unwrap());
    let g = Conv2dGeometry::new([2, 0, 5, 5], [3, 0, 3, 3], Conv2dOptions::default()).unwrap();
    let mut y = vec![f32::NAN; 2 * 3 * 3 * 3];
    conv2d(&g, &[], &[], Some(&[1.0, 2.0, 3.0]), &mut y);
    assert_eq!((y[0], y[9], y[53]), (1.0, 2.0, 3.0));
    conv2d_input_gradient(&g, &[], &y, &mut []);
    conv2d_weight_gradient(&g, &[], &y, &mut []);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let one_channel = ([1, 1, 200, 300], [1, 1, 5, 5]);
    for (input, weight) in [([13, 3, 17, 19], [8, 3, 3, 3]), ([1, 8, 40, 40], [16, 8, 5, 5]), one_channel] {
        let g = Conv2dGeometry::new(input, weight, Conv2dOptions::default()).unwrap();
        let scaled =
            |shape, seed| -> Vec<f32> { numbers(shape, seed).iter().map(|x: &f32| x / 7.3).collect() };
        let (x, w) = (scaled(input, 1), scaled(weight, 2));
        let dy = scaled(g.output_shape(), 3);
        let all = || {
            let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
            conv2d(&g, &x, &w, None, &mut y);
            conv2d_input_gradient(&g, &w, &dy, &mut dx);
            conv2d_weight_gradient(&g, &x, &dy, &mut dw);
            (y, dx, dw)
        };
        let expected = with_threads(1, all);
        for threads in [2, 3, 8] {
            assert!(with_threads(threads, all) == expected);
        }
    }
}

/// Few terms are summed apart from a product, and in the same order.
#[test]
fn one_channel_has_the_bits_of_one_among_several() {
    for (channels, kernel, width) in
        [(1, 3, 40), (2, 5, 17), (10, 5, 33), (28, 3, 20), (29, 3, 20), (80, 3, 9)]
    {
        let options = Conv2dOptions { padding: [1, 1], ..Default::default() };
        let geometry = |outputs| {
            Conv2dGeometry::new([1, channels, 12, width], [outputs, channels, kernel, kernel], options)
                .unwrap()
        };
        let scaled =
            |shape, seed| -> Vec<f32> { numbers(shape, seed).iter().map(|x: &f32| x / 7.3).collect() };
        let several = geometry(5);
        let (x, w) = (scaled(several.input_shape(), 1), scaled(several.weight_shape(), 2));
        let mut all = vec![0.0f32; several.output_shape().iter().product()];
        for level in levels().filter(|&level| level != Level::Baseline) {
            conv2d_at(level, &several, &Framed::of("test", &several), &x, &w, None, &mut all);
            let one = geometry(1);
            let (terms, plane) = (channels * kernel * kernel, one.planes()[1]);
            for o in 0..5 {
                let mut alone = vec![0.0f32; plane];
                let w = &w[o * terms..][..terms];
                conv2d_at(level, &one, &Framed::of("test", &one), &x, w, None, &mut alone);
                assert!(alone == all[o * plane..][..plane], "{level:?}: {terms} terms, width {width}");
            }
        }
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let new = |input, weight, options| Conv2dGeometry::new(input, weight, options).unwrap_err().to_string();
    let options = Conv2dOptions::default();
    assert!(new([1, 3, 5, 5], [2, 2, 3, 3], options).contains("3 input channels"));
    assert!(new([1, 3, 5, 5], [2, 3, 6, 3], options).contains("larger than 5 pixels"));
    assert!(new([1, 3, 5, 5], [2, 3, 0, 3], options).contains("at least 1"));
    assert!(new([1, 3, 5, 5], [2, 3, 3, 3], Conv2dOptions { groups: 0, ..options }).contains("0 groups"));
    assert!(
        new([1, 3, 5, 5], [2, 3, 3, 3], Conv2dOptions { stride: [0, 1], ..options }).contains("stride (0)")
    );
    assert!(new([usize::MAX, 3, 5, 5], [2, 3, 3, 3], options).contains("too many elements"));
    let far = Conv2dOptions { padding: [usize::MAX / 2 + 1; 2], ..options };
    assert!(new([1, 3, 5, 5], [2, 3, 3, 3], far).contains("larger than"));
}

#[test]
#[should_panic(expected = "conv2d: input has 24 elements, its shape is [1, 1, 5, 5]")]
fn slices_of_the_wrong_length_are_refused() {
    let g = Conv2dGeometry::new([1, 1, 5, 5], [1, 1, 3, 3], Conv2dOptions::default()).unwrap();
    conv2d(&g, &[0.0f32; 24], &[0.0; 9], None, &mut [0.0; 9]);
}

#[test]
fn strides_paddings_and_dilations_of_any_size() {
    let far = 1 << 40;
    let cases = [
        // The image is met by some taps alone, or by none, or only at some positions.
        ([1, 1], [3, 3], [7, 0x6DB6_DB6D_B6DB_6DB7], [1, 1], [1, 1]),
        ([1, 1], [3, 3], [274_177, 67_280_421_310_721], [1, 1], [1, 1]),
        ([1, 1], [1, 1], [1 << 16, 1 << 16], [0, 0], [1, 1]),
        ([3, 5], [2, 2], [usize::MAX, usize::MAX - 1], [1, 2], [2, 3]),
        ([3, 5], [2, 1], [1, 2], [far, 0], [2 * far, 1]),
        ([3, 5], [3, 2], [far, 3], [far, 4], [1, 5]),
        ([4, 4], [2, 3], [3, 5], [1, 4], [4, 3]),
        (
            [2, 3],
            [1, 1],
            [isize::MAX as usize, 1],
            [isize::MAX as usize / 2 - 1, 0],
            [usize::MAX, usize::MAX],
        ),
        ([0, 2], [2, 2], [5, 3], [2, 1], [1, 2]),
    ];
    for (size, kernel, stride, padding, dilation) in cases {
        for (channels, outputs) in [(1, 1), (10, 3)] {
            let options = Conv2dOptions { stride, padding, dilation, groups: 1 };
            let (input, weight) =
                ([2, channels, size[0], size[1]], [outputs, channels, kernel[0], kernel[1]]);
            check::<f32>(&Conv2dGeometry::new(input, weight, options).unwrap());
        }
    }
    let wraps = Conv2dOptions { groups: usize::MAX, ..Default::default() };
    let none = Conv2dGeometry::new([3, 0, 5, 5], [0, 0, 3, 3], wraps).unwrap();
    conv2d::<f32>(&none, &[], &[], None, &mut []);
    conv2d_input_gradient::<f32>(&none, &[], &[], &mut []);
    conv2d_weight_gradient::<f32>(&none, &[], &[], &mut []);
    let large = Conv2dGeometry::new([1 << 40, 0, 1 << 30, 1], [1, 0, 1, 1], Conv2dOptions::default());
    assert_eq!(large, Err(ConvError::TooLarge { shape: [1 << 40, 0, 1 << 30, 1].into() }));
}
