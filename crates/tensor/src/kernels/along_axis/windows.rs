//! Windows of an axis.

use super::AxisMap;

impl AxisMap {
    /// The taps of a window one behind the other, each at all its positions: row `tap · positions + position` is the
    /// element that the tap meets there, or 0 where it meets none. With `[size, positions, kernel, stride, padding, dilation]`:
    /// or any numbers.
    ///
    /// # Panics
    /// If kernel and positions have too large a product.
    #[track_caller]
    pub fn patches([size, positions, kernel, stride, padding, dilation]: [usize; 6]) -> Self {
        let rows = crate::array::size::product("patches", &[kernel, positions]);
        AxisMap::from_rows(size, rows, |row| {
            let (tap, position) = (row / positions, row % positions);
            let at = (position as u128 * stride as u128).checked_add(tap as u128 * dilation as u128);
            let at = at.and_then(|at| at.checked_sub(padding as u128)).filter(|&at| at < size as u128);
            at.map(|at| (at as usize, 1.0))
        })
    }

    /// The mean of each of `outputs` windows that cover the axis evenly: [`adaptive_window`].
    pub fn adaptive_mean(positions: usize, outputs: usize) -> Self {
        AxisMap::from_rows(positions, outputs, |output| {
            let window = adaptive_window(positions, outputs, output);
            let weight = 1.0 / window.len() as f64;
            window.map(move |at| (at, weight))
        })
    }
}

/// The elements from ⌊i·n/outputs⌋ to ⌈(i + 1)·n/outputs⌉, as in PyTorch: of adaptive pooling.
pub fn adaptive_window(positions: usize, outputs: usize, i: usize) -> std::ops::Range<usize> {
    let (n, outputs, i) = (positions as u128, outputs as u128, i as u128);
    (i * n / outputs) as usize..((i + 1) * n).div_ceil(outputs) as usize
}
