//! Two-dimensional convolution of images in NCHW layout, forward and both gradients.
//!
//! As in all of deep learning, "convolution" is the cross-correlation: the kernel is not flipped.
//! Each direction is a matrix product that copies patches of the image straight into the packing buffers of
//! [`gemm`](crate::gemm), so the matrix of all patches never exists. Results have the same bits for any number
//! of threads.

mod geometry;
mod patches;
#[cfg(test)]
mod tests;
mod weight;

pub(crate) use geometry::positions;
pub use geometry::{Conv2dError, Conv2dGeometry, Conv2dOptions};
use patches::Window;
pub use weight::conv2d_weight_gradient;

use crate::element::Float;
use crate::gemm::{Output, PARALLEL_WORK, Product, Slot, Strided, with_scratch};
use crate::parallel;
use crate::simd::{self, Level};

/// `output[n, o, y, x] = bias[o] + Σ input[n, c, y·s − p + ky·d, x·s − p + kx·d] · weight[o, c, ky, kx]` over the
/// channels of o's group and the taps of the kernel.
///
/// All slices are contiguous, in the shapes of `geometry`; `output` may hold anything before.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::conv::{conv2d, Conv2dGeometry, Conv2dOptions};
///
/// let g = Conv2dGeometry::new([1, 1, 2, 3], [1, 1, 1, 2], Conv2dOptions::default()).unwrap();
/// let mut output = [0.0; 4];
/// conv2d(&g, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0], Some(&[0.5]), &mut output);
/// assert_eq!(output, [21.5, 32.5, 54.5, 65.5]);
/// ```
#[track_caller]
pub fn conv2d<T: Float>(
    geometry: &Conv2dGeometry,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) {
    conv2d_at(simd::level(), geometry, input, weight, bias, output);
}

#[track_caller]
fn conv2d_at<T: Float>(
    level: Level,
    g: &Conv2dGeometry,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) {
    check_len("conv2d: input", input.len(), g.input_shape());
    check_len("conv2d: weight", weight.len(), g.weight_shape());
    check_len("conv2d: output", output.len(), g.output_shape());
    if let Some(bias) = bias {
        let channels = g.output_shape()[1];
        assert!(bias.len() == channels, "conv2d: {} biases for {channels} output channels", bias.len());
    }
    let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
    let depth = in_channels * g.taps();
    let out = Output { start: output.as_mut_ptr(), row: out_plane as isize, column: 1 };
    let window = Window::over_input(g);
    for_each_group(g, [out_channels, out_plane, depth], |image, group, threaded| {
        let first = image * g.output_shape()[1] + group * out_channels;
        let c = out.shifted((first * out_plane) as isize);
        let plane = image * g.input_shape()[1] + group * in_channels;
        let weight = &weight[group * out_channels * depth..];
        let weight = Strided { start: weight.as_ptr(), row: depth as isize, column: 1 };
        if let Some(bias) = bias {
            for (o, &bias) in bias[group * out_channels..].iter().take(out_channels).enumerate() {
                // SAFETY: a whole plane of the output, which no other group or image touches.
                unsafe { std::slice::from_raw_parts_mut(c.start.add(o * out_plane), out_plane) }.fill(bias);
            }
        }
        window.with_patches(&input[plane * in_plane..], |patches| {
            let product = Product {
                m: out_channels,
                n: out_plane,
                k: depth,
                alpha: T::ONE,
                a: &weight,
                b: patches,
                beta: if bias.is_some() { T::ONE } else { T::ZERO },
                c,
            };
            // SAFETY: the lengths of the slices were checked against the geometry, whose patches lie within the image;
            // groups and images write planes of their own; the level comes from detection.
            unsafe { if threaded { product.run(level) } else { product.run_here(level) } }
        });
    });
}

/// The gradient of [`conv2d`] with respect to its input: for every pixel the sum over the taps that met it of the
/// weight times the output's gradient. Also the forward pass of a transposed convolution.
///
/// All slices are contiguous, in the shapes of `geometry`; `input_gradient` may hold anything before.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::conv::{conv2d_input_gradient, Conv2dGeometry, Conv2dOptions};
///
/// let g = Conv2dGeometry::new([1, 1, 1, 3], [1, 1, 1, 2], Conv2dOptions::default()).unwrap();
/// let mut gradient = [0.0; 3];
/// conv2d_input_gradient(&g, &[1.0, 10.0], &[2.0, 3.0], &mut gradient);
/// assert_eq!(gradient, [2.0, 23.0, 30.0]);
/// ```
#[track_caller]
pub fn conv2d_input_gradient<T: Float>(
    geometry: &Conv2dGeometry,
    weight: &[T],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    input_gradient_at(simd::level(), geometry, weight, output_gradient, input_gradient);
}

#[track_caller]
fn input_gradient_at<T: Float>(
    level: Level,
    g: &Conv2dGeometry,
    weight: &[T],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("conv2d_input_gradient: weight", weight.len(), g.weight_shape());
    check_len("conv2d_input_gradient: output gradient", output_gradient.len(), g.output_shape());
    check_len("conv2d_input_gradient: input gradient", input_gradient.len(), g.input_shape());
    let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
    let taps = g.taps();
    let depth = out_channels * taps;
    let out = Output { start: input_gradient.as_mut_ptr(), row: in_plane as isize, column: 1 };
    let window = Window::over_output(g);
    with_scratch(Slot::Operation, weight.len(), |turned: *mut T| {
        // SAFETY: the buffer has room for the weight, and holds initialised numbers.
        let turned = unsafe { std::slice::from_raw_parts_mut(turned, weight.len()) };
        turn(weight, turned, [out_channels, in_channels, taps]);
        let turned = &*turned;
        for_each_group(g, [in_channels, in_plane, depth], |image, group, threaded| {
            let first = image * g.input_shape()[1] + group * in_channels;
            let plane = image * g.output_shape()[1] + group * out_channels;
            let weight = &turned[group * in_channels * depth..];
            let weight = Strided { start: weight.as_ptr(), row: depth as isize, column: 1 };
            window.with_patches(&output_gradient[plane * out_plane..], |patches| {
                let product = Product {
                    m: in_channels,
                    n: in_plane,
                    k: depth,
                    alpha: T::ONE,
                    a: &weight,
                    b: patches,
                    beta: T::ZERO,
                    c: out.shifted((first * in_plane) as isize),
                };
                // SAFETY: as in `conv2d_at`, with the roles of input and output exchanged.
                unsafe { if threaded { product.run(level) } else { product.run_here(level) } }
            });
        });
    });
}

/// `[group, out, in, tap]` to `[group, in, out, tap]` with the taps in reverse.
fn turn<T: Float>(from: &[T], to: &mut [T], [out_channels, in_channels, taps]: [usize; 3]) {
    let group = out_channels * in_channels * taps;
    if group == 0 {
        return;
    }
    for (from, to) in from.chunks_exact(group).zip(to.chunks_exact_mut(group)) {
        for (i, taps_of_pair) in from.chunks_exact(taps).enumerate() {
            let (o, c) = (i / in_channels, i % in_channels);
            let to = &mut to[(c * out_channels + o) * taps..][..taps];
            to.iter_mut().zip(taps_of_pair.iter().rev()).for_each(|(to, &x)| *to = x);
        }
    }
}

/// Calls `work(image, group, threaded)` for every image and group with a product of `[m, n, k]` each: one after the
/// other, each threaded, if they are fewer than the threads; else several at once on a thread each.
fn for_each_group(g: &Conv2dGeometry, product: [usize; 3], work: impl Fn(usize, usize, bool) + Sync + Send) {
    let groups = g.options().groups;
    let count = g.input_shape()[0] * groups;
    if product[0] * product[1] == 0 {
        return;
    }
    let total = product.iter().fold(count, |total, &n| total.saturating_mul(n));
    let at_once = count >= parallel::threads() && total >= PARALLEL_WORK;
    parallel::for_each(count, at_once, |i| work(i / groups, i % groups, !at_once));
}

/// Panics if a slice has another length than its shape.
#[track_caller]
pub(crate) fn check_len(what: &str, len: usize, shape: [usize; 4]) {
    assert!(len == shape.iter().product::<usize>(), "{what} has {len} elements, its shape is {shape:?}");
}
