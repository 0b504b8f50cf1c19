//! Positions in rows that the order of the elements decides. NaN counts as larger than every number.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::array::element::{Element, Float};
use crate::compiled_here;
use crate::kernels::sort::compare;
use crate::loops::rows::{fold_slices, map_slices, row_of};
use crate::loops::{RowFold, RowMap};
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::Isa;

/// Which element of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatistic {
    /// The element number `k`, from 0, in ascending order.
    Kth(usize),
    /// The lower one of the middle; NaN if there is any, the first one.
    Median,
    /// The lower one of the middle of those that are not NaN.
    NanMedian,
    /// The smallest one of those that stand most often, at its last position.
    Mode,
}

/// Ascending; equal ones in the order in which they stand.
fn by_element<T: Element>(x: &[T]) -> impl Fn(&u32, &u32) -> Ordering {
    |&i, &j| compare(x[i as usize], x[j as usize], false).then(i.cmp(&j))
}

/// An element with its position as one integer, which is larger the later it comes in ascending order, equal ones as they stand:
/// such are compared without a branch.
trait Key: Ord + Copy {
    fn of<T: Float>(x: T, position: u32) -> Self;
    fn position(self) -> u32;
}

/// For `f32`.
impl Key for u64 {
    #[inline(always)]
    fn of<T: Float>(x: T, position: u32) -> u64 {
        let x = x.to_f64() as f32;
        // Zeros are equal, and so are all NaN, which come last. Of negative numbers all bits are turned, of others the sign.
        let bits = if x == 0.0 { 0 } else { x.to_bits() };
        let turned = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
        u64::from(if x.is_nan() { u32::MAX } else { turned }) << 32 | u64::from(position)
    }
    #[inline(always)]
    fn position(self) -> u32 {
        self as u32
    }
}

/// For `f64`.
impl Key for u128 {
    #[inline(always)]
    fn of<T: Float>(x: T, position: u32) -> u128 {
        let x = x.to_f64();
        let bits = if x == 0.0 { 0 } else { x.to_bits() };
        let turned = bits ^ ((bits as i64 >> 63) as u64 | 1 << 63);
        u128::from(if x.is_nan() { u64::MAX } else { turned }) << 32 | u128::from(position)
    }
    #[inline(always)]
    fn position(self) -> u32 {
        self as u32
    }
}

/// So many elements are looked for one after the other; of more the row is sorted.
const FEW: usize = 8;

/// The positions of the elements with some ranks in ascending order, counted from 0.
fn of_ranks<T: Float>(x: &[T], ranks: &[usize], out: &mut [u32]) {
    if size_of::<T>() == size_of::<f32>() {
        ranked::<u64, T>(x, ranks, out);
    } else {
        ranked::<u128, T>(x, ranks, out);
    }
}

fn ranked<K: Key, T: Float>(x: &[T], ranks: &[usize], out: &mut [u32]) {
    let mut keys: Vec<K> = (0..).zip(x).map(|(i, &x)| K::of(x, i)).collect();
    if ranks.len() > FEW {
        keys.sort_unstable();
        return out.iter_mut().zip(ranks).for_each(|(o, &rank)| *o = keys[rank].position());
    }
    // Each with its place in the result, the lowest first: behind an element that was found are those of higher ranks.
    let mut wanted: SmallVec<[(usize, usize); FEW]> = ranks.iter().copied().zip(0..).collect();
    wanted.sort_unstable();
    let (mut rest, mut first, mut last) = (&mut keys[..], 0, None);
    for (rank, place) in wanted {
        let position = match last {
            Some((before, position)) if before == rank => position,
            _ => {
                let (_, &mut found, behind) = rest.select_nth_unstable(rank - first);
                (rest, first) = (behind, rank + 1);
                found.position()
            }
        };
        out[place] = position;
        last = Some((rank, position));
    }
}

fn kth<T: Float>(x: &[T], k: usize) -> u32 {
    let mut found = [0];
    of_ranks(x, &[k], &mut found);
    found[0]
}

fn median<T: Float>(x: &[T], ignore_nan: bool) -> u32 {
    if !ignore_nan && let Some(first) = x.iter().position(|x| x.is_nan()) {
        return first as u32;
    }
    // NaN comes behind them. Of nothing but NaN the first.
    let count = numbers(x);
    if count == 0 { 0 } else { kth(x, (count - 1) / 2) }
}

/// How many elements are not NaN.
fn numbers<T: Float>(x: &[T]) -> usize {
    x.iter().filter(|x| !x.is_nan()).count()
}

fn mode<T: Element>(x: &[T]) -> u32 {
    let mut positions: Vec<u32> = (0..x.len() as u32).collect();
    positions.sort_unstable_by(by_element(x));
    let equal = |i: &u32, j: &u32| compare(x[*i as usize], x[*j as usize], false).is_eq();
    let longest = positions.chunk_by(equal).reduce(|a, b| if b.len() > a.len() { b } else { a });
    *longest.and_then(<[u32]>::last).expect("a row has elements")
}

#[inline(never)]
fn position<T: Float>(x: &[T], which: OrderStatistic) -> u32 {
    match which {
        OrderStatistic::Kth(k) => kth(x, k),
        OrderStatistic::Median => median(x, false),
        OrderStatistic::NanMedian => median(x, true),
        OrderStatistic::Mode => mode(x),
    }
}

struct Position(OrderStatistic);

impl<T: Float> RowFold<T, u32> for Position {
    fn row<I: Isa>(&self, _: usize, x: &[T]) -> u32 {
        position(x, self.0)
    }
}

/// For each element the position of the extreme of all up to it: the last one of equals, and NaN wherever there is one.
struct RunningExtreme {
    largest: bool,
}

impl<T: Float> RowMap<T, u32> for RunningExtreme {
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [u32]) {
        running_extreme(x, self.largest, out);
    }
}

#[inline(never)]
fn running_extreme<T: Float>(x: &[T], largest: bool, out: &mut [u32]) {
    let mut best = 0;
    for (i, o) in out.iter_mut().enumerate() {
        let (new, old) = (x[i], x[best]);
        let beats = if largest { new >= old } else { new <= old };
        if beats || new.is_nan() {
            best = i;
        }
        *o = best as u32;
    }
}

compiled_here! {
    /// The position of an element of every row of `length`, which is not 0.
    pub(crate) fn positions<T: Float>(x: &[T], which: OrderStatistic, length: usize, out: &mut [u32]) {
        fold_slices(x, length, out, &Position(which));
    }
}

/// Which ranks are looked for in a row, into the list, for the number of its elements that are not NaN.
pub(crate) type Ranks<'a> = dyn Fn(usize, &mut [usize]) + Sync + 'a;

compiled_here! {
    /// The positions of `count` elements, not 0, of every row of `length`, not 0 either, by their ranks.
    pub(crate) fn ranks<T: Float>(x: &[T], length: usize, count: usize, ranks: &Ranks<'_>, out: &mut [u32]) {
        let rows = (CHUNK / length).max(1);
        parallel::for_each_chunk(out, rows * count, x.len() >= PARALLEL_THRESHOLD, |start, out| {
            let mut wanted = vec![0; count];
            for (i, out) in out.chunks_exact_mut(count).enumerate() {
                let x = row_of(x, start / count + i, length);
                ranks(numbers(x), &mut wanted);
                of_ranks(x, &wanted, out);
            }
        });
    }
}

compiled_here! {
    /// For each element of every row the position of the extreme of all up to it.
    pub(crate) fn running_extremes<T: Float>(x: &[T], largest: bool, length: usize, out: &mut [u32]) {
        map_slices(x, length, out, &RunningExtreme { largest });
    }
}
