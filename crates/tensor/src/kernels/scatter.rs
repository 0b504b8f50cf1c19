//! Writing terms to the positions of an axis that indices name, which the caller has found to be below its length.
//!
//! A position that is named several times receives its terms in the order of the index, for any number of threads.

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::blocks::{Band, for_each_band};
use crate::machine::prefetch::{AHEAD, prefetch};

/// What becomes of an element and a term that is written to its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// Their sum.
    Add,
    /// The term: the last one stays.
    Replace,
    /// The larger one; NaN if either is.
    Larger,
    /// The smaller one; NaN if either is.
    Smaller,
}

/// A target seen as `[outer, length, inner]`.
type Around = (usize, usize, usize);

compiled_here! {
    /// Row `k` of the terms goes to row `rows[k]`, at every outer position.
    pub(crate) fn slices<T: Float>(target: &mut [T], around: Around, rows: &[u32], terms: &[T], combine: Combine) {
        for_each_band(target, around, terms.len(), |band| match combine {
            Combine::Add => each_slice(band, around, rows, terms, |a, x| a + x),
            Combine::Replace => each_slice(band, around, rows, terms, |_, x| x),
            Combine::Larger => each_slice(band, around, rows, terms, larger),
            Combine::Smaller => each_slice(band, around, rows, terms, smaller),
        });
    }
}

fn each_slice<T: Float>(
    mut band: Band<'_, T>,
    (_, _, inner): Around,
    rows: &[u32],
    terms: &[T],
    combined: impl Fn(T, T) -> T,
) {
    let terms = &terms[band.outer * rows.len() * inner..];
    if inner == 1 {
        return one_by_one(band, rows, terms, combined);
    }
    for (k, (&row, terms)) in rows.iter().zip(terms.chunks_exact(inner)).enumerate() {
        if let Some(there) = rows.get(k + AHEAD).and_then(|&later| band.at(later, inner, 0)) {
            // Nothing, if the band ends before that row.
            prefetch(&there[..inner.min(there.len())], 0, 1);
        }
        if let Some(here) = band.at(row, inner, 0) {
            here.iter_mut().zip(terms).for_each(|(a, &x)| *a = combined(*a, x));
        }
    }
}

compiled_here! {
    /// Each term goes to the row that its own index names, of `count` rows of terms at every outer position.
    pub(crate) fn elements<T: Float>(
        target: &mut [T],
        around: Around,
        count: usize,
        rows: &[u32],
        terms: &[T],
        combine: Combine,
    ) {
        for_each_band(target, around, terms.len(), |band| match combine {
            Combine::Add => each_element(band, around, count, rows, terms, |a, x| a + x),
            Combine::Replace => each_element(band, around, count, rows, terms, |_, x| x),
            Combine::Larger => each_element(band, around, count, rows, terms, larger),
            Combine::Smaller => each_element(band, around, count, rows, terms, smaller),
        });
    }
}

fn each_element<T: Float>(
    mut band: Band<'_, T>,
    (_, _, inner): Around,
    count: usize,
    rows: &[u32],
    terms: &[T],
    combined: impl Fn(T, T) -> T,
) {
    let from = band.outer * count * inner;
    let (rows, terms) = (&rows[from..][..count * inner], &terms[from..]);
    if inner == 1 {
        return one_by_one(band, rows, terms, combined);
    }
    for (rows, terms) in rows.chunks_exact(inner).zip(terms.chunks_exact(inner)) {
        for (k, (&row, &x)) in rows.iter().zip(terms).enumerate() {
            if let Some([here, ..]) = band.at(row, inner, k) {
                *here = combined(*here, x);
            }
        }
    }
}

/// Rows of one element each.
fn one_by_one<T: Float>(band: Band<'_, T>, rows: &[u32], terms: &[T], combined: impl Fn(T, T) -> T) {
    for (&row, &x) in rows.iter().zip(terms) {
        // Of rows before the band the difference is larger than it, too.
        if let Some(here) = band.rows.get_mut((row as usize).wrapping_sub(band.first)) {
            *here = combined(*here, x);
        }
    }
}

fn larger<T: Float>(a: T, b: T) -> T {
    if b > a || b.is_nan() { b } else { a }
}

fn smaller<T: Float>(a: T, b: T) -> T {
    if b < a || b.is_nan() { b } else { a }
}
