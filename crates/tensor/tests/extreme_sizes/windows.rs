//! Convolutions of volumes, poolings rounded up, and maps of an axis, of any geometry.

use wengert_tensor::axis_map::{
    AxisMap, Border, Interpolation, adaptive_window, apply_axis_map, axis_maxima,
};
use wengert_tensor::conv::{
    Conv3dGeometry, Conv3dOptions, conv3d, conv3d_input_gradient, conv3d_weight_gradient,
};
use wengert_tensor::pool::{Divisor, Pool2dGeometry, avg_pool2d, max_pool2d};
use wengert_tensor::random::Generator;

use super::helpers::{SIZES, refused};

/// A small size, or one near a limit.
fn size(draw: &mut Generator) -> usize {
    if draw.bernoulli(0.75) {
        return draw.below(5) as usize;
    }
    let size = SIZES[draw.below(SIZES.len() as u64) as usize];
    size.wrapping_add(draw.below(5) as usize).wrapping_sub(2) >> draw.below(2)
}

/// Some of a slice's worth of numbers, if it is small.
fn numbers(shape: &[usize]) -> Option<Vec<f64>> {
    let len = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&len| len <= 2000)?;
    Some((0..len).map(|i| (i * 7 % 11) as f64 - 5.0).collect())
}

/// Along the depth alone, so that the sums are few: the other axes are those of images, which are tried elsewhere.
#[test]
fn volumes() {
    let mut draw = Generator::seeded(3);
    let (mut computed, mut far) = (0, 0);
    for _ in 0..60_000 {
        let triple = |draw: &mut Generator| [size(draw), 1, 1];
        let (depth, kernel) = (size(&mut draw), size(&mut draw));
        let options = Conv3dOptions {
            stride: triple(&mut draw),
            padding: [size(&mut draw), 0, 0],
            dilation: triple(&mut draw),
            groups: 1,
        };
        let (input, weight) = ([draw.below(3) as usize, 2, depth, 1, 2], [1, 2, kernel, 1, 1]);
        let Ok(g) = Conv3dGeometry::new(input, weight, options) else { continue };
        let output = g.output_shape();
        let (Some(x), Some(w), Some(dy)) = (numbers(&input), numbers(&weight), numbers(&output)) else {
            continue;
        };
        let [mut y, mut dx, mut dw] = [&dy, &x, &w].map(|of| vec![f64::NAN; of.len()]);
        conv3d(&g, &x, &w, Some(&[3.0]), &mut y);
        conv3d_input_gradient(&g, &w, &dy, &mut dx);
        conv3d_weight_gradient(&g, &x, &dy, &mut dw);
        let (mut by_y, mut by_x, mut by_w) = (vec![3.0; y.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        for at in 0..y.len() {
            let (column, position, volume) = (at % 2, at / 2 % output[2], at / 2 / output[2]);
            for (channel, tap) in (0..2).flat_map(|c| (0..kernel).map(move |t| (c, t))) {
                let pixel = position as i128 * options.stride[0] as i128
                    + tap as i128 * options.dilation[0] as i128
                    - options.padding[0] as i128;
                if (0..depth as i128).contains(&pixel) {
                    let from = ((volume * 2 + channel) * depth + pixel as usize) * 2 + column;
                    by_y[at] += x[from] * w[channel * kernel + tap];
                    by_x[from] += w[channel * kernel + tap] * dy[at];
                    by_w[channel * kernel + tap] += x[from] * dy[at];
                }
            }
        }
        assert!(y == by_y && dx == by_x && dw == by_w, "{g:?}");
        computed += 1;
        let steps = [options.stride[0], options.padding[0], options.dilation[0]];
        far += usize::from(steps.iter().any(|&n| n > 1 << 31));
    }
    assert!(computed > 500 && far > 100, "{computed} {far}");
}

#[test]
fn poolings_rounded_up() {
    let mut draw = Generator::seeded(4);
    let (mut computed, mut more) = (0, 0);
    for _ in 0..60_000 {
        let (width, kernel, stride) = (size(&mut draw), size(&mut draw), size(&mut draw));
        let most = kernel.saturating_sub(1).div_ceil(2);
        let (padding, dilation) = (most - draw.below(most.min(2) as u64 + 1) as usize, 1);
        let of = [[1, kernel], [1, stride], [0, padding], [1, dilation]];
        let input = [draw.below(3) as usize, 2, 1, width];
        let Ok(g) = Pool2dGeometry::rounded_up(input, of[0], of[1], of[2], of[3]) else { continue };
        let output = g.output_shape();
        let (Some(x), Some(dy)) = (numbers(&input), numbers(&output)) else { continue };
        let (mut values, mut positions) = (vec![f64::NAN; dy.len()], vec![u32::MAX; dy.len()]);
        max_pool2d(&g, &x, &mut values, &mut positions);
        let mut means = vec![f64::NAN; dy.len()];
        avg_pool2d(&g, Divisor::Taps, &x, &mut means);
        for at in 0..dy.len() {
            let start = (at % output[3]) as i128 * stride as i128 - padding as i128;
            // The last window starts inside of the image or of the padding before it.
            assert!(start < width as i128, "{g:?}");
            let end = start + kernel as i128;
            let inside = start.max(0) as usize..end.min(width as i128) as usize;
            let pixels = &x[at / output[3] * width..][inside];
            assert_eq!(values[at], pixels.iter().copied().fold(f64::NEG_INFINITY, f64::max), "{g:?}");
            let counted = (end.min((width + padding) as i128) - start) as f64;
            assert_eq!(means[at], pixels.iter().sum::<f64>() / counted, "{g:?}");
        }
        computed += 1;
        let floor = Pool2dGeometry::new(input, of[0], of[1], of[2], of[3]);
        more += usize::from(floor.is_ok_and(|floor| floor.output_shape() != output));
    }
    assert!(computed > 500 && more > 50, "{computed} {more}");
}

#[test]
fn maps_of_an_axis() {
    for width in SIZES.into_iter().filter(|&width| width > 3) {
        refused("border", &[&width, &3], || AxisMap::border(3, width, 0, Border::Reflect));
        refused("border", &[&width, &3], || AxisMap::border(3, 0, width, Border::Circular));
        assert!(Border::Replicate.fits(3, width));
        if width > 1 << 60 {
            refused("border", &[&width, &3], || AxisMap::border(3, width, 1, Border::Replicate));
        }
        // The first and the last of evenly spread windows, of any numbers.
        assert_eq!(adaptive_window(width, 2, 0).start, 0);
        assert_eq!(adaptive_window(width, 3, 2).end, width);
        assert_eq!(adaptive_window(1, width, width - 1), 0..1);
    }
    for far in SIZES.into_iter().filter(|&far| far > 3) {
        // Two taps at two positions, of which one or none meets an element.
        let patch = |stride, padding, dilation| {
            let mut out = [f64::NAN; 4];
            apply_axis_map(
                &AxisMap::patches([3, 2, 2, stride, padding, dilation]),
                1,
                &[1.0, 2.0, 3.0],
                &mut out,
            );
            out
        };
        assert_eq!(patch(far, 0, far), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(patch(far, far, 1), [0.0, 1.0, 0.0, 2.0]);
        assert_eq!(patch(1, far, 1), [0.0; 4]);
        if far > 1 << 60 {
            refused("patches", &[&far, &2], || AxisMap::patches([3, 2, far, 1, 0, 1]));
        }
    }
    assert_eq!(AxisMap::adaptive_mean(1 << 20, 1).outputs(), 1);
    assert_eq!(AxisMap::adaptive_mean(usize::MAX, 0).outputs(), 0);
    refused("resampled", &[&3], || AxisMap::resampled(0, 3, None, Interpolation::Nearest));
    for scale in [1e-300, 1e300, f64::INFINITY, f64::NAN, -1.0] {
        for mode in [Interpolation::Nearest, Interpolation::Linear { align_corners: false }] {
            let map = AxisMap::resampled(3, 4, Some(scale), mode);
            let mut out = [f64::NAN; 4];
            apply_axis_map(&map, 1, &[1.0, 2.0, 3.0], &mut out);
            assert!(out.iter().all(|x| (1.0..=3.0).contains(x)), "{scale} {out:?}");
        }
    }
    let map = AxisMap::border(3, 1, 1, Border::Replicate);
    refused("apply_axis_map", &[&7], || apply_axis_map(&map, 2, &[0.0; 7], &mut [0.0; 10]));
    let beyond = 1..4;
    refused("axis_maxima", &[&"1..4", &3], || {
        axis_maxima(std::slice::from_ref(&beyond), 3, 1, &[0.0; 3], &mut [0])
    });
}

#[test]
fn slices_that_do_not_fit() {
    let g = Conv3dGeometry::new([1, 1, 2, 1, 1], [1, 1, 1, 1, 1], Conv3dOptions::default()).unwrap();
    refused("conv3d", &[&3], || conv3d(&g, &[0.0f32; 3], &[1.0], None, &mut [0.0; 2]));
    refused("conv3d", &[&2, &1], || conv3d(&g, &[0.0f32; 2], &[1.0], Some(&[0.0; 2]), &mut [0.0; 2]));
    refused("conv3d_input_gradient", &[&3], || {
        conv3d_input_gradient(&g, &[0.0f32; 3], &[0.0; 2], &mut [0.0; 2])
    });
    refused("conv3d_weight_gradient", &[&3], || {
        conv3d_weight_gradient(&g, &[0.0f32; 2], &[0.0; 2], &mut [0.0; 3])
    });
}
