//! Positions in rows that the order of the elements decides. NaN counts as larger than every number.

use std::cmp::Ordering;

use crate::array::element::{Element, Float};
use crate::compiled_here;
use crate::kernels::sort::compare;
use crate::loops::rows::{fold_slices, map_slices};
use crate::loops::{RowFold, RowMap};
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

/// The position of element number `k` of those at some positions.
fn kth<T: Element>(x: &[T], mut positions: Vec<u32>, k: usize) -> u32 {
    *positions.select_nth_unstable_by(k, by_element(x)).1
}

fn median<T: Float>(x: &[T], ignore_nan: bool) -> u32 {
    if !ignore_nan && let Some(first) = x.iter().position(|x| x.is_nan()) {
        return first as u32;
    }
    let positions: Vec<u32> = (0..).zip(x).filter(|(_, x)| !x.is_nan()).map(|(i, _)| i).collect();
    let count = positions.len();
    // Of nothing but NaN the first.
    if count == 0 { 0 } else { kth(x, positions, (count - 1) / 2) }
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
        OrderStatistic::Kth(k) => kth(x, (0..x.len() as u32).collect(), k),
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

compiled_here! {
    /// For each element of every row the position of the extreme of all up to it.
    pub(crate) fn running_extremes<T: Float>(x: &[T], largest: bool, length: usize, out: &mut [u32]) {
        map_slices(x, length, out, &RunningExtreme { largest });
    }
}
