//! Sorting of rows. NaN counts as larger than every number, as in PyTorch and NumPy.

use std::cmp::Ordering;

use crate::array::element::Element;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::rows::map_slices;
use crate::machine::simd::Isa;

/// The order in which elements are sorted: NaN last when ascending, first when descending; zeros of either sign equal.
#[inline(always)]
pub(crate) fn compare<T: Element>(a: T, b: T, descending: bool) -> Ordering {
    // Only NaN differs from itself.
    #[allow(clippy::eq_op)]
    let order = a.partial_cmp(&b).unwrap_or_else(|| (a != a).cmp(&(b != b)));
    if descending { order.reverse() } else { order }
}

struct Sort {
    descending: bool,
}

impl<T: Element> RowMap<T, T> for Sort {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        sort_row(x, self.descending, out);
    }
}

// What follows gains nothing from wide registers: compiled once, not for each instruction set.

#[inline(never)]
fn sort_row<T: Element>(x: &[T], descending: bool, out: &mut [T]) {
    out.copy_from_slice(x);
    out.sort_by(|&a, &b| compare(a, b, descending));
}

#[inline(never)]
fn argsort_row<T: Element>(x: &[T], descending: bool, out: &mut [u32]) {
    out.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
    out.sort_by(|&i, &j| compare(x[i as usize], x[j as usize], descending));
}

/// Up to so many are kept in order while the rest is looked at: more take longer than to part the row.
const MOST_KEPT: usize = 64;

#[inline(never)]
fn topk_row<T: Element>(x: &[T], k: usize, out: &mut [u32]) {
    // Of equal elements the first comes first, which makes the order total and the selection unique.
    let order = |&i: &u32, &j: &u32| compare(x[i as usize], x[j as usize], true).then(i.cmp(&j));
    if (1..=MOST_KEPT).contains(&k) && k < x.len() / 8 {
        return keep_first(x, order, &mut out[..k]);
    }
    out.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
    if k < out.len() {
        out.select_nth_unstable_by(k, order);
    }
    out[..k].sort_unstable_by(order);
}

/// The positions of the first in a descending order, as many as there is room for, by one walk along the row.
fn keep_first<T: Element>(x: &[T], order: impl Fn(&u32, &u32) -> Ordering + Copy, best: &mut [u32]) {
    let k = best.len();
    best.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
    best.sort_unstable_by(order);
    let mut worst = x[best[k - 1] as usize];
    for (i, &new) in (0..).zip(x).skip(k) {
        // Nearly always so; of NaN never.
        if new <= worst {
            continue;
        }
        let place = best.partition_point(|kept| order(kept, &i).is_lt());
        if place < k {
            best[place..].rotate_right(1);
            best[place] = i;
            worst = x[best[k - 1] as usize];
        }
    }
}

struct Argsort {
    descending: bool,
}

impl<T: Element> RowMap<T, u32> for Argsort {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [u32]) {
        argsort_row(x, self.descending, out);
    }
}

/// The positions of the `k` largest elements at the front, in order; what stands behind them means nothing.
struct TopK {
    k: usize,
}

impl<T: Element> RowMap<T, u32> for TopK {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [u32]) {
        topk_row(x, self.k, out);
    }
}

compiled_here! {
    /// The elements of every row of `length` in order. Stable.
    pub(crate) fn sort<T: Element>(x: &[T], descending: bool, length: usize, out: &mut [T]) {
        map_slices(x, length, out, &Sort { descending });
    }
}

compiled_here! {
    /// The positions that sort every row. Stable.
    pub(crate) fn argsort<T: Element>(x: &[T], descending: bool, length: usize, out: &mut [u32]) {
        map_slices(x, length, out, &Argsort { descending });
    }
}

compiled_here! {
    /// The positions of the `k` largest elements of every row at its front, in order.
    pub(crate) fn topk<T: Element>(x: &[T], k: usize, length: usize, out: &mut [u32]) {
        map_slices(x, length, out, &TopK { k });
    }
}

/// The different elements in order. All NaN count as one.
pub(crate) fn unique<T: Element>(mut elements: Vec<T>) -> Vec<T> {
    elements.sort_by(|&a, &b| compare(a, b, false));
    elements.dedup_by(|a, b| compare(*a, *b, false).is_eq());
    elements
}
