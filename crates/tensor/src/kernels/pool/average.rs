//! Average pooling.

use super::{Pool2dGeometry, for_each_plane};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::conv::check_len;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// The mean of each window.
///
/// With `count_padding` the padding counts as zeros, so every sum is divided by the number of taps (PyTorch's default,
/// `count_include_pad`); else by the number of pixels that the window holds.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::pool::{avg_pool2d, Pool2dGeometry};
///
/// let g = Pool2dGeometry::new([1, 1, 1, 3], [1, 2], [1, 2], [0, 1], [1, 1]).unwrap();
/// let mut output = [0.0; 2];
/// avg_pool2d(&g, true, &[4.0, 1.0, 3.0], &mut output);
/// assert_eq!(output, [2.0, 2.0]);
/// avg_pool2d(&g, false, &[4.0, 1.0, 3.0], &mut output);
/// assert_eq!(output, [4.0, 2.0]);
/// ```
#[track_caller]
pub fn avg_pool2d<T: Float>(geometry: &Pool2dGeometry, count_padding: bool, input: &[T], output: &mut [T]) {
    check_len("avg_pool2d: input", input.len(), geometry.input);
    check_len("avg_pool2d: output", output.len(), geometry.output);
    means(geometry, count_padding, input, output);
}

compiled_here! {
    fn means<T: Float>(geometry: &Pool2dGeometry, count_padding: bool, input: &[T], output: &mut [T]) {
        let [in_plane, out_plane] = geometry.planes();
        for_each_plane(output, out_plane, in_plane, |i, output| {
            dispatch(Mean { geometry, count_padding, input: &input[i * in_plane..][..in_plane], output });
        });
    }
}

/// The gradient of [`avg_pool2d`] with respect to its input: every pixel receives the gradients of its windows,
/// divided as the windows were.
///
/// # Panics
/// If a slice has another length than its shape.
#[track_caller]
pub fn avg_pool2d_gradient<T: Float>(
    geometry: &Pool2dGeometry,
    count_padding: bool,
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("avg_pool2d_gradient: output gradient", output_gradient.len(), geometry.output);
    check_len("avg_pool2d_gradient: input gradient", input_gradient.len(), geometry.input);
    spread(geometry, count_padding, output_gradient, input_gradient);
}

compiled_here! {
    fn spread<T: Float>(
        geometry: &Pool2dGeometry,
        count_padding: bool,
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        let [in_plane, out_plane] = geometry.planes();
        for_each_plane(input_gradient, in_plane, in_plane, |i, gradient| {
            let output = &output_gradient[i * out_plane..][..out_plane];
            dispatch(Spread { geometry, count_padding, output, gradient });
        });
    }
}

/// By how much the sum of the window at (row, column) is divided.
#[inline(always)]
fn divisor<T: Float>(g: &Pool2dGeometry, count_padding: bool, row: usize, column: usize) -> T {
    let [y, x] = &g.axes;
    if count_padding {
        // Windows may have more taps than a number of `usize` counts.
        T::from_usize(y.kernel) * T::from_usize(x.kernel)
    } else {
        T::from_usize(y.taps_at(row).len() * x.taps_at(column).len())
    }
}

/// Average pooling of one plane.
struct Mean<'a, T> {
    geometry: &'a Pool2dGeometry,
    count_padding: bool,
    input: &'a [T],
    output: &'a mut [T],
}

impl<T: Float> Kernel for Mean<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let [y, x] = &self.geometry.axes;
        for (row, output) in self.output.chunks_exact_mut(x.positions).enumerate() {
            output.fill(T::ZERO);
            for ky in y.taps_at(row) {
                for kx in x.taps() {
                    let inside = x.inside(kx);
                    if inside.is_empty() {
                        continue;
                    }
                    let first = y.pixel(row, ky) * x.size + x.pixel(inside.start, kx);
                    let pixels = self.input[first..].iter().step_by(x.stride);
                    output[inside].iter_mut().zip(pixels).for_each(|(sum, &pixel)| *sum += pixel);
                }
            }
            for (column, sum) in output.iter_mut().enumerate() {
                *sum /= divisor(self.geometry, self.count_padding, row, column);
            }
        }
    }
}

/// The gradient of average pooling of one plane.
struct Spread<'a, T> {
    geometry: &'a Pool2dGeometry,
    count_padding: bool,
    output: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Float> Kernel for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let [y, x] = &self.geometry.axes;
        self.gradient.fill(T::ZERO);
        for (row, output) in self.output.chunks_exact(x.positions).enumerate() {
            for ky in y.taps_at(row) {
                for kx in x.taps() {
                    let inside = x.inside(kx);
                    if inside.is_empty() {
                        continue;
                    }
                    let first = y.pixel(row, ky) * x.size + x.pixel(inside.start, kx);
                    let pixels = self.gradient[first..].iter_mut().step_by(x.stride);
                    for ((pixel, &out), column) in pixels.zip(&output[inside.clone()]).zip(inside) {
                        *pixel += out / divisor(self.geometry, self.count_padding, row, column);
                    }
                }
            }
        }
    }
}
