//! The sequence forwards.

use std::marker::PhantomData;
use std::ops::Range;

use super::parts::{Division, StepRows};
use super::products::{Columns, Weights, with_weights};
use super::{Geometry, Products, Recurrence, Steps};
use crate::array::element::Float;
use crate::kernels::gates::rows::BLOCK;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// What all parts share.
struct Run<'a, T> {
    geometry: &'a Geometry,
    products: &'a Products<'a, T>,
    recurrence: &'a Recurrence<'a, T>,
    weights: &'a Weights<'a, T>,
    wide: bool,
    /// The outputs of the steps.
    h: StepRows<'a, T>,
    /// What is kept of them, if it is.
    kept: Option<StepRows<'a, T>>,
    /// What the cells hold at the end, if there are any.
    end: StepRows<'a, T>,
}

pub(super) fn value<U: Steps<T>, T: Float>(
    geometry: &Geometry,
    products: &Products<'_, T>,
    recurrence: &Recurrence<'_, T>,
    out: &mut [T],
    kept: Option<&mut [T]>,
) {
    let Geometry { steps, batch, hidden, .. } = *geometry;
    let rows_of_weights = U::GATES * hidden;
    let division = Division::new(geometry, rows_of_weights * hidden);
    let (h, end) = out.split_at_mut(steps * batch * hidden);
    with_weights(recurrence.weight, [hidden, rows_of_weights], true, batch, |weights| {
        let run = Run {
            geometry,
            products,
            recurrence,
            weights,
            wide: division.wide,
            h: StepRows::new(h, [steps, batch, hidden]),
            kept: kept.map(|kept| StepRows::new(kept, [steps, batch, U::KEPT * hidden])),
            end: StepRows::new(end, [usize::from(U::HAS_CELL), batch, hidden]),
        };
        parallel::for_each(division.count(batch), division.parallel, |part| {
            run.part::<U>(&division.part(part, batch));
        });
    });
}

/// What the cells hold, the last of what is kept.
fn cells<T>(kept: &[T], width: usize, hidden: usize) -> Columns<'_, T> {
    Columns { data: kept, width, first: width - hidden }
}

impl<T: Float> Run<'_, T> {
    /// All steps of some rows.
    fn part<U: Steps<T>>(&self, rows: &Range<usize>) {
        let Geometry { hidden, .. } = *self.geometry;
        let (gates, width) = (rows.len() * U::GATES * hidden, rows.len() * U::KEPT * hidden);
        // Of the step before and of this one, where nothing is to be kept.
        let own = if self.kept.is_some() { 0 } else { width };
        with_scratch(Slot::Product, gates + 2 * own, |buffer: *mut T| {
            // SAFETY: the buffer has so many numbers, and is this thread's.
            let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, gates + 2 * own) };
            let (products, own_kept) = buffer.split_at_mut(gates);
            let (before, now) = own_kept.split_at_mut(own);
            self.steps::<U>(rows, products, [before, now]);
        });
    }

    fn steps<U: Steps<T>>(&self, rows: &Range<usize>, products: &mut [T], own: [&mut [T]; 2]) {
        let Geometry { steps, batch, hidden, .. } = *self.geometry;
        let (gates, width) = (U::GATES * hidden, U::KEPT * hidden);
        let start = rows.start * hidden..rows.end * hidden;
        let h_start = &self.recurrence.h[start.clone()];
        let c_start = Columns::all(self.recurrence.c.get(start).unwrap_or_default(), hidden);
        let [mut own_before, mut own_now] = own;
        for count in 0..steps {
            let step = self.geometry.step(count);
            let before = count.checked_sub(1).map(|before| self.geometry.step(before));
            // SAFETY: the rows of this part, which no other reads or writes; those of the step before are no longer written.
            let (h_before, h, kept_before, kept) = unsafe {
                let kept_before = match (&self.kept, before) {
                    (Some(kept), Some(before)) => kept.rows(before, rows),
                    (Some(_), None) => &[],
                    (None, _) => &*own_before,
                };
                let kept = match &self.kept {
                    Some(kept) => kept.rows_mut(step, rows),
                    None => &mut *own_now,
                };
                let h_before = before.map_or(h_start, |before| self.h.rows(before, rows));
                (h_before, self.h.rows_mut(step, rows), kept_before, kept)
            };
            self.products(h_before, products);
            let state = match (U::HAS_CELL, before) {
                (false, _) => Columns::all(h_before, hidden),
                (true, None) => c_start,
                (true, Some(_)) => cells(kept_before, width, hidden),
            };
            let a = (step * batch + rows.start) * gates;
            let a = &self.products.of_inputs[a..][..rows.len() * gates];
            Rows { hidden, a, b: products, state, h, kept }.run::<U>(self.wide);
            std::mem::swap(&mut own_before, &mut own_now);
        }
        if U::HAS_CELL {
            // SAFETY: as above.
            let (end, last) = unsafe {
                let last = match (&self.kept, steps) {
                    (_, 0) => c_start,
                    (Some(kept), _) => cells(kept.rows(self.geometry.step(steps - 1), rows), width, hidden),
                    (None, _) => cells(own_before, width, hidden),
                };
                (self.end.rows_mut(0, rows), last)
            };
            for (row, end) in end.chunks_exact_mut(hidden).enumerate() {
                end.copy_from_slice(last.row(row, hidden));
            }
        }
    }

    /// The products of rows of a state, with the bias if there is one.
    fn products(&self, h: &[T], out: &mut [T]) {
        let beta = match self.products.bias {
            None => T::ZERO,
            Some(bias) => {
                out.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
                T::ONE
            }
        };
        self.weights.multiply(Columns::all(h, self.geometry.hidden), beta, out, self.wide);
    }
}

/// One step of some rows.
struct Rows<'a, T> {
    hidden: usize,
    a: &'a [T],
    b: &'a [T],
    state: Columns<'a, T>,
    h: &'a mut [T],
    kept: &'a mut [T],
}

impl<T: Float> Rows<'_, T> {
    /// On several threads if it is `wide`.
    fn run<U: Steps<T>>(self, wide: bool) {
        let Rows { hidden, a, b, state, h, kept } = self;
        if !wide {
            return dispatch(OneStep::<U, T> {
                rows: Rows { hidden, a, b, state, h, kept },
                unit: PhantomData,
            });
        }
        let each = (h.len() / hidden).div_ceil(parallel::threads()) * hidden;
        let (of_gates, of_kept) = (each * U::GATES, each * U::KEPT);
        let outputs = h.chunks_mut(each).zip(kept.chunks_mut(of_kept));
        let inputs = a.chunks(of_gates).zip(b.chunks(of_gates)).zip(0..);
        let mut pieces: Vec<Rows<'_, T>> = inputs
            .zip(outputs)
            .map(|(((a, b), piece), (h, kept))| {
                let data = &state.data[piece * (each / hidden) * state.width..];
                Rows { hidden, a, b, state: Columns { data, ..state }, h, kept }
            })
            .collect();
        parallel::for_each_chunk(&mut pieces, 1, true, |_, pieces| {
            let Rows { hidden, a, b, state, h, kept } = &mut pieces[0];
            let rows = Rows { hidden: *hidden, a, b, state: *state, h, kept };
            dispatch(OneStep::<U, T> { rows, unit: PhantomData });
        });
    }
}

struct OneStep<'a, U, T> {
    rows: Rows<'a, T>,
    unit: PhantomData<U>,
}

impl<U: Steps<T>, T: Float> Kernel for OneStep<'_, U, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Rows { hidden, a, b, state, h, kept } = self.rows;
        let products = a.chunks_exact(U::GATES * hidden).zip(b.chunks_exact(U::GATES * hidden));
        let outputs = h.chunks_exact_mut(hidden).zip(kept.chunks_exact_mut(U::KEPT * hidden));
        for (row, ((a, b), (h, kept))) in products.zip(outputs).enumerate() {
            let state = state.row(row, hidden);
            for start in (0..hidden).step_by(BLOCK) {
                let at = [hidden, start, BLOCK.min(hidden - start)];
                U::forward::<I>(at, [a, b], state, h, kept);
            }
        }
    }
}
