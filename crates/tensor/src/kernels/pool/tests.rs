use super::*;
use crate::machine::parallel::with_threads;

fn numbers<T: Float>(shape: [usize; 4], seed: usize) -> Vec<T> {
    let len = shape.iter().product();
    (0..len).map(|i: usize| T::from_f64(((i * 7919 + seed * 104_729) % 23) as f64 - 25.0)).collect()
}

/// The pixels of the window of output `o`, as indices into the input, in the order of the taps.
fn window(g: &Pool2dGeometry, o: usize, kernel: [usize; 2], options: [[usize; 2]; 3]) -> Vec<usize> {
    let ([_, _, height, width], [_, _, oh, ow]) = (g.input_shape(), g.output_shape());
    let [stride, padding, dilation] = options;
    let (x, y, plane) = (o % ow, o / ow % oh, o / (ow * oh));
    let mut pixels = Vec::new();
    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
        let row = (y * stride[0] + ky * dilation[0]).wrapping_sub(padding[0]);
        let column = (x * stride[1] + kx * dilation[1]).wrapping_sub(padding[1]);
        if row < height && column < width {
            pixels.push((plane * height + row) * width + column);
        }
    }
    pixels
}

fn check<T: Float>(g: &Pool2dGeometry, kernel: [usize; 2], options: [[usize; 2]; 3], input: &[T]) {
    let plane = g.planes()[0].max(1);
    let count = g.output_shape().iter().product();
    let (mut values, mut positions) = (vec![T::NAN; count], vec![u32::MAX; count]);
    max_pool2d(g, input, &mut values, &mut positions);
    let windows: Vec<_> = (0..count).map(|o| window(g, o, kernel, options)).collect();
    for (o, pixels) in windows.iter().enumerate() {
        let mut best = pixels[0];
        for &pixel in pixels {
            if input[pixel] > input[best] || input[pixel].is_nan() {
                best = pixel;
            }
        }
        assert_eq!(positions[o] as usize, best % plane, "{g:?} output {o}");
        assert!(values[o] == input[best] || values[o].is_nan() && input[best].is_nan(), "{g:?} output {o}");
    }
    let gradient: Vec<T> = numbers(g.output_shape(), 5);
    let (mut gathered, mut scattered) = (vec![T::NAN; count], vec![T::NAN; input.len()]);
    pool_gather(g, &positions, input, &mut gathered);
    assert!(gathered.iter().zip(&values).all(|(x, y)| x == y || x.is_nan() && y.is_nan()));
    pool_scatter(g, &positions, &gradient, &mut scattered);
    let mut expected = vec![T::ZERO; input.len()];
    for o in 0..count {
        expected[o / g.planes()[1] * plane + positions[o] as usize] += gradient[o];
    }
    assert!(scattered == expected, "{g:?}");
    for count_padding in [true, false] {
        let (mut mean, mut spread) = (vec![T::NAN; count], vec![T::NAN; input.len()]);
        let (mut sums, mut expected) = (Vec::new(), vec![T::ZERO; input.len()]);
        for (pixels, &gradient) in windows.iter().zip(&gradient) {
            let taps = if count_padding { kernel[0] * kernel[1] } else { pixels.len() };
            sums.push(pixels.iter().map(|&p| input[p]).sum::<T>() / T::from_usize(taps));
            pixels.iter().for_each(|&p| expected[p] += gradient / T::from_usize(taps));
        }
        avg_pool2d(g, count_padding.into(), input, &mut mean);
        avg_pool2d_gradient(g, count_padding.into(), &gradient, &mut spread);
        let near =
            |x: &T, y: &T| x == y || (*x - *y).abs() <= T::EPSILON * T::from_f64(64.0) * (y.abs() + T::ONE);
        assert!(mean.iter().zip(&sums).all(|(x, y)| near(x, y) || x.is_nan() && y.is_nan()), "{g:?}");
        assert!(spread.iter().zip(&expected).all(|(x, y)| near(x, y)), "{g:?}");
    }
}

#[test]
fn every_window_against_the_definition() {
    let sizes = [[1, 1], [2, 2], [3, 5], [4, 9], [7, 8], [10, 24], [13, 35]];
    for kernel in [[1, 1], [2, 2], [3, 3], [1, 4], [5, 2]] {
        for (size, i) in sizes.into_iter().flat_map(|size| (0..3 * 2 * 2 * 3).map(move |i| (size, i))) {
            let stride = [1 + i % 3, 1 + (i + 1) % 3];
            let options =
                [if i >= 24 { [2, 2] } else { stride }, [i / 3 % 2, i / 6 % 2], [1 + i / 12 % 2, 1]];
            let input = [2, 3, size[0], size[1]];
            if let Ok(g) = Pool2dGeometry::new(input, kernel, options[0], options[1], options[2]) {
                check::<f32>(&g, kernel, options, &numbers(input, 1));
                check::<f64>(&g, kernel, options, &numbers(input, 2));
            }
        }
    }
}

#[test]
fn nan_propagates_and_minus_infinity_has_a_position() {
    for (kernel, stride) in [([2, 2], [2, 2]), ([3, 3], [1, 1])] {
        let shape = [1, 2, 8, 10];
        let options = [stride, [0, 0], [1, 1]];
        let g = Pool2dGeometry::new(shape, kernel, stride, [0, 0], [1, 1]).unwrap();
        for at in 0..160 {
            let mut input: Vec<f32> = numbers(shape, 1);
            input[at] = f32::NAN;
            let (mut values, mut positions) = (vec![0.0; g.output_shape().iter().product()], vec![]);
            positions.resize(values.len(), 0);
            max_pool2d(&g, &input, &mut values, &mut positions);
            for (o, value) in values.iter().enumerate() {
                assert_eq!(value.is_nan(), window(&g, o, kernel, options).contains(&at));
            }
        }
        check(&g, kernel, options, &[f32::NEG_INFINITY; 160]);
    }
}

#[test]
fn empty_images_give_empty_outputs() {
    let g = Pool2dGeometry::new([0, 3, 4, 4], [2, 2], [2, 2], [0, 0], [1, 1]).unwrap();
    max_pool2d::<f32>(&g, &[], &mut [], &mut []);
    pool_scatter::<f32>(&g, &[], &[], &mut []);
    avg_pool2d::<f32>(&g, Divisor::Taps, &[], &mut []);
    avg_pool2d_gradient::<f32>(&g, Divisor::Taps, &[], &mut []);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let g = Pool2dGeometry::new([9, 11, 30, 34], [3, 2], [2, 2], [1, 1], [1, 1]).unwrap();
    let input: Vec<f32> = numbers(g.input_shape(), 1).iter().map(|x: &f32| x / 7.3).collect();
    let all = || {
        let count = g.output_shape().iter().product();
        let (mut v, mut p, mut mean, mut back) =
            (vec![0.0; count], vec![0; count], vec![0.0; count], input.clone());
        max_pool2d(&g, &input, &mut v, &mut p);
        avg_pool2d(&g, Divisor::Pixels, &input, &mut mean);
        pool_scatter(&g, &p, &v, &mut back);
        let scattered = back.clone();
        avg_pool2d_gradient(&g, Divisor::Pixels, &mean, &mut back);
        (v, p, mean, scattered, back)
    };
    let expected = with_threads(1, all);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, all) == expected);
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let new = |input, kernel, padding| {
        Pool2dGeometry::new(input, kernel, [1, 1], padding, [1, 1]).unwrap_err().to_string()
    };
    assert!(new([1, 1, 4, 4], [2, 2], [2, 0]).contains("more than half"));
    assert!(new([1, 1, 4, 4], [5, 2], [0, 0]).contains("larger than"));
    assert!(new([1, 1, 4, 4], [0, 2], [0, 0]).contains("at least 1"));
    assert!(new([1, 1, 1 << 20, 1 << 20], [2, 2], [0, 0]).contains("too many"));
}

#[test]
#[should_panic(expected = "max_pool2d: values has 3 elements, its shape is [1, 1, 2, 2]")]
fn slices_of_the_wrong_length_are_refused() {
    let g = Pool2dGeometry::new([1, 1, 4, 4], [2, 2], [2, 2], [0, 0], [1, 1]).unwrap();
    max_pool2d(&g, &[0.0f32; 16], &mut [0.0; 3], &mut [0; 4]);
}

#[test]
#[should_panic(expected = "pool_scatter: position 16 is outside a plane of [4, 4]")]
fn positions_outside_of_the_plane_are_refused() {
    let g = Pool2dGeometry::new([1, 1, 4, 4], [2, 2], [2, 2], [0, 0], [1, 1]).unwrap();
    pool_scatter(&g, &[0, 3, 16, 9], &[1.0f32; 4], &mut [0.0; 16]);
}

#[test]
fn windows_without_a_pixel_are_refused() {
    let mut refused = 0;
    for i in 0..7 * 4 * 4 * 5 * 6 {
        let [size, kernel, stride, padding, dilation] =
            [i % 7, 1 + i / 7 % 4, 1 + i / 28 % 4, i / 112 % 5, 1 + i / 560];
        let Ok(positions) = crate::kernels::conv::positions(size, kernel, stride, padding, dilation) else {
            continue;
        };
        let pixel = |p: usize| (0..kernel).any(|t| (p * stride + t * dilation).wrapping_sub(padding) < size);
        let right = padding <= ((kernel - 1) * dilation).div_ceil(2) && (0..positions).all(pixel);
        let new = Pool2dGeometry::new([1, 1, 3, size], [1, kernel], [1, stride], [0, padding], [1, dilation]);
        assert_eq!(new.is_ok(), right, "{size} {kernel} {stride} {padding} {dilation}");
        refused += usize::from(!right && padding <= (kernel - 1) * dilation / 2);
    }
    assert!(refused > 50, "{refused}");
    let long = Pool2dGeometry::new([1, 1, 1 << 59, 0], [3, 1], [1, 1], [1 << 59, 0], [1 << 59, 1]);
    assert!(long.is_err());
}

#[test]
fn windows_far_larger_than_the_image() {
    let half = 1 << 40;
    for (far, padding) in [(2 * half, half), (2 * half - 1, half - 1)] {
        let g = Pool2dGeometry::new([1, 1, 1, 2], [far, 1], [1, 1], [padding, 0], [1, 1]).unwrap();
        let count = g.output_shape().iter().product();
        let (mut values, mut positions) = (vec![0.0f64; count], vec![9; count]);
        max_pool2d(&g, &[3.0, 5.0], &mut values, &mut positions);
        assert!(
            values.chunks(2).all(|row| row == [3.0, 5.0]) && positions.chunks(2).all(|row| row == [0, 1])
        );
        avg_pool2d(&g, Divisor::Taps, &[3.0, 5.0], &mut values);
        assert!(values.chunks(2).all(|row| row == [3.0 / far as f64, 5.0 / far as f64]));
    }
    let wide = Pool2dGeometry::new([1, 1, 3, 3], [2, 2], [usize::MAX, 7], [1, 0], [2, 2]).unwrap();
    assert_eq!(wide.output_shape(), [1, 1, 1, 1]);
    let mut mean = [0.0f32];
    avg_pool2d(&wide, Divisor::Taps, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], &mut mean);
    assert_eq!(mean, [(4.0 + 6.0) / 4.0]);
}
