//! The gradient of the convolution with respect to its input.

use super::frame::{Frame, Tap};
use super::taps::Axis;
use super::wide::{Destination, Wide};
use super::{Conv2dGeometry, check_len, for_each_group};
use crate::compiled_here;
use crate::element::Float;
use crate::gemm::{Output, Slot, with_scratch};
use crate::simd::{self, Level};

/// The gradient of [`conv2d`](super::conv2d) with respect to its input: for every pixel the sum over the taps that met it of the
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
    check(geometry, weight, output_gradient, input_gradient);
    input_gradient_at(simd::level(), geometry, weight, output_gradient, input_gradient);
}

/// Panics unless the slices have the lengths of their shapes.
#[track_caller]
fn check<T: Float>(g: &Conv2dGeometry, weight: &[T], output_gradient: &[T], input_gradient: &[T]) {
    check_len("conv2d_input_gradient: weight", weight.len(), g.weight_shape());
    check_len("conv2d_input_gradient: output gradient", output_gradient.len(), g.output_shape());
    check_len("conv2d_input_gradient: input gradient", input_gradient.len(), g.input_shape());
}

compiled_here! {
    /// [`conv2d_input_gradient`] with the kernels of a level that the CPU has.
    pub(super) fn input_gradient_at<T: Float>(
        level: Level,
        g: &Conv2dGeometry,
        weight: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        check(g, weight, output_gradient, input_gradient);
        let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
        let axes = Axis::both(g);
        let phases = phases(axes);
        let frame = frame(out_channels, axes, &phases);
        let distances: Vec<Vec<isize>> =
            phases.iter().map(|phase| phase.distances(&frame, out_channels)).collect();
        let out = Output { start: input_gradient.as_mut_ptr(), row: in_plane as isize, column: 1 };
        with_scratch(Slot::Operation, weight.len(), |turned: *mut T| {
            // SAFETY: the buffer has room for the weight, and holds initialised numbers.
            let turned = unsafe { std::slice::from_raw_parts_mut(turned, weight.len()) };
            let mut starts = Vec::with_capacity(phases.len());
            let mut start = 0;
            for phase in &phases {
                starts.push(start);
                start += phase.turn(g, weight, &mut turned[start..]);
            }
            let turned = &*turned;
            let product = [in_channels, out_plane, out_channels * g.taps()];
            for_each_group(g, product, |image, group, threaded| {
                let first = image * g.input_shape()[1] + group * in_channels;
                let plane = image * g.output_shape()[1] + group * out_channels;
                frame.with_image(&output_gradient[plane * out_plane..], |image| {
                    for ((phase, distances), start) in phases.iter().zip(&distances).zip(&starts) {
                        let size = in_channels * distances.len();
                        let corner = first * in_plane + phase.start[0] * axes[1].size + phase.start[1];
                        let product = Wide {
                            weight: &turned[start + group * size..][..size],
                            bias: None,
                            frame: &frame,
                            distances,
                            positions: phase.pixels,
                            to: Destination {
                                start: out.shifted(corner as isize).start,
                                channels: in_channels,
                                plane: in_plane,
                                row: axes[0].stride * axes[1].size,
                                column: axes[1].stride,
                            },
                        };
                        // SAFETY: as in `conv2d_at`, with the roles of input and output exchanged; the pixels of the phases
                        // are distinct.
                        unsafe { product.run(level, image, threaded) };
                    }
                });
            });
        });
    }
}

/// Every `stride`-th pixel of the input from `start` on, which all met the same taps.
struct Phase {
    start: [usize; 2],
    /// How many pixels there are.
    pixels: [usize; 2],
    /// The taps along each axis, with their places in the kernel.
    taps: [Vec<(usize, Tap)>; 2],
}

fn phases(axes: [Axis; 2]) -> Vec<Phase> {
    let starts = (0..axes[0].stride.min(axes[0].size))
        .flat_map(|y| (0..axes[1].stride.min(axes[1].size)).map(move |x| [y, x]));
    starts
        .map(|start| Phase {
            start,
            pixels: [0, 1].map(|i| axes[i].pixels_from(start[i])),
            taps: [0, 1].map(|i| axes[i].over_output(start[i])),
        })
        .collect()
}

/// A frame of the output's gradient that serves all phases.
fn frame(channels: usize, axes: [Axis; 2], phases: &[Phase]) -> Frame {
    let taps = [0, 1].map(|i| {
        let taps = phases.iter().flat_map(|phase| &phase.taps[i]);
        taps.map(|&(_, tap)| tap).collect::<Vec<_>>()
    });
    let most = axes.map(|axis| axis.pixels_from(0));
    Frame::new(channels, axes.map(|axis| axis.positions), [1, 1], most, [&taps[0], &taps[1]])
}

impl Phase {
    fn distances(&self, frame: &Frame, channels: usize) -> Vec<isize> {
        let mut distances = Vec::with_capacity(channels * self.taps[0].len() * self.taps[1].len());
        for channel in 0..channels {
            for &(_, y) in &self.taps[0] {
                distances.extend(self.taps[1].iter().map(|&(_, x)| frame.distance(channel, [y, x])));
            }
        }
        distances
    }

    /// Writes the weights of the phase's taps, `[group, out, in, tap]`, as `[group, in, out, tap]`; returns how many.
    fn turn<T: Float>(&self, g: &Conv2dGeometry, weight: &[T], to: &mut [T]) -> usize {
        let ([ins, outs], [_, _, height, width]) = (g.group_channels(), g.weight_shape());
        let mut done = 0;
        for group in 0..g.options().groups {
            for (c, o) in (0..ins).flat_map(|c| (0..outs).map(move |o| (c, o))) {
                let kernel = &weight[((group * outs + o) * ins + c) * height * width..];
                for &(y, _) in &self.taps[0] {
                    for &(x, _) in &self.taps[1] {
                        to[done] = kernel[y * width + x];
                        done += 1;
                    }
                }
            }
        }
        done
    }
}
