//! Reductions over any axes, pairwise, so that rounding errors grow with the logarithm of the count.

use smallvec::SmallVec;

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::{Axes, Shape};
use crate::array::tensor::Tensor;
use crate::loops::nest::Nest;
use crate::loops::short_rows::FoldShortRows;
use crate::loops::spare::Partials;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Elements from which on a sum of all of them, or of tall columns, is one of chunks' sums, whatever the number of threads.
const SPLIT: usize = 1 << 16;

/// A reduction: how to take in an element, how to join two partial results, how to finish.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_tensor::loops::Fold;
/// use wengert_tensor::simd::Isa;
/// /// How many elements are positive.
/// struct Positive;
/// impl Fold<f64> for Positive {
///     type Partial = u32;
///     type Output = u32;
///     fn identity(&self) -> u32 { 0 }
///     #[inline(always)]
///     fn step<I: Isa>(&self, count: u32, x: f64) -> u32 { count + u32::from(x > 0.0) }
///     fn merge(&self, a: u32, b: u32) -> u32 { a + b }
///     fn finish(&self, count: u32, _: usize) -> u32 { count }
/// }
/// let x = Tensor::from([[1.0, -2.0], [3.0, 4.0]]);
/// assert_eq!(x.fold("positive", 1, false, Positive).to_vec(), [1, 2]);
/// ```
pub trait Fold<T>: Sync {
    /// A partial result.
    type Partial: Copy + Send + Sync + 'static;
    /// The type of the result.
    type Output: Element;
    /// The partial result of no elements.
    fn identity(&self) -> Self::Partial;
    /// Takes in one element.
    fn step<I: Isa>(&self, partial: Self::Partial, x: T) -> Self::Partial;
    /// The partial result of consecutive elements: by default [`step`](Fold::step) by step into independent ones, which are
    /// merged in pairs. What can do the same faster must give the same bits.
    #[inline(always)]
    fn block<I: Isa>(&self, x: &[T]) -> Self::Partial
    where
        T: Copy,
    {
        block_by_steps::<I, T, Self>(self, x)
    }
    /// Joins two partial results.
    fn merge(&self, a: Self::Partial, b: Self::Partial) -> Self::Partial;
    /// The result for `count` elements.
    fn finish(&self, partial: Self::Partial, count: usize) -> Self::Output;
}

/// Independent partial results along a row, so that the compiler can use vector registers.
pub(crate) const LANES: usize = 32;
/// Elements that are folded one after the other into [`LANES`] partial results before pairs are formed.
const BLOCK: usize = 4096;
/// Rows that are folded one after the other when whole rows are added up.
const ROW_BLOCK: usize = 64;
/// Columns that are worked on at once when whole rows are added up.
const STRIP: usize = 256;

impl<T: Element> Tensor<T> {
    /// Reduces over `axes`; they stay with length 1 if `keepdim`, and go away otherwise.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice; `operation` names the operation in the message.
    #[track_caller]
    pub fn fold<F: Fold<T>>(
        &self,
        operation: &str,
        axes: impl Into<Axes>,
        keepdim: bool,
        fold: F,
    ) -> Tensor<F::Output> {
        self.fold_masked(&axes.into().mask(operation, self.shape()), keepdim, fold)
    }

    /// [`fold`](Tensor::fold) over the axes of `mask`.
    #[track_caller]
    pub(crate) fn fold_masked<F: Fold<T>>(&self, mask: &[bool], keepdim: bool, fold: F) -> Tensor<F::Output> {
        let shape = reduced_shape(self.shape(), mask, keepdim);
        // The innermost axis that counts must be consecutive, whether it is reduced or kept.
        let inner = (0..self.rank()).rev().find(|&i| self.shape()[i] != 1);
        let source = match inner {
            Some(i) if self.layout.strides[i] != 1 => self.copied_for("fold"),
            _ => self.clone(),
        };
        let (kept, reduced) = separate(&source.layout, mask);
        let data = source.storage.as_slice();
        let along_rows = inner.is_none_or(|i| mask[i]);
        Tensor::filled_by("fold", shape, |out| {
            if out.is_empty() {
            } else if source.is_empty() {
                out.fill(fold.finish(fold.identity(), 0));
            } else if along_rows {
                fold_rows(data, &kept, &reduced, &fold, out);
            } else {
                fold_columns(data, &kept, &reduced, &fold, out);
            }
        })
    }
}

/// The shape after the axes of `mask` are reduced: they stay with length 1 if `keepdim`, and go away otherwise.
pub(crate) fn reduced_shape(shape: &Shape, mask: &[bool], keepdim: bool) -> Shape {
    shape
        .iter()
        .zip(mask)
        .filter(|(_, reduced)| keepdim || !**reduced)
        .map(|(&d, &reduced)| if reduced { 1 } else { d })
        .collect()
}

/// The axes that stay and the axes that are reduced, each as a layout. Only the first carries the offset.
fn separate(layout: &Layout, mask: &[bool]) -> (Layout, Layout) {
    let part = |wanted: bool, offset: usize| {
        let axes: SmallVec<[usize; 4]> = (0..mask.len()).filter(|&i| mask[i] == wanted).collect();
        Layout { offset, ..layout.permute(&axes) }
    };
    (part(false, layout.offset), part(true, 0))
}

/// Every output element is the fold of one or more consecutive rows.
fn fold_rows<T: Element, F: Fold<T>>(
    data: &[T],
    kept: &Layout,
    reduced: &Layout,
    fold: &F,
    out: &mut [F::Output],
) {
    let (outputs, inputs) = (Nest::new([kept]), Nest::new([reduced]));
    let length = inputs.row_length;
    let count = inputs.rows * length;
    let position = |i: usize| outputs.element(i);
    if out.len() == 1 && inputs.rows == 1 && count >= SPLIT {
        let row = &data[position(0)..position(0) + length];
        let chunk = |i: usize| fold_slice(&row[i * CHUNK..length.min((i + 1) * CHUNK)], fold);
        let total = parallel::reduce(length.div_ceil(CHUNK), true, chunk, |a, b| fold.merge(a, b));
        out[0] = fold.finish(total.unwrap_or_else(|| fold.identity()), count);
        return;
    }
    let parallel = out.len() * count >= PARALLEL_THRESHOLD;
    let one_after_the_other = outputs.rows == 1 && outputs.row_strides[0] == length as isize;
    parallel::for_each_chunk(out, (CHUNK / count).max(1), parallel, |start, chunk| {
        if inputs.rows == 1 && length <= LANES && one_after_the_other {
            let data = &data[position(start)..][..chunk.len() * length];
            return dispatch(FoldShortRows { out: chunk, data, length, fold });
        }
        for (i, o) in chunk.iter_mut().enumerate() {
            let base = position(start + i);
            let total = pairwise(
                0,
                inputs.rows,
                1,
                &|row, _| {
                    let from = base.wrapping_add(inputs.row_start(row)[0]);
                    fold_slice(&data[from..from + length], fold)
                },
                &|a, b| fold.merge(a, b),
            );
            *o = fold.finish(total, count);
        }
    });
}

/// Every output element is the fold of a column; whole strips of columns are folded at once.
fn fold_columns<T: Element, F: Fold<T>>(
    data: &[T],
    kept: &Layout,
    reduced: &Layout,
    fold: &F,
    out: &mut [F::Output],
) {
    let (outputs, inputs) = (Nest::new([kept]), Nest::new([reduced]));
    let count = inputs.rows * inputs.row_length;
    let width = outputs.row_length;
    let strip = |base: usize, columns: usize, rows: std::ops::Range<usize>| -> Partials<F::Partial> {
        pairwise(
            rows.start,
            rows.end,
            ROW_BLOCK,
            &|from, to| {
                let mut partials = Partials::equal(fold.identity(), columns);
                for row in from..to {
                    let at = base.wrapping_add(inputs.element(row));
                    dispatch(FoldRow { partials: &mut partials, row: &data[at..at + columns], fold });
                }
                partials
            },
            &|mut a, b| {
                a.iter_mut().zip(&b[..]).for_each(|(a, &b)| *a = fold.merge(*a, b));
                a
            },
        )
    };
    let parallel = out.len() * count >= PARALLEL_THRESHOLD;
    // Tall and narrow: threads share the rows. Otherwise each takes its own columns.
    if outputs.rows == 1 && width <= STRIP && out.len() * count >= SPLIT {
        let base = outputs.row_start(0)[0];
        let tall = (4 * CHUNK / width).max(ROW_BLOCK);
        let piece = |i: usize| strip(base, width, i * tall..count.min((i + 1) * tall));
        let merge = |mut a: Partials<F::Partial>, b: Partials<F::Partial>| {
            a.iter_mut().zip(&b[..]).for_each(|(a, &b)| *a = fold.merge(*a, b));
            a
        };
        let total = parallel::reduce(count.div_ceil(tall), true, piece, merge).expect("there are rows");
        out.iter_mut().zip(&total[..]).for_each(|(o, &p)| *o = fold.finish(p, count));
        return;
    }
    // A chunk is one strip of one row of the output, or a row that is narrower.
    let folded = |base: usize, target: &mut [F::Output]| {
        let total = strip(base, target.len(), 0..count);
        target.iter_mut().zip(&total[..]).for_each(|(o, &p)| *o = fold.finish(p, count));
    };
    if outputs.rows == 1 || width <= STRIP {
        let size = width.min(STRIP);
        return parallel::for_each_chunk(out, size, parallel, |start, target| {
            folded(outputs.row_start(start / width)[0] + start % width, target);
        });
    }
    let strips = width.div_ceil(STRIP);
    let mut pieces: Vec<&mut [F::Output]> =
        out.chunks_mut(width).flat_map(|row| row.chunks_mut(STRIP)).collect();
    parallel::for_each_chunk(&mut pieces, 1, parallel, |piece, target| {
        folded(outputs.row_start(piece / strips)[0] + (piece % strips) * STRIP, target[0]);
    });
}

impl Nest<1> {
    /// Where element `i`, counted in row-major order, lies.
    fn element(&self, i: usize) -> usize {
        let [start] = self.row_start(i / self.row_length);
        start.wrapping_add_signed((i % self.row_length) as isize * self.row_strides[0])
    }
}

/// `leaf(from, to)` for blocks of at most `block` positions, merged as a balanced tree of fixed shape.
#[inline]
fn pairwise<P>(
    from: usize,
    to: usize,
    block: usize,
    leaf: &impl Fn(usize, usize) -> P,
    merge: &impl Fn(P, P) -> P,
) -> P {
    if to - from <= block { leaf(from, to) } else { tree(from, to, block, leaf, merge) }
}

/// [`pairwise`] of more than one block, compiled once for each type of partial result.
#[inline(never)]
fn tree<P>(
    from: usize,
    to: usize,
    block: usize,
    leaf: &dyn Fn(usize, usize) -> P,
    merge: &dyn Fn(P, P) -> P,
) -> P {
    let count = to - from;
    if count <= block {
        return leaf(from, to);
    }
    // A cut at a whole number of blocks.
    let middle = from + count.div_ceil(block).div_ceil(2) * block;
    merge(tree(from, middle, block, leaf, merge), tree(middle, to, block, leaf, merge))
}

/// The fold of consecutive elements.
pub(crate) fn fold_slice<T: Element, F: Fold<T>>(x: &[T], fold: &F) -> F::Partial {
    pairwise(0, x.len(), BLOCK, &|from, to| dispatch(FoldBlock { x: &x[from..to], fold }), &|a, b| {
        fold.merge(a, b)
    })
}

/// The partial results of lanes, a power of two of them, merged in pairs.
#[inline(always)]
pub(crate) fn merge_lanes<P: Copy, const LANES: usize>(
    mut lanes: [P; LANES],
    merge: impl Fn(P, P) -> P,
) -> P {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = merge(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

struct FoldBlock<'a, T, F> {
    x: &'a [T],
    fold: &'a F,
}

impl<T: Element, F: Fold<T>> Kernel for FoldBlock<'_, T, F> {
    type Output = F::Partial;
    #[inline(always)]
    fn run<I: Isa>(self) -> F::Partial {
        self.fold.block::<I>(self.x)
    }
}

/// What [`Fold::block`] does by default.
#[inline(always)]
pub(super) fn block_by_steps<I: Isa, T: Copy, F: Fold<T> + ?Sized>(fold: &F, x: &[T]) -> F::Partial {
    let mut lanes = [fold.identity(); LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = fold.step::<I>(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane = fold.step::<I>(*lane, x);
    }
    merge_lanes(lanes, |a, b| fold.merge(a, b))
}

struct FoldRow<'a, T, P, F> {
    partials: &'a mut [P],
    row: &'a [T],
    fold: &'a F,
}

impl<T: Element, F: Fold<T>> Kernel for FoldRow<'_, T, F::Partial, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (partial, &x) in self.partials.iter_mut().zip(self.row) {
            *partial = self.fold.step::<I>(*partial, x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count;
    impl Fold<f64> for Count {
        type Partial = u32;
        type Output = u32;
        fn identity(&self) -> u32 {
            0
        }
        #[inline(always)]
        fn step<I: Isa>(&self, partial: u32, _: f64) -> u32 {
            partial + 1
        }
        fn merge(&self, a: u32, b: u32) -> u32 {
            a + b
        }
        fn finish(&self, partial: u32, count: usize) -> u32 {
            assert_eq!(partial as usize, count);
            partial
        }
    }

    #[test]
    fn every_element_is_taken_once_for_any_axes_and_layout() {
        let base = Tensor::<f64>::zeros([4, 1, 3, 70]);
        for (order, step) in [([0, 1, 2, 3], 1), ([3, 2, 1, 0], 1), ([2, 0, 3, 1], 2), ([1, 3, 0, 2], -1)] {
            let x = base.permute(order).slice_axis(0, crate::Slice::from(..).step(step));
            for mask in 0..16 {
                let axes: Vec<isize> = (0..4).filter(|a| mask >> a & 1 == 1).collect();
                let counts = x.fold("count", &axes[..], false, Count);
                let expected: usize = axes.iter().map(|&a| x.shape()[a as usize]).product();
                assert!(counts.to_vec().iter().all(|&c| c as usize == expected), "{axes:?}");
                assert_eq!(counts.len() * expected, x.len());
            }
        }
        // The second row lies before the first.
        let backwards = base.slice_axis(3, ..2).flip(0);
        assert_eq!(backwards.fold("count", [0, 3], false, Count).to_vec(), [8, 8, 8]);
        assert_eq!(Tensor::<f64>::zeros([3, 0]).fold("count", 1, false, Count).to_vec(), [0, 0, 0]);
        assert_eq!(Tensor::<f64>::zeros([300_000]).fold("count", .., false, Count).item(), 300_000);
        assert_eq!(Tensor::<f64>::zeros([30_000, 10]).fold("count", 0, true, Count).to_vec(), [30_000; 10]);
    }
}
