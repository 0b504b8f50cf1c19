//! The gradient of the convolution with respect to its input.

use smallvec::SmallVec;

use super::frame::Frame;
use super::taps::{Axis, AxisPhase, Taps};
use super::wide::{Destination, Wide};
use super::{Conv2dGeometry, check_len, for_each_group};
use crate::array::element::Float;
use crate::array::size;
use crate::compiled_here;
use crate::kernels::gemm::Output;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::loops::spare::Partials;
use crate::machine::simd::{self, Level};

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
    if [weight, output_gradient, input_gradient].iter().any(|x| x.is_empty()) {
        return input_gradient.fill(T::ZERO);
    }
    let phases = Phases::of("conv2d_input_gradient", geometry);
    input_gradient_at(simd::level(), geometry, &phases, weight, output_gradient, input_gradient);
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
        framed: &Phases,
        weight: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        check(g, weight, output_gradient, input_gradient);
        let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
        let (axes, Phases { frame, phases, complete }) = (Axis::both(g), framed);
        if !complete {
            input_gradient.fill(T::ZERO);
        }
        let out = Output { start: input_gradient.as_mut_ptr(), row: in_plane as isize, column: 1 };
        with_scratch(Slot::Operation, weight.len(), |turned: *mut T| {
            // SAFETY: the buffer has room for the weight, a slice, and holds initialised numbers.
            let turned = unsafe { std::slice::from_raw_parts_mut(turned, weight.len()) };
            let mut starts: SmallVec<[usize; 4]> = SmallVec::new();
            let mut start = 0;
            for phase in phases {
                starts.push(start);
                start += phase.turn(g, weight, &mut turned[start..]);
            }
            let turned = &*turned;
            let product = [in_channels, out_plane, out_channels * g.taps()];
            for_each_group(g, product, |image, group, threaded| {
                let first = image * g.input_shape()[1] + group * in_channels;
                let plane = image * g.output_shape()[1] + group * out_channels;
                frame.with_image(&output_gradient[plane * out_plane..], |image| {
                    for (phase, start) in phases.iter().zip(&starts) {
                        let size = in_channels * phase.distances.len();
                        let [y, x] = &phase.axes;
                        let corner = first * in_plane + y.start * axes[1].size + x.start;
                        let product = Wide {
                            weight: &turned[start + group * size..][..size],
                            bias: None,
                            frame,
                            distances: &phase.distances,
                            positions: [y.pixels, x.pixels],
                            to: Destination {
                                start: out.shifted(corner as isize).start,
                                channels: in_channels,
                                plane: in_plane,
                                row: axes[0].step() * axes[1].size,
                                column: axes[1].step(),
                            },
                        };
                        // SAFETY: as in `conv2d_at`, with the roles of input and output exchanged (the frame and its span
                        // were checked by `Phases::of`); the pixels of the phases are distinct.
                        unsafe { product.run(level, image, threaded) };
                    }
                });
            });
        });
    }
}

/// The pixels of the input by the taps that they met.
pub(super) struct Phases {
    /// Of the output's gradient, for all phases.
    frame: Frame,
    phases: SmallVec<[Phase; 1]>,
    /// Whether every pixel is in one; the gradient of the others is 0.
    complete: bool,
}

/// Every `stride`-th pixel of the input along each axis, which all met the same taps.
struct Phase {
    axes: [AxisPhase; 2],
    /// The distance of each term's tap, of all channels of the output.
    distances: Partials<isize>,
}

impl Phases {
    /// For a weight and images that have elements.
    ///
    /// # Panics
    /// If what is computed of the frame has too many elements; `operation` names the caller's operation.
    #[track_caller]
    pub(super) fn of(operation: &str, g: &Conv2dGeometry) -> Self {
        let (axes, [inputs, channels]) = (Axis::both(g), g.group_channels());
        let [down, across] = axes.map(|axis| axis.over_output());
        let taps = [&down, &across]
            .map(|phases| phases.iter().flat_map(|phase| &phase.taps).map(|&(_, tap)| tap).collect::<Taps>());
        let sides = axes.map(|axis| axis.output_side());
        let most = sides.each_ref().map(|side| side.positions);
        let frame = Frame::new(operation, channels, sides, [&taps[0], &taps[1]]);
        size::product(operation, &[inputs, frame.span(most)]);
        let complete =
            [(&down, axes[0]), (&across, axes[1])].iter().all(|(met, axis)| met.len() == axis.step());
        let pairs = down.iter().flat_map(|y| across.iter().map(move |x| [y.clone(), x.clone()]));
        let phases = pairs.map(|axes| Phase::new(axes, &frame, channels)).collect();
        Phases { frame, phases, complete }
    }
}

impl Phase {
    fn new(axes: [AxisPhase; 2], frame: &Frame, channels: usize) -> Self {
        let [down, across] = &axes;
        let mut distances = Partials::equal(0, channels * down.taps.len() * across.taps.len());
        let taps = (0..channels).flat_map(|channel| down.taps.iter().map(move |&(_, y)| (channel, y)));
        for ((channel, y), row) in taps.zip(distances.chunks_exact_mut(across.taps.len())) {
            row.iter_mut().zip(&across.taps).for_each(|(to, &(_, x))| *to = frame.distance(channel, [y, x]));
        }
        Phase { axes, distances }
    }

    /// Writes the weights of the phase's taps, `[group, out, in, tap]`, as `[group, in, out, tap]`; returns how many.
    fn turn<T: Float>(&self, g: &Conv2dGeometry, weight: &[T], to: &mut [T]) -> usize {
        let ([ins, outs], [_, _, height, width]) = (g.group_channels(), g.weight_shape());
        let mut done = 0;
        for group in 0..g.options().groups {
            for (c, o) in (0..ins).flat_map(|c| (0..outs).map(move |o| (c, o))) {
                let kernel = &weight[((group * outs + o) * ins + c) * height * width..];
                for &(y, _) in &self.axes[0].taps {
                    for &(x, _) in &self.axes[1].taps {
                        to[done] = kernel[y * width + x];
                        done += 1;
                    }
                }
            }
        }
        done
    }
}
