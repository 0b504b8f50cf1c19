use super::*;
use crate::kernels::conv::Conv3dOptions;
use crate::machine::parallel::with_threads;

/// Small integers, exact in every sum below.
fn numbers<T: Float>(shape: [usize; 5], seed: usize) -> Vec<T> {
    let len = shape.iter().product();
    (0..len).map(|i: usize| T::from_f64(((i * 7919 + seed * 104_729) % 13) as f64 - 6.0)).collect()
}

fn all<T: Float>(g: &Conv3dGeometry) -> [Vec<T>; 3] {
    let (input, weight) = (numbers(g.input_shape(), 1), numbers(g.weight_shape(), 2));
    let gradient: Vec<T> = numbers(g.output_shape(), 3);
    let bias: Vec<T> = numbers([g.output_shape()[1], 1, 1, 1, 1], 4);
    let [mut y, mut dx, mut dw] = [gradient.len(), input.len(), weight.len()].map(|len| vec![T::NAN; len]);
    conv3d(g, &input, &weight, Some(&bias), &mut y);
    conv3d_input_gradient(g, &weight, &gradient, &mut dx);
    conv3d_weight_gradient(g, &input, &gradient, &mut dw);
    [y, dx, dw]
}

fn check<T: Float>(input: [usize; 5], weight: [usize; 5], options: Conv3dOptions) {
    let g = Conv3dGeometry::new(input, weight, options).unwrap();
    let found = all::<T>(&g);
    let (x, w): (Vec<T>, Vec<T>) = (numbers(input, 1), numbers(weight, 2));
    let (dy, bias): (Vec<T>, Vec<T>) = (numbers(g.output_shape(), 3), numbers([weight[0], 1, 1, 1, 1], 4));
    let [outs, ins, kernel @ ..] = weight;
    let [_, channels, size @ ..] = input;
    let [_, _, places @ ..] = g.output_shape();
    let (taps, pixels): (usize, usize) = (kernel.iter().product(), places.iter().product());
    let unravel = |i: usize, [_, b, c]: [usize; 3]| [i / (b * c), i / c % b, i % c];
    let mut y: Vec<T> = (0..dy.len()).map(|i| bias[i / pixels % outs]).collect();
    let (mut dx, mut dw) = (vec![T::ZERO; x.len()], vec![T::ZERO; w.len()]);
    for i in 0..dy.len() {
        let (image, out, place) = (i / pixels / outs, i / pixels % outs, unravel(i % pixels, places));
        for t in 0..ins * taps {
            let tap = unravel(t % taps, kernel);
            let at = [0, 1, 2].map(|a| {
                (place[a] * options.stride[a] + tap[a] * options.dilation[a]).wrapping_sub(options.padding[a])
            });
            if (0..3).all(|a| at[a] < size[a]) {
                let channel = image * channels + out / (outs / options.groups) * ins + t / taps;
                let pixel = ((channel * size[0] + at[0]) * size[1] + at[1]) * size[2] + at[2];
                y[i] += x[pixel] * w[out * ins * taps + t];
                dx[pixel] += w[out * ins * taps + t] * dy[i];
                dw[out * ins * taps + t] += x[pixel] * dy[i];
            }
        }
    }
    assert_eq!(found, [y, dx, dw], "{g:?}");
}

#[test]
fn all_three_directions_against_the_definition() {
    let plain = Conv3dOptions::default();
    let everything = Conv3dOptions { stride: [2, 1, 3], padding: [2, 0, 1], dilation: [1, 2, 1], groups: 2 };
    check::<f64>([2, 3, 4, 3, 5], [2, 3, 2, 2, 3], plain);
    check::<f32>([2, 4, 5, 6, 4], [6, 2, 3, 2, 2], everything);
    check::<f64>([1, 1, 1, 1, 1], [1, 1, 1, 1, 1], plain);
    // Taps that meet slices at few positions only, and positions at which none does.
    check::<f64>([1, 2, 1, 2, 2], [1, 2, 3, 1, 1], Conv3dOptions { padding: [3, 0, 0], ..plain });
    check::<f64>(
        [2, 1, 2, 2, 2],
        [1, 1, 2, 1, 1],
        Conv3dOptions { padding: [4, 0, 0], dilation: [5, 1, 1], ..plain },
    );
    // Nothing to sum, nothing to write.
    check::<f64>([0, 1, 3, 3, 3], [1, 1, 2, 2, 2], plain);
    check::<f64>([2, 0, 3, 3, 3], [2, 0, 2, 2, 2], plain);
    check::<f64>([2, 1, 3, 3, 3], [0, 1, 2, 2, 2], plain);
    check::<f64>([1, 1, 0, 2, 2], [1, 1, 1, 1, 1], Conv3dOptions { padding: [1, 0, 0], ..plain });
}

#[test]
fn several_slabs() {
    let g = Conv3dGeometry::new(
        [3, 4, 40, 16, 16],
        [8, 4, 3, 1, 1],
        Conv3dOptions { padding: [1, 0, 0], ..Default::default() },
    )
    .unwrap();
    assert_eq!(Slab::all(&g).len(), 2 + 1);
    let g = Conv3dGeometry::new([3, 8, 64, 48, 48], [8, 8, 3, 3, 3], Conv3dOptions::default()).unwrap();
    let slabs = Slab::all(&g);
    assert!(slabs.len() > 3);
    assert_eq!(slabs.iter().map(|s| s.volumes.len() * s.positions.len()).sum::<usize>(), 3 * 62);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let options = Conv3dOptions { padding: [1; 3], ..Default::default() };
    let g = Conv3dGeometry::new([2, 8, 9, 24, 24], [8, 8, 3, 3, 3], options).unwrap();
    let one = with_threads(1, || all::<f32>(&g));
    assert!(with_threads(3, || all::<f32>(&g)) == one);
}

#[test]
#[should_panic(expected = "conv3d: input has 7 elements, its shape is [1, 1, 2, 2, 2]")]
fn slices_of_the_wrong_length_are_refused() {
    let g = Conv3dGeometry::new([1, 1, 2, 2, 2], [1, 1, 1, 1, 1], Conv3dOptions::default()).unwrap();
    conv3d(&g, &[0.0; 7], &[1.0], None, &mut [0.0; 8]);
}
