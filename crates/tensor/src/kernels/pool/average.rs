//! Average pooling.

use super::geometry::Axis;
use super::{Pool2dGeometry, for_each_plane};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::conv::check_len;
use crate::loops::spare::Partials;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// What the sum of each window is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divisor {
    /// The number of its taps within the padded image: the padding counts as zeros. PyTorch's default,
    /// `count_include_pad = True`.
    Taps,
    /// The number of pixels that it holds.
    Pixels,
    /// The same number for each window: PyTorch's `divisor_override`.
    Fixed(usize),
}

impl From<bool> for Divisor {
    /// Whether the padding counts.
    fn from(count_padding: bool) -> Self {
        if count_padding { Divisor::Taps } else { Divisor::Pixels }
    }
}

impl From<usize> for Divisor {
    /// That number.
    fn from(number: usize) -> Self {
        Divisor::Fixed(number)
    }
}

/// The sum of each window, divided as `divisor` says.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::pool::{avg_pool2d, Divisor, Pool2dGeometry};
///
/// let g = Pool2dGeometry::new([1, 1, 1, 3], [1, 2], [1, 2], [0, 1], [1, 1]).unwrap();
/// let mut output = [0.0; 2];
/// avg_pool2d(&g, Divisor::Taps, &[4.0, 1.0, 3.0], &mut output);
/// assert_eq!(output, [2.0, 2.0]);
/// avg_pool2d(&g, Divisor::Pixels, &[4.0, 1.0, 3.0], &mut output);
/// assert_eq!(output, [4.0, 2.0]);
/// ```
#[track_caller]
pub fn avg_pool2d<T: Float>(geometry: &Pool2dGeometry, divisor: Divisor, input: &[T], output: &mut [T]) {
    check_len("avg_pool2d: input", input.len(), geometry.input);
    check_len("avg_pool2d: output", output.len(), geometry.output);
    means(geometry, divisor, input, output);
}

compiled_here! {
    fn means<T: Float>(geometry: &Pool2dGeometry, divisor: Divisor, input: &[T], output: &mut [T]) {
        let [in_plane, out_plane] = geometry.planes();
        if output.is_empty() {
            return;
        }
        let divisors = &Divisors::new(geometry, divisor);
        for_each_plane(output, out_plane, in_plane, |i, output| {
            dispatch(Mean { geometry, divisors, input: &input[i * in_plane..][..in_plane], output });
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
    divisor: Divisor,
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("avg_pool2d_gradient: output gradient", output_gradient.len(), geometry.output);
    check_len("avg_pool2d_gradient: input gradient", input_gradient.len(), geometry.input);
    spread(geometry, divisor, output_gradient, input_gradient);
}

compiled_here! {
    fn spread<T: Float>(
        geometry: &Pool2dGeometry,
        divisor: Divisor,
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        let [in_plane, out_plane] = geometry.planes();
        if output_gradient.is_empty() {
            return input_gradient.fill(T::ZERO);
        }
        let divisors = &Divisors::new(geometry, divisor);
        for_each_plane(input_gradient, in_plane, in_plane, |i, gradient| {
            let output = &output_gradient[i * out_plane..][..out_plane];
            dispatch(Spread { geometry, divisors, output, gradient });
        });
    }
}

/// By how much the sum of the window at (row, column) is divided: the product of two factors.
struct Divisors<T> {
    rows: Vec<T>,
    columns: Vec<T>,
}

impl<T: Float> Divisors<T> {
    fn new(g: &Pool2dGeometry, divisor: Divisor) -> Self {
        let of = |axis: &Axis, fixed: usize| {
            let count = |position: usize| match divisor {
                Divisor::Taps => axis.counted(position),
                Divisor::Pixels => axis.taps_at(position).len(),
                Divisor::Fixed(_) => fixed,
            };
            (0..axis.positions).map(|position| T::from_usize(count(position))).collect()
        };
        let [y, x] = &g.axes;
        let fixed = if let Divisor::Fixed(number) = divisor { number } else { 1 };
        Divisors { rows: of(y, fixed), columns: of(x, 1) }
    }
}

/// Average pooling of one plane.
struct Mean<'a, T> {
    geometry: &'a Pool2dGeometry,
    divisors: &'a Divisors<T>,
    input: &'a [T],
    output: &'a mut [T],
}

impl<T: Float> Kernel for Mean<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let [y, x] = &self.geometry.axes;
        // Of all pixels of a row first: those of a window's rows lie in memory as the row's do.
        let mut columns = Partials::equal(T::ZERO, x.size);
        for (row, output) in self.output.chunks_exact_mut(x.positions).enumerate() {
            columns.fill(T::ZERO);
            for ky in y.taps_at(row) {
                let pixels = &self.input[y.pixel(row, ky) * x.size..][..x.size];
                columns.iter_mut().zip(pixels).for_each(|(sum, &pixel)| *sum += pixel);
            }
            output.fill(T::ZERO);
            for kx in x.taps() {
                let inside = x.inside(kx);
                if inside.is_empty() {
                    continue;
                }
                let pixels = &columns[x.pixel(inside.start, kx)..];
                let sums = output[inside].iter_mut();
                if x.stride == 1 {
                    sums.zip(pixels).for_each(|(sum, &pixel)| *sum += pixel);
                } else {
                    sums.zip(pixels.iter().step_by(x.stride)).for_each(|(sum, &pixel)| *sum += pixel);
                }
            }
            let of_row = self.divisors.rows[row];
            output.iter_mut().zip(&self.divisors.columns).for_each(|(sum, &n)| *sum /= of_row * n);
        }
    }
}

/// The gradient of average pooling of one plane.
struct Spread<'a, T> {
    geometry: &'a Pool2dGeometry,
    divisors: &'a Divisors<T>,
    output: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Float> Kernel for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let [y, x] = &self.geometry.axes;
        self.gradient.fill(T::ZERO);
        // What each pixel of a row receives of one row of windows, and each of their rows alike.
        let mut columns = Partials::equal(T::ZERO, x.size);
        for (row, output) in self.output.chunks_exact(x.positions).enumerate() {
            let of_row = self.divisors.rows[row];
            columns.fill(T::ZERO);
            for kx in x.taps() {
                let inside = x.inside(kx);
                if inside.is_empty() {
                    continue;
                }
                let pixels = &mut columns[x.pixel(inside.start, kx)..];
                let terms = output[inside.clone()].iter().zip(&self.divisors.columns[inside]);
                for (pixel, (&out, &n)) in pixels.iter_mut().step_by(x.stride).zip(terms) {
                    *pixel += out / (of_row * n);
                }
            }
            for ky in y.taps_at(row) {
                let pixels = &mut self.gradient[y.pixel(row, ky) * x.size..][..x.size];
                pixels.iter_mut().zip(columns.iter()).for_each(|(pixel, &term)| *pixel += term);
            }
        }
    }
}
