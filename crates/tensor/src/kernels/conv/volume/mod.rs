//! Three-dimensional convolution, as two-dimensional ones whose channels are the slices of the volume that the taps
//! along the depth meet. So all products are those of images, with a sum over channels, depth, height and width at once;
//! the slices are copied, at most a few megabytes at a time, and those of the padding never exist.

mod geometry;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use geometry::Conv3dGeometry;
use geometry::Slab;

use super::{check_len, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::machine::parallel;

/// `output[n, o, z, y, x] = bias[o] + Σ input[n, c, z·s − p + kz·d, …] · weight[o, c, kz, ky, kx]`: as
/// [`conv2d`] with one more axis.
///
/// All slices are contiguous, in the shapes of `geometry`; `output` may hold anything before.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::conv::{conv3d, Conv3dGeometry, Conv3dOptions};
///
/// let g = Conv3dGeometry::new([1, 1, 3, 1, 1], [1, 1, 2, 1, 1], Conv3dOptions::default()).unwrap();
/// let mut output = [0.0; 2];
/// conv3d(&g, &[1.0, 2.0, 3.0], &[1.0, 10.0], Some(&[0.5]), &mut output);
/// assert_eq!(output, [21.5, 32.5]);
/// ```
#[track_caller]
pub fn conv3d<T: Float>(
    geometry: &Conv3dGeometry,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) {
    check_len("conv3d: input", input.len(), geometry.input_shape());
    check_len("conv3d: weight", weight.len(), geometry.weight_shape());
    check_len("conv3d: output", output.len(), geometry.output_shape());
    if let Some(bias) = bias {
        let channels = geometry.output_shape()[1];
        assert!(bias.len() == channels, "conv3d: {} biases for {channels} output channels", bias.len());
    }
    forward(geometry, input, weight, bias, output);
}

/// The gradient of [`conv3d`] with respect to its input; also the forward pass of a transposed convolution.
///
/// # Panics
/// If a slice has another length than its shape.
#[track_caller]
pub fn conv3d_input_gradient<T: Float>(
    geometry: &Conv3dGeometry,
    weight: &[T],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("conv3d_input_gradient: weight", weight.len(), geometry.weight_shape());
    check_len("conv3d_input_gradient: output gradient", output_gradient.len(), geometry.output_shape());
    check_len("conv3d_input_gradient: input gradient", input_gradient.len(), geometry.input_shape());
    backward(geometry, weight, output_gradient, input_gradient);
}

/// The gradient of [`conv3d`] with respect to its weight. Parts are summed in an order that depends on the shapes alone.
///
/// # Panics
/// If a slice has another length than its shape.
#[track_caller]
pub fn conv3d_weight_gradient<T: Float>(
    geometry: &Conv3dGeometry,
    input: &[T],
    output_gradient: &[T],
    weight_gradient: &mut [T],
) {
    check_len("conv3d_weight_gradient: input", input.len(), geometry.input_shape());
    check_len("conv3d_weight_gradient: output gradient", output_gradient.len(), geometry.output_shape());
    check_len("conv3d_weight_gradient: weight gradient", weight_gradient.len(), geometry.weight_shape());
    weights(geometry, input, output_gradient, weight_gradient);
}

compiled_here! {
    fn forward<T: Float>(
        g: &Conv3dGeometry,
        input: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        output: &mut [T],
    ) {
        if output.is_empty() {
            return;
        }
        let [_, outs, depths, ..] = g.output_shape();
        let out_slice = g.slices()[1];
        for slab in Slab::all(g) {
            let plane = slab.plane(g);
            let images = stacked(g, &slab, input);
            let mut result = buffer(plane.output_shape());
            conv2d(&plane, slice(&images), &kernels(g, &slab.taps, weight), bias, result.as_mut_slice());
            // From [volume, position, channel] to [volume, channel, position].
            let result = slice(&result);
            let parallel = result.len() >= parallel::PARALLEL_THRESHOLD;
            let volumes = &mut output[slab.volumes.start * outs * depths * out_slice..];
            let volumes = &mut volumes[..slab.volumes.len() * outs * depths * out_slice];
            parallel::for_each_chunk(volumes, depths * out_slice, parallel, |start, channel| {
                let (volume, o) = (start / (depths * out_slice) / outs, start / (depths * out_slice) % outs);
                for (i, position) in slab.positions.clone().enumerate() {
                    let from = ((volume * slab.positions.len() + i) * outs + o) * out_slice;
                    channel[position * out_slice..][..out_slice].copy_from_slice(&result[from..][..out_slice]);
                }
            });
        }
    }
}

compiled_here! {
    fn backward<T: Float>(g: &Conv3dGeometry, weight: &[T], output_gradient: &[T], input_gradient: &mut [T]) {
        input_gradient.fill(T::ZERO);
        if input_gradient.is_empty() || output_gradient.is_empty() || weight.is_empty() {
            return;
        }
        let [_, channels, size, ..] = g.input_shape();
        let in_slice = g.slices()[0];
        for slab in Slab::all(g).into_iter().filter(|slab| !slab.taps.is_empty()) {
            let plane = slab.plane(g);
            let outputs = gathered(g, &slab, output_gradient);
            let mut images = buffer(plane.input_shape());
            conv2d_input_gradient(&plane, &kernels(g, &slab.taps, weight), slice(&outputs), images.as_mut_slice());
            let (images, taps) = (slice(&images), slab.taps.len());
            let parallel = images.len() >= parallel::PARALLEL_THRESHOLD;
            let volumes = &mut input_gradient[slab.volumes.start * channels * size * in_slice..];
            let volumes = &mut volumes[..slab.volumes.len() * channels * size * in_slice];
            parallel::for_each_chunk(volumes, size * in_slice, parallel, |start, channel| {
                let (volume, c) = (start / (size * in_slice) / channels, start / (size * in_slice) % channels);
                for (i, position) in slab.positions.clone().enumerate() {
                    let image = (volume * slab.positions.len() + i) * channels * taps + c * taps;
                    for (t, tap) in slab.taps.clone().enumerate() {
                        let to = &mut channel[g.depth(position, tap) * in_slice..][..in_slice];
                        let from = &images[(image + t) * in_slice..][..in_slice];
                        to.iter_mut().zip(from).for_each(|(to, &x)| *to += x);
                    }
                }
            });
        }
    }
}

compiled_here! {
    fn weights<T: Float>(g: &Conv3dGeometry, input: &[T], output_gradient: &[T], weight_gradient: &mut [T]) {
        weight_gradient.fill(T::ZERO);
        if weight_gradient.is_empty() || output_gradient.is_empty() || input.is_empty() {
            return;
        }
        let (kernel, taps) = (g.slices()[2], g.weight_shape()[2]);
        for slab in Slab::all(g).into_iter().filter(|slab| !slab.taps.is_empty()) {
            let plane = slab.plane(g);
            let (images, outputs) = (stacked(g, &slab, input), gathered(g, &slab, output_gradient));
            let mut part = buffer(plane.weight_shape());
            conv2d_weight_gradient(&plane, slice(&images), slice(&outputs), part.as_mut_slice());
            let of_channel = slice(&part).chunks_exact(slab.taps.len() * kernel);
            for (to, from) in weight_gradient.chunks_exact_mut(taps * kernel).zip(of_channel) {
                let to = &mut to[slab.taps.start * kernel..slab.taps.end * kernel];
                to.iter_mut().zip(from).for_each(|(to, &x)| *to += x);
            }
        }
    }
}

/// Memory for a part of the work, with any contents.
fn buffer<T: Float>(shape: [usize; 4]) -> Tensor<T> {
    Tensor::written_for("conv3d", shape, |_| {})
}

fn slice<T: Float>(buffer: &Tensor<T>) -> &[T] {
    buffer.as_slice().expect("made contiguous")
}

/// The images of a slab: `[volume, position, channel, tap]` of slices of the input.
fn stacked<T: Float>(g: &Conv3dGeometry, slab: &Slab, input: &[T]) -> Tensor<T> {
    let ([_, channels, size, ..], in_slice) = (g.input_shape(), g.slices()[0]);
    let (positions, taps) = (slab.positions.len(), slab.taps.len());
    let mut images = buffer(slab.plane(g).input_shape());
    let parallel = images.len() >= parallel::PARALLEL_THRESHOLD;
    parallel::for_each_chunk(images.as_mut_slice(), taps * in_slice, parallel, |start, slices| {
        if slices.is_empty() {
            return;
        }
        let image = start / (taps * in_slice);
        let (channel, position) = (image % channels, slab.positions.start + image / channels % positions);
        let volume = slab.volumes.start + image / channels / positions;
        for (tap, to) in slab.taps.clone().zip(slices.chunks_exact_mut(in_slice)) {
            let from = ((volume * channels + channel) * size + g.depth(position, tap)) * in_slice;
            to.copy_from_slice(&input[from..][..in_slice]);
        }
    });
    images
}

/// The output's gradient at the positions of a slab: `[volume, position, channel]` of slices.
fn gathered<T: Float>(g: &Conv3dGeometry, slab: &Slab, gradient: &[T]) -> Tensor<T> {
    let ([_, outs, depths, ..], out_slice) = (g.output_shape(), g.slices()[1]);
    let positions = slab.positions.len();
    let mut outputs = buffer(slab.plane(g).output_shape());
    let parallel = outputs.len() >= parallel::PARALLEL_THRESHOLD;
    parallel::for_each_chunk(outputs.as_mut_slice(), out_slice, parallel, |start, to| {
        let image = start / out_slice;
        let (channel, position) = (image % outs, slab.positions.start + image / outs % positions);
        let volume = slab.volumes.start + image / outs / positions;
        let from = ((volume * outs + channel) * depths + position) * out_slice;
        to.copy_from_slice(&gradient[from..][..out_slice]);
    });
    outputs
}

/// The weight at some of the taps along the depth.
fn kernels<'a, T: Float>(g: &Conv3dGeometry, taps: &Range<usize>, weight: &'a [T]) -> Cow<'a, [T]> {
    let (kernel, all) = (g.slices()[2], g.weight_shape()[2]);
    if taps.len() == all {
        return Cow::Borrowed(weight);
    }
    let some = weight.chunks_exact(all * kernel).flat_map(|of| &of[taps.start * kernel..taps.end * kernel]);
    Cow::Owned(some.copied().collect())
}
