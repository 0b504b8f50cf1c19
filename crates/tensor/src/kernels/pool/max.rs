//! Max pooling, and moving values to and from the places of the maxima.

use super::{Pool2dGeometry, geometry::Axis};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::conv::check_len;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// The largest pixel in each window, and its position in its plane (`y · width + x`); of equal ones the first.
///
/// Padding counts as −∞. A NaN is larger than any number, so a window with one gives NaN.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::pool::{max_pool2d, Pool2dGeometry};
///
/// let g = Pool2dGeometry::new([1, 1, 2, 4], [2, 2], [2, 2], [0, 0], [1, 1]).unwrap();
/// let (mut values, mut positions) = ([0.0; 2], [0; 2]);
/// max_pool2d(&g, &[1.0, 2.0, 5.0, 3.0, 9.0, 2.0, 5.0, 4.0], &mut values, &mut positions);
/// assert_eq!((values, positions), ([9.0, 5.0], [4, 2]));
/// ```
#[track_caller]
pub fn max_pool2d<T: Float>(geometry: &Pool2dGeometry, input: &[T], values: &mut [T], positions: &mut [u32]) {
    check_len("max_pool2d: input", input.len(), geometry.input);
    check_len("max_pool2d: values", values.len(), geometry.output);
    check_len("max_pool2d: positions", positions.len(), geometry.output);
    maxima(geometry, input, values, positions);
}

compiled_here! {
    fn maxima<T: Float>(geometry: &Pool2dGeometry, input: &[T], values: &mut [T], positions: &mut [u32]) {
        let [in_plane, out_plane] = geometry.planes();
        if values.is_empty() {
            return;
        }
        let parallel = input.len() >= parallel::PARALLEL_THRESHOLD;
        let planes = super::planes_at_once(in_plane);
        parallel::for_each_chunk_pair(values, positions, [planes * out_plane; 2], parallel, |chunk, values, positions| {
            let outputs = values.chunks_mut(out_plane).zip(positions.chunks_mut(out_plane));
            for (i, (values, positions)) in outputs.enumerate() {
                let input = &input[(chunk * planes + i) * in_plane..][..in_plane];
                dispatch(Max { geometry, input, values, positions });
            }
        });
    }
}

/// `output[o] = source[positions[o]]` in each plane: what max pooling did to the tangent of its input, and the
/// derivative of [`pool_scatter`].
///
/// # Panics
/// If a slice has another length than its shape, or a position lies outside of the plane.
#[track_caller]
pub fn pool_gather<T: Float>(geometry: &Pool2dGeometry, positions: &[u32], source: &[T], output: &mut [T]) {
    check_len("pool_gather: positions", positions.len(), geometry.output);
    check_len("pool_gather: source", source.len(), geometry.input);
    check_len("pool_gather: output", output.len(), geometry.output);
    check_positions("pool_gather", geometry, positions);
    gather(geometry, positions, source, output);
}

compiled_here! {
    fn gather<T: Float>(geometry: &Pool2dGeometry, positions: &[u32], source: &[T], output: &mut [T]) {
        let [in_plane, out_plane] = geometry.planes();
        super::for_each_plane(output, out_plane, in_plane, |i, output| {
            let source = &source[i * in_plane..][..in_plane];
            for (x, &position) in output.iter_mut().zip(&positions[i * out_plane..]) {
                *x = source[position as usize];
            }
        });
    }
}

/// `output[positions[o]] += source[o]` in each plane, from zeros: the gradient of max pooling with respect to its
/// input, and the derivative of [`pool_gather`].
///
/// # Panics
/// If a slice has another length than its shape, or a position lies outside of the plane.
#[track_caller]
pub fn pool_scatter<T: Float>(geometry: &Pool2dGeometry, positions: &[u32], source: &[T], output: &mut [T]) {
    check_len("pool_scatter: positions", positions.len(), geometry.output);
    check_len("pool_scatter: source", source.len(), geometry.output);
    check_len("pool_scatter: output", output.len(), geometry.input);
    check_positions("pool_scatter", geometry, positions);
    scatter(geometry, positions, source, output);
}

compiled_here! {
    fn scatter<T: Float>(geometry: &Pool2dGeometry, positions: &[u32], source: &[T], output: &mut [T]) {
        let [in_plane, out_plane] = geometry.planes();
        super::for_each_plane(output, in_plane, in_plane, |i, output| {
            output.fill(T::ZERO);
            let range = i * out_plane..(i + 1) * out_plane;
            for (&x, &position) in source[range.clone()].iter().zip(&positions[range]) {
                output[position as usize] += x;
            }
        });
    }
}

/// Panics unless every position is one of the plane of an image.
#[track_caller]
fn check_positions(operation: &str, geometry: &Pool2dGeometry, positions: &[u32]) {
    let [pixels, _] = geometry.planes();
    // The largest is found faster than the first that is too large.
    if let Some(&largest) = positions.iter().max().filter(|&&largest| largest as usize >= pixels) {
        let [.., height, width] = geometry.input;
        panic!("{operation}: position {largest} is outside a plane of [{height}, {width}]");
    }
}

/// Max pooling of one plane.
struct Max<'a, T> {
    geometry: &'a Pool2dGeometry,
    input: &'a [T],
    values: &'a mut [T],
    positions: &'a mut [u32],
}

impl<T: Float> Kernel for Max<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { geometry: Pool2dGeometry { axes: [y, x], .. }, input, values, positions } = self;
        let simple = |a: &Axis| {
            (a.kernel, a.stride, a.padding, a.dilation) == (2, 2, 0, 1) && 2 * a.positions <= a.size
        };
        if simple(y) && simple(x) {
            return pairs(input, x, values, positions);
        }
        let rows = values.chunks_exact_mut(x.positions).zip(positions.chunks_exact_mut(x.positions));
        for (row, (values, positions)) in rows.enumerate() {
            windows([y, x], input, row, values, positions);
        }
    }
}

/// Takes a pixel over if it is larger, or NaN.
#[inline(always)]
fn take<T: Float>((best, at): (T, u32), x: T, position: u32) -> (T, u32) {
    let larger = (x > best) | x.is_nan();
    (if larger { x } else { best }, if larger { position } else { at })
}

/// Windows of [`pairs`] that are computed at once.
const BLOCK: usize = 8;

/// A plane of 2 × 2 windows side by side.
///
/// Rows are computed in whole blocks. What a block has too much at the end of a row belongs to the next row, which is
/// computed after it; where there is none, the block is cut to size.
#[inline(always)]
fn pairs<T: Float>(input: &[T], x: &Axis, values: &mut [T], positions: &mut [u32]) {
    for row in 0..values.len() / x.positions {
        for column in (0..x.positions).step_by(BLOCK) {
            let corner = 2 * (row * x.size + column);
            let (upper, lower) = (&input[corner..], &input[corner + x.size..]);
            let (first, width) = (corner as u32, x.size as u32);
            let (values, positions) =
                (&mut values[row * x.positions + column..], &mut positions[row * x.positions + column..]);
            let whole = (upper.first_chunk(), lower.first_chunk());
            if let ((Some(upper), Some(lower)), Some(values), Some(positions)) =
                (whole, values.first_chunk_mut(), positions.first_chunk_mut())
            {
                (*values, *positions) = block(upper, lower, first, width);
            } else {
                let len = BLOCK.min(x.positions - column);
                let (mut upper_part, mut lower_part) = ([T::ZERO; 2 * BLOCK], [T::ZERO; 2 * BLOCK]);
                upper_part[..2 * len].copy_from_slice(&upper[..2 * len]);
                lower_part[..2 * len].copy_from_slice(&lower[..2 * len]);
                let (best, at) = block(&upper_part, &lower_part, first, width);
                values[..len].copy_from_slice(&best[..len]);
                positions[..len].copy_from_slice(&at[..len]);
            }
        }
    }
}

/// Some 2 × 2 windows side by side; `first` is the position of the upper left pixel.
#[inline(always)]
fn block<T: Float>(
    upper: &[T; 2 * BLOCK],
    lower: &[T; 2 * BLOCK],
    first: u32,
    width: u32,
) -> ([T; BLOCK], [u32; BLOCK]) {
    let (mut values, mut positions) = ([T::ZERO; BLOCK], [0; BLOCK]);
    for i in 0..BLOCK {
        // Windows beyond the end of the plane are computed too, so the arithmetic has to be wrapping.
        let corner = first.wrapping_add(2 * i as u32);
        let below = corner.wrapping_add(width);
        let best = take((upper[2 * i], corner), upper[2 * i + 1], corner.wrapping_add(1));
        let best = take(best, lower[2 * i], below);
        (values[i], positions[i]) = take(best, lower[2 * i + 1], below.wrapping_add(1));
    }
    (values, positions)
}

/// One row of any windows: tap by tap, along all positions at once.
#[inline(always)]
fn windows<T: Float>([y, x]: [&Axis; 2], input: &[T], row: usize, values: &mut [T], positions: &mut [u32]) {
    values.fill(T::NEG_INFINITY);
    let first = y.pixel(row, y.taps_at(row).start);
    for (column, position) in positions.iter_mut().enumerate() {
        *position = (first * x.size + x.pixel(column, x.taps_at(column).start)) as u32;
    }
    for ky in y.taps_at(row) {
        let start = y.pixel(row, ky) * x.size;
        for kx in x.taps() {
            let inside = x.inside(kx);
            if inside.is_empty() {
                continue;
            }
            let first = start + x.pixel(inside.start, kx);
            let best = (&mut values[inside.clone()], &mut positions[inside]);
            // With a constant stride the loop is one of registers.
            match x.stride {
                1 => tap::<T, 1>(&input[first..], first as u32, best),
                2 => tap::<T, 2>(&input[first..], first as u32, best),
                stride => any_tap(&input[first..], stride, first as u32, best),
            }
        }
    }
}

/// One tap of a row of windows: the pixels at a distance of `STRIDE` from each other, of which the first has the position `first`.
#[inline(always)]
fn tap<T: Float, const STRIDE: usize>(pixels: &[T], first: u32, (values, positions): (&mut [T], &mut [u32])) {
    // All but the last have as many pixels behind them.
    let whole = values.len() - 1;
    let (steps, _) = pixels.as_chunks::<STRIDE>();
    let best = values.iter_mut().zip(positions.iter_mut()).zip(0u32..);
    for (((value, position), i), step) in best.zip(&steps[..whole]) {
        (*value, *position) = take((*value, *position), step[0], first + i * STRIDE as u32);
    }
    let last = first + (whole * STRIDE) as u32;
    (values[whole], positions[whole]) = take((values[whole], positions[whole]), pixels[whole * STRIDE], last);
}

/// [`tap`] with any stride.
#[inline(always)]
fn any_tap<T: Float>(pixels: &[T], stride: usize, first: u32, (values, positions): (&mut [T], &mut [u32])) {
    let best = values.iter_mut().zip(positions);
    for (i, ((value, position), &pixel)) in best.zip(pixels.iter().step_by(stride)).enumerate() {
        (*value, *position) = take((*value, *position), pixel, first + (i * stride) as u32);
    }
}
