//! The convolution itself.

use super::frame::Frame;
use super::taps::Axis;
use super::wide::{Destination, Wide};
use super::{Conv2dGeometry, check_len, for_each_group};
use crate::array::element::Float;
use crate::array::size;
use crate::compiled_here;
use crate::kernels::gemm::Output;
use crate::loops::spare::Partials;
use crate::machine::simd::{self, Level};

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
    check(geometry, input, weight, bias, output);
    if weight.is_empty() || output.is_empty() {
        // Sums of no terms.
        output.fill(T::ZERO);
        let bias = bias.unwrap_or(&[]).iter().cycle();
        for (plane, &bias) in output.chunks_mut(geometry.planes()[1]).zip(bias) {
            plane.fill(bias);
        }
        return;
    }
    let framed = Framed::of("conv2d", geometry);
    conv2d_at(simd::level(), geometry, &framed, input, weight, bias, output);
}

/// Panics unless the slices have the lengths of their shapes.
#[track_caller]
fn check<T: Float>(g: &Conv2dGeometry, input: &[T], weight: &[T], bias: Option<&[T]>, output: &[T]) {
    check_len("conv2d: input", input.len(), g.input_shape());
    check_len("conv2d: weight", weight.len(), g.weight_shape());
    check_len("conv2d: output", output.len(), g.output_shape());
    if let Some(bias) = bias {
        let channels = g.output_shape()[1];
        assert!(bias.len() == channels, "conv2d: {} biases for {channels} output channels", bias.len());
    }
}

compiled_here! {
    /// [`conv2d`] with the kernels of a level that the CPU has.
    pub(super) fn conv2d_at<T: Float>(
        level: Level,
        g: &Conv2dGeometry,
        framed: &Framed,
        input: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        output: &mut [T],
    ) {
        check(g, input, weight, bias, output);
        let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
        let depth = in_channels * g.taps();
        let axes = Axis::both(g);
        let Framed { frame, distances } = framed;
        let out = Output { start: output.as_mut_ptr(), row: out_plane as isize, column: 1 };
        for_each_group(g, [out_channels, out_plane, depth], |image, group, threaded| {
            let first = image * g.output_shape()[1] + group * out_channels;
            let plane = image * g.input_shape()[1] + group * in_channels;
            let product = Wide {
                weight: &weight[group * out_channels * depth..][..out_channels * depth],
                bias: bias.map(|bias| &bias[group * out_channels..]),
                frame,
                distances,
                positions: axes.map(|axis| axis.positions),
                to: Destination {
                    start: out.shifted((first * out_plane) as isize).start,
                    channels: out_channels,
                    plane: out_plane,
                    row: axes[1].positions,
                    column: 1,
                },
            };
            frame.with_image(&input[plane * in_plane..], |image| {
                // SAFETY: the lengths of the slices were checked against the geometry (`check`), whose sizes and those of
                // the frame were checked when they were made; groups and images write planes of their own; the level
                // comes from detection.
                unsafe { product.run(level, image, threaded) }
            });
        });
    }
}

/// A group of the input as it is read: its frame, and the distances of its taps in the order of the weight.
pub(super) struct Framed {
    pub(super) frame: Frame,
    pub(super) distances: Partials<isize>,
}

impl Framed {
    /// For a weight that has elements.
    ///
    /// # Panics
    /// If what is computed of the frame has too many elements; `operation` names the caller's operation.
    #[track_caller]
    pub(super) fn of(operation: &str, g: &Conv2dGeometry) -> Self {
        let axes = Axis::both(g);
        let [channels, outputs] = g.group_channels();
        let [(height, down), (width, across)] = axes.map(|axis| axis.over_input());
        let frame = Frame::new(operation, channels, [height, width], [&down, &across]);
        size::product(operation, &[outputs, frame.span(axes.map(|axis| axis.positions))]);
        let mut distances = Partials::equal(0, channels * g.taps());
        let taps = (0..channels).flat_map(|channel| down.iter().map(move |&y| (channel, y)));
        for ((channel, y), row) in taps.zip(distances.chunks_exact_mut(across.len())) {
            row.iter_mut().zip(&across).for_each(|(to, &x)| *to = frame.distance(channel, [y, x]));
        }
        Framed { frame, distances }
    }
}
