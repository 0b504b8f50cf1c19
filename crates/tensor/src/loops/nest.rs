//! Walking several strided operands of one shape together, row by row.

use std::ops::Range;

use smallvec::SmallVec;

use crate::array::layout::Layout;

/// One axis of the walk: its length, and each operand's stride.
type Level<const N: usize> = (usize, [isize; N]);

/// A walk over `N` operands of the same shape as a nest of loops with as few levels as possible: axes of length 1
/// are dropped, and neighbouring axes are merged where every operand allows it.
pub(crate) struct Nest<const N: usize> {
    outer: SmallVec<[Level<N>; 4]>,
    start: [usize; N],
    /// The number of rows: the product of all lengths but the innermost.
    pub(crate) rows: usize,
    /// The length of a row.
    pub(crate) row_length: usize,
    /// Each operand's stride along a row.
    pub(crate) row_strides: [isize; N],
}

impl<const N: usize> Nest<N> {
    /// The layouts must have the same shape.
    pub(crate) fn new(layouts: [&Layout; N]) -> Self {
        let shape = &layouts[0].shape;
        let mut levels: SmallVec<[Level<N>; 4]> = SmallVec::new();
        for (axis, &length) in shape.iter().enumerate() {
            let strides: [isize; N] = std::array::from_fn(|k| layouts[k].strides[axis]);
            if length == 1 {
                continue;
            }
            match levels.last_mut() {
                Some((n, s)) if (0..N).all(|k| s[k] == strides[k] * length as isize) => {
                    *n *= length;
                    *s = strides;
                }
                _ => levels.push((length, strides)),
            }
        }
        // A single element is a row of one whose strides do not matter; 1 takes the contiguous path.
        let (row_length, row_strides) = levels.pop().unwrap_or((1, [1; N]));
        Nest {
            rows: levels.iter().map(|l| l.0).product(),
            outer: levels,
            start: std::array::from_fn(|k| layouts[k].offset),
            row_length,
            row_strides,
        }
    }

    /// Where each operand's row number `row` starts.
    pub(crate) fn row_start(&self, mut row: usize) -> [usize; N] {
        let mut at = self.start;
        for (length, strides) in self.outer.iter().rev() {
            let i = (row % length) as isize;
            row /= length;
            for k in 0..N {
                at[k] = at[k].wrapping_add_signed(i * strides[k]);
            }
        }
        at
    }

    /// Calls `visit(row, starts)` for each row of `range`, in order.
    #[inline(always)]
    pub(crate) fn for_rows(&self, range: Range<usize>, mut visit: impl FnMut(usize, [usize; N])) {
        self.for_runs(range, |row, count, mut at, steps| {
            for row in row..row + count {
                visit(row, at);
                for k in 0..N {
                    at[k] = at[k].wrapping_add_signed(steps[k]);
                }
            }
        });
    }

    /// Calls `visit(row, count, starts, steps)` for each run of rows of `range`, in order: `count` rows from this one on, each of
    /// which starts by `steps` behind the one before.
    #[inline(always)]
    pub(crate) fn for_runs(
        &self,
        mut range: Range<usize>,
        mut visit: impl FnMut(usize, usize, [usize; N], [isize; N]),
    ) {
        if range.is_empty() {
            return;
        }
        let Some((&(length, steps), outer)) = self.outer.split_last() else {
            return visit(range.start, 1, self.start, [0; N]);
        };
        let mut index: SmallVec<[usize; 4]> = SmallVec::new();
        let mut rest = range.start / length;
        for (length, _) in outer.iter().rev() {
            index.push(rest % length);
            rest /= length;
        }
        // Where the run's first row starts, which is within `range` but for the first run.
        let mut at = self.row_start(range.start - range.start % length);
        while !range.is_empty() {
            let skipped = range.start % length;
            let count = (length - skipped).min(range.len());
            let mut first = at;
            for k in 0..N {
                first[k] = first[k].wrapping_add_signed(skipped as isize * steps[k]);
            }
            visit(range.start, count, first, steps);
            range.start += count;
            // Count up, innermost first: `index` is in that order.
            for (i, (length, strides)) in index.iter_mut().zip(outer.iter().rev()) {
                *i += 1;
                let back = if *i == *length { *length as isize - 1 } else { -1 };
                for k in 0..N {
                    at[k] = at[k].wrapping_add_signed(-back * strides[k]);
                }
                if *i < *length {
                    break;
                }
                *i = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_and_visits_in_order() {
        let dense = Layout::contiguous([2, 3, 4].into());
        assert_eq!((Nest::new([&dense]).rows, Nest::new([&dense]).row_length), (1, 24));
        let t = dense.permute(&[1, 0, 2]);
        let nest = Nest::new([&t, &Layout::contiguous([3, 2, 4].into())]);
        assert_eq!((nest.rows, nest.row_length), (6, 4));
        let mut seen = vec![];
        nest.for_rows(1..6, |row, at| {
            assert_eq!(at, nest.row_start(row));
            seen.push(at[0]);
        });
        assert_eq!(seen, [12, 4, 16, 8, 20]);
        assert_eq!(Nest::new([&Layout::contiguous([2, 0].into())]).row_length, 0);
    }
}
