//! A transposing copy of squares in registers.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use crate::array::element::Element;

/// The side of a square of elements of four bytes.
#[cfg(target_arch = "x86_64")]
const SIDE: usize = 8;

/// Copies what squares in registers can take, and returns how many rows and columns that are: element (r, c) from
/// `from[r + c · column]` to `to[r · stride + c]`. None where the CPU has no such registers or the elements have not four bytes.
///
/// # Panics
/// If one of rows · columns elements is outside of either slice.
pub(crate) fn copy_squares<T: Element>(
    from: &[T],
    (start, column): (usize, isize),
    to: &mut [T],
    stride: usize,
    (rows, columns): (usize, usize),
) -> (usize, usize) {
    #[cfg(target_arch = "x86_64")]
    if size_of::<T>() == 4
        && rows >= SIDE
        && columns >= SIDE
        && crate::machine::simd::level() != crate::machine::simd::Level::Baseline
    {
        let across = column.checked_mul(columns as isize - 1).and_then(|last| start.checked_add_signed(last));
        let inside = |at: usize| at.checked_add(rows).is_some_and(|end| end <= from.len());
        assert!(inside(start) && across.is_some_and(inside), "transposing: outside of the source");
        assert!(
            columns <= stride && stride.checked_mul(rows).is_some_and(|end| end <= to.len()),
            "transposing: outside of the target"
        );
        let source = from[start..].as_ptr().cast();
        // SAFETY: the level was found on this CPU; all columns lie between the first and the last, which were checked, the target
        // was, and is borrowed apart. Elements of four bytes are moved as they are, whatever they mean.
        return unsafe { squares(source, column, to.as_mut_ptr().cast(), stride, rows, columns) };
    }
    let _ = (from, start, column, to, stride, rows);
    (0, columns)
}

/// Copies whole squares: element (r, c) from `from + r + c · column` to `to + r · stride + c`, for all r below the largest
/// multiple of [`SIDE`] within `rows` and all c below that within `columns`; returns the two.
///
/// # Safety
/// The CPU must have AVX2; those elements of `from` must be readable, those of `to` writable, and the two apart.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn squares(
    from: *const f32,
    column: isize,
    to: *mut f32,
    stride: usize,
    rows: usize,
    columns: usize,
) -> (usize, usize) {
    let whole = (rows - rows % SIDE, columns - columns % SIDE);
    for c in (0..whole.1).step_by(SIDE) {
        for r in (0..whole.0).step_by(SIDE) {
            // SAFETY: the square lies within the whole ones.
            unsafe {
                square(from.offset(r as isize + c as isize * column), column, to.add(r * stride + c), stride);
            }
        }
    }
    whole
}

/// One square.
///
/// # Safety
/// As for [`squares`] with `SIDE` rows and columns.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn square(from: *const f32, column: isize, to: *mut f32, stride: usize) {
    // SAFETY: the caller guarantees `SIDE` adjacent elements of each column.
    let x: [__m256; SIDE] =
        std::array::from_fn(|c| unsafe { _mm256_loadu_ps(from.offset(c as isize * column)) });
    // Pairs of columns, then fours, each within halves of a register; then the halves.
    let pairs = |a: __m256, b: __m256| (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let ((a0, a2), (b0, b2)) = (pairs(x[0], x[1]), pairs(x[2], x[3]));
    let ((c0, c2), (d0, d2)) = (pairs(x[4], x[5]), pairs(x[6], x[7]));
    let fours = |a: __m256, b: __m256| {
        (_mm256_shuffle_ps::<0b01_00_01_00>(a, b), _mm256_shuffle_ps::<0b11_10_11_10>(a, b))
    };
    let ((l0, l1), (l2, l3)) = (fours(a0, b0), fours(a2, b2));
    let ((h0, h1), (h2, h3)) = (fours(c0, d0), fours(c2, d2));
    for (r, (low, high)) in [(l0, h0), (l1, h1), (l2, h2), (l3, h3)].into_iter().enumerate() {
        let near = _mm256_permute2f128_ps::<0x20>(low, high);
        let far = _mm256_permute2f128_ps::<0x31>(low, high);
        // SAFETY: the caller guarantees `SIDE` rows of `SIDE` writable elements.
        unsafe {
            _mm256_storeu_ps(to.add(r * stride), near);
            _mm256_storeu_ps(to.add((r + SIDE / 2) * stride), far);
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn whole_squares_and_nothing_else() {
        if crate::machine::simd::level() == crate::machine::simd::Level::Baseline {
            return;
        }
        for (rows, columns) in [(8, 8), (16, 24), (13, 9), (7, 20), (20, 7), (0, 8)] {
            // Exactly as long as the elements that may be touched.
            let (column, stride) = (rows + 3, columns + 2);
            let from: Vec<f32> = (0..column * columns).map(|i| i as f32).collect();
            let mut to = vec![-1.0; stride * rows];
            // SAFETY: the level was checked, and both vectors hold all rows and columns.
            let whole =
                unsafe { squares(from.as_ptr(), column as isize, to.as_mut_ptr(), stride, rows, columns) };
            assert_eq!(whole, (rows / 8 * 8, columns / 8 * 8));
            for (i, &x) in to.iter().enumerate() {
                let (r, c) = (i / stride, i % stride);
                let expected = if r < whole.0 && c < whole.1 { from[r + c * column] } else { -1.0 };
                assert_eq!(x, expected, "row {r}, column {c} of {rows} × {columns}");
            }
        }
    }

    #[test]
    fn of_slices_forwards_and_backwards() {
        for (rows, columns) in [(8, 8), (16, 24), (13, 9), (7, 20)] {
            let from: Vec<u32> = (0..(rows * columns) as u32).collect();
            let mut to = vec![u32::MAX; rows * columns];
            for (start, column) in [(0, rows as isize), (rows * (columns - 1), -(rows as isize))] {
                let whole = copy_squares(&from, (start, column), &mut to, columns, (rows, columns));
                for (r, c) in (0..whole.0).flat_map(|r| (0..whole.1).map(move |c| (r, c))) {
                    let expected = from[(start + r).wrapping_add_signed(c as isize * column)];
                    assert_eq!(to[r * columns + c], expected, "row {r}, column {c} of {rows} × {columns}");
                }
            }
        }
    }

    #[test]
    fn not_a_row_or_column_outside() {
        let from = vec![0.0f32; 64];
        for (start, column, stride, rows, columns) in [
            (1, 8, 8, 8, 8),
            (0, 9, 8, 8, 8),
            (0, -8, 8, 8, 8),
            (0, 8, 7, 8, 8),
            (0, isize::MAX, 8, 8, 8),
            (0, 0, 9, 8, 8),
        ] {
            let outside = std::panic::catch_unwind(|| {
                copy_squares(&from, (start, column), &mut [0.0; 64], stride, (rows, columns))
            });
            let has_squares = crate::machine::simd::level() != crate::machine::simd::Level::Baseline;
            assert_eq!(outside.is_err(), has_squares, "from {start} by {column} to rows of {stride}");
        }
    }
}
