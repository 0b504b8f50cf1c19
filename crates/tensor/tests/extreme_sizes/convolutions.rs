//! Convolutions and poolings of any geometry, against their definitions where the result is small.

use wengert_tensor::conv::{
    Conv2dGeometry, Conv2dOptions, conv2d, conv2d_input_gradient, conv2d_weight_gradient,
};
use wengert_tensor::pool::{
    Divisor, Pool2dGeometry, avg_pool2d, avg_pool2d_gradient, max_pool2d, pool_gather, pool_scatter,
};
use wengert_tensor::random::Generator;

use super::helpers::{SIZES, refused};

/// Draws sizes, small ones half of the time.
struct Draw(Generator);

impl Draw {
    fn size(&mut self) -> usize {
        if self.0.bernoulli(0.7) {
            return self.0.below(6) as usize;
        }
        let size = SIZES[self.0.below(SIZES.len() as u64) as usize];
        // About those as well, and their halves.
        size.wrapping_add(self.0.below(5) as usize).wrapping_sub(2) >> self.0.below(2)
    }

    fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }
}

/// Some of a slice's worth of numbers, if it is small.
fn numbers(shape: [usize; 4]) -> Option<Vec<f64>> {
    let len = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&len| len <= 4000)?;
    Some((0..len).map(|i| (i * 7 % 11) as f64 - 5.0).collect())
}

/// The pixel along an axis that a tap meets at a position.
fn pixel(position: usize, tap: usize, [size, stride, padding, dilation]: [usize; 4]) -> Option<usize> {
    let at = position as i128 * stride as i128 + tap as i128 * dilation as i128 - padding as i128;
    usize::try_from(at).ok().filter(|&at| at < size)
}

#[test]
fn convolutions() {
    let mut draw = Draw(Generator::seeded(1));
    let (mut computed, mut far) = (0, 0);
    for _ in 0..100_000 {
        let [images, channels, outputs, groups] = [0; 4].map(|_| draw.0.below(4).saturating_sub(1) as usize);
        let groups = if draw.0.bernoulli(0.9) { groups + 1 } else { draw.size() };
        let ([height, width], [ky, kx]) = (draw.pair(), draw.pair());
        let options =
            Conv2dOptions { stride: draw.pair(), padding: draw.pair(), dilation: draw.pair(), groups };
        let input = [images, channels.saturating_mul(groups), height, width];
        let weight = [outputs.saturating_mul(groups), channels, ky, kx];
        let Ok(g) = Conv2dGeometry::new(input, weight, options) else { continue };
        let output = g.output_shape();
        let (Some(x), Some(w), Some(dy)) = (numbers(input), numbers(weight), numbers(output)) else {
            continue;
        };
        let Some(bias) = numbers([output[1], 1, 1, 1]).map(|bias| vec![3.0; bias.len()]) else { continue };
        let (mut y, mut dx, mut dw) =
            (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()], vec![f64::NAN; w.len()]);
        conv2d(&g, &x, &w, Some(&bias), &mut y);
        conv2d_input_gradient(&g, &w, &dy, &mut dx);
        conv2d_weight_gradient(&g, &x, &dy, &mut dw);
        let (mut by_y, mut by_x, mut by_w) = (vec![3.0; y.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        let o = options;
        let axes = [0, 1].map(|i| [input[2 + i], o.stride[i], o.padding[i], o.dilation[i]]);
        let plane = output[2] * output[3];
        for at in 0..y.len() {
            let (row, column, out, image) =
                (at / output[3] % output[2], at % output[3], at / plane % output[1], at / plane / output[1]);
            for tap in 0..w.len() / output[1] {
                let (c, y, x_tap) = (tap / (ky * kx), tap / kx % ky, tap % kx);
                if let (Some(py), Some(px)) = (pixel(row, y, axes[0]), pixel(column, x_tap, axes[1])) {
                    let channel = out / (output[1] / groups) * channels + c;
                    let from = ((image * input[1] + channel) * height + py) * width + px;
                    let of = out * (w.len() / output[1]) + tap;
                    by_y[at] += x[from] * w[of];
                    by_x[from] += w[of] * dy[at];
                    by_w[of] += x[from] * dy[at];
                }
            }
        }
        assert!(y == by_y && dx == by_x && dw == by_w, "{g:?}");
        computed += 1;
        far += usize::from([o.stride, o.padding, o.dilation].iter().flatten().any(|&n| n > 1 << 31));
    }
    assert!(computed > 500 && far > 100, "{computed} {far}");
}

#[test]
fn poolings() {
    let mut draw = Draw(Generator::seeded(2));
    let (mut computed, mut far) = (0, 0);
    for _ in 0..100_000 {
        let ([height, width], kernel) = (draw.pair(), draw.pair());
        let (stride, mut padding, dilation) = (draw.pair(), draw.pair(), draw.pair());
        for axis in 0..2 {
            // Often the most that is allowed.
            if draw.0.bernoulli(0.5) {
                let most = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).div_ceil(2);
                padding[axis] = most - draw.0.below(most.min(2) as u64 + 1) as usize;
            }
        }
        let input = [draw.0.below(3) as usize, 2, height, width];
        let Ok(g) = Pool2dGeometry::new(input, kernel, stride, padding, dilation) else { continue };
        let output = g.output_shape();
        let (Some(x), Some(dy)) = (numbers(input), numbers(output)) else { continue };
        let (mut values, mut positions) = (vec![f64::NAN; dy.len()], vec![u32::MAX; dy.len()]);
        max_pool2d(&g, &x, &mut values, &mut positions);
        let (mut means, mut spread) = (vec![f64::NAN; dy.len()], vec![f64::NAN; x.len()]);
        avg_pool2d(&g, Divisor::Taps, &x, &mut means);
        avg_pool2d_gradient(&g, Divisor::Taps, &dy, &mut spread);
        let axes = [0, 1].map(|i| [input[2 + i], stride[i], padding[i], dilation[i]]);
        let plane = output[2] * output[3];
        // The taps that meet a pixel, of windows that may have more than can be counted.
        let met = |position: usize, axis: usize| -> Vec<usize> {
            let [size, stride, padding, dilation] = axes[axis].map(|n| n as i128);
            let first = position as i128 * stride - padding;
            (0..size)
                .filter(|p| (p - first) >= 0 && (p - first) % dilation == 0)
                .filter(|p| (p - first) / dilation < kernel[axis] as i128)
                .map(|p| p as usize)
                .collect()
        };
        let taps = kernel[0] as f64 * kernel[1] as f64;
        let mut expected = vec![0.0; x.len()];
        for at in 0..dy.len() {
            let (rows, columns) = (met(at / output[3] % output[2], 0), met(at % output[3], 1));
            let pixels: Vec<usize> =
                rows.iter().flat_map(|y| columns.iter().map(move |x| y * width + x)).collect();
            let image = &x[at / plane * height * width..][..height * width];
            let largest = pixels.iter().map(|&p| image[p]).fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(values[at], largest, "{g:?}");
            assert_eq!(image[positions[at] as usize], largest);
            assert_eq!(means[at], pixels.iter().map(|&p| image[p]).sum::<f64>() / taps);
            pixels.iter().for_each(|p| expected[at / plane * height * width + p] += dy[at] / taps);
        }
        assert!(spread.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs())), "{g:?}");
        let mut gathered = vec![f64::NAN; dy.len()];
        pool_gather(&g, &positions, &x, &mut gathered);
        assert_eq!(gathered, values);
        pool_scatter(&g, &positions, &dy, &mut spread);
        assert_eq!(spread.iter().sum::<f64>(), dy.iter().sum::<f64>());
        computed += 1;
        far += usize::from([kernel, stride, dilation].iter().flatten().any(|&n| n > 1 << 31));
    }
    assert!(computed > 500 && far > 100, "{computed} {far}");
}

#[test]
fn slices_and_positions_that_do_not_fit() {
    let g = Conv2dGeometry::new([1, 1, 2, 2], [1, 1, 1, 1], Conv2dOptions::default()).unwrap();
    refused("conv2d", &[&3, &"[1, 1, 2, 2]"], || conv2d(&g, &[0.0f32; 3], &[1.0], None, &mut [0.0; 4]));
    refused("conv2d", &[&2, &1], || conv2d(&g, &[0.0f32; 4], &[1.0], Some(&[0.0; 2]), &mut [0.0; 4]));
    let g = Pool2dGeometry::new([1, 1, 2, 2], [2, 2], [2, 2], [0, 0], [1, 1]).unwrap();
    for position in [4, u32::MAX] {
        refused("pool_gather", &[&position], || pool_gather(&g, &[position], &[0.0f32; 4], &mut [0.0]));
        refused("pool_scatter", &[&position], || pool_scatter(&g, &[position], &[0.0f32], &mut [0.0; 4]));
    }
}
