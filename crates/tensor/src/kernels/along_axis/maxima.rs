//! The largest element of each window of an axis.

use std::ops::Range;

use super::apply::check;
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::parallel;

/// The positions along the axis of the largest elements in each of the windows, of an array `[…, length, inner…]` with
/// `inner` elements for each position; `positions` is `[…, windows, inner…]`. Of equal ones the first; a NaN is larger than
/// any number.
///
/// # Panics
/// If a window is empty or leaves the axis, or the lengths of the slices do not fit.
///
/// ```
/// let mut positions = [9; 2];
/// wengert_tensor::axis_map::axis_maxima(&[0..2, 1..3], 3, 1, &[1.0, 5.0, 7.0], &mut positions);
/// assert_eq!(positions, [1, 2]);
/// ```
#[track_caller]
pub fn axis_maxima<T: Float>(
    windows: &[Range<usize>],
    length: usize,
    inner: usize,
    input: &[T],
    positions: &mut [u32],
) {
    check("axis_maxima", [length, windows.len()], inner, [input.len(), positions.len()]);
    crate::array::size::check_positions("axis_maxima", length);
    if let Some(window) = windows.iter().find(|window| window.is_empty() || window.end > length) {
        panic!("axis_maxima: the window {window:?} of an axis of {length} elements");
    }
    maxima(windows, length, inner, input, positions);
}

compiled_here! {
    fn maxima<T: Float>(windows: &[Range<usize>], length: usize, inner: usize, input: &[T], positions: &mut [u32]) {
        if positions.is_empty() {
            return;
        }
        let parallel = input.len() >= parallel::PARALLEL_THRESHOLD;
        let at_once = parallel::CHUNK.div_ceil(inner) * inner;
        parallel::for_each_chunk(positions, at_once, parallel, |start, positions| {
            for (i, positions) in positions.chunks_exact_mut(inner).enumerate() {
                let row = start / inner + i;
                let block = &input[row / windows.len() * length * inner..][..length * inner];
                let window = windows[row % windows.len()].clone();
                positions.fill(window.start as u32);
                for at in window.skip(1) {
                    for (column, position) in positions.iter_mut().enumerate() {
                        let (x, best) = (block[at * inner + column], block[*position as usize * inner + column]);
                        if x > best || x.is_nan() {
                            *position = at as u32;
                        }
                    }
                }
            }
        });
    }
}
