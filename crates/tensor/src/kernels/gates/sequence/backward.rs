//! The sequence backwards.

use std::marker::PhantomData;
use std::ops::Range;

use super::parts::{Division, StepRows};
use super::products::{Columns, Weights, with_weights};
use super::{Geometry, Recurrence, Saved, Steps};
use crate::array::element::Float;
use crate::kernels::gates::rows::BLOCK;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// What all parts share.
struct Run<'a, T> {
    geometry: &'a Geometry,
    recurrence: &'a Recurrence<'a, T>,
    saved: &'a Saved<'a, T>,
    weights: &'a Weights<'a, T>,
    wide: bool,
    /// The gradients of the steps' products.
    steps: StepRows<'a, T>,
    /// Of the output before.
    h: StepRows<'a, T>,
    /// Of the cell before, if there is one.
    c: StepRows<'a, T>,
}

pub(super) fn gradients<U: Steps<T>, T: Float>(
    geometry: &Geometry,
    recurrence: &Recurrence<'_, T>,
    saved: &Saved<'_, T>,
    out: &mut [T],
) {
    let Geometry { steps, batch, hidden, .. } = *geometry;
    let rows_of_weights = U::GATES * hidden;
    let division = Division::new(geometry, rows_of_weights * hidden);
    let (of_steps, of_states) = out.split_at_mut(steps * batch * U::GRADIENTS * hidden);
    let (of_h, of_c) = of_states.split_at_mut(batch * hidden);
    with_weights(recurrence.weight, [rows_of_weights, hidden], false, batch, |weights| {
        let run = Run {
            geometry,
            recurrence,
            saved,
            weights,
            wide: division.wide,
            steps: StepRows::new(of_steps, [steps, batch, U::GRADIENTS * hidden]),
            h: StepRows::new(of_h, [1, batch, hidden]),
            c: StepRows::new(of_c, [usize::from(U::HAS_CELL), batch, hidden]),
        };
        parallel::for_each(division.count(batch), division.parallel, |part| {
            run.part::<U>(&division.part(part, batch));
        });
    });
}

impl<'a, T: Float> Run<'a, T> {
    /// All steps of some rows, the last one first.
    fn part<U: Steps<T>>(&self, rows: &Range<usize>) {
        let Geometry { steps, batch, hidden, .. } = *self.geometry;
        let width = U::KEPT * hidden;
        // Elements of these rows, `width` each, of step number `step`.
        let of = |data: &'a [T], step: usize, width: usize| {
            &data[(step * batch + rows.start) * width..][..rows.len() * width]
        };
        // SAFETY: the rows of this part, which no other reads or writes.
        let (to_h, to_c) = unsafe {
            let to_c = if U::HAS_CELL { self.c.rows_mut(0, rows) } else { &mut [] };
            (self.h.rows_mut(0, rows), to_c)
        };
        to_h.fill(T::ZERO);
        if U::HAS_CELL {
            to_c.copy_from_slice(of(self.saved.cotangent, steps, hidden));
        }
        for count in (0..steps).rev() {
            let step = self.geometry.step(count);
            let before = count.checked_sub(1).map(|before| self.geometry.step(before));
            let state = match (before, U::HAS_CELL) {
                (None, true) => Columns::all(of(self.recurrence.c, 0, hidden), hidden),
                (None, false) => Columns::all(of(self.recurrence.h, 0, hidden), hidden),
                (Some(before), false) => Columns::all(of(self.saved.value, before, hidden), hidden),
                (Some(before), true) => {
                    Columns { data: of(self.saved.kept, before, width), width, first: width - hidden }
                }
            };
            // SAFETY: as above.
            let gradients = unsafe { self.steps.rows_mut(step, rows) };
            let one = Rows {
                hidden,
                kept: of(self.saved.kept, step, width),
                state,
                v: of(self.saved.cotangent, step, hidden),
                to_h: &mut *to_h,
                to_c: &mut *to_c,
                gradients: &mut *gradients,
            };
            one.run::<U>(self.wide);
            let (data, width) = (&*gradients, U::GRADIENTS * hidden);
            let of_products = Columns { data, width, first: U::OF_STATE * hidden };
            // Units without a cell have a way past the products.
            let beta = if U::HAS_CELL { T::ZERO } else { T::ONE };
            self.weights.multiply(of_products, beta, to_h, self.wide);
        }
    }
}

/// One step of some rows.
struct Rows<'a, T> {
    hidden: usize,
    kept: &'a [T],
    state: Columns<'a, T>,
    v: &'a [T],
    to_h: &'a mut [T],
    to_c: &'a mut [T],
    gradients: &'a mut [T],
}

impl<T: Float> Rows<'_, T> {
    /// On several threads if it is `wide`.
    fn run<U: Steps<T>>(self, wide: bool) {
        if !wide {
            return dispatch(OneStep::<U, T> { rows: self, unit: PhantomData });
        }
        let Rows { hidden, kept, state, v, to_h, to_c, gradients } = self;
        let each = (v.len() / hidden).div_ceil(parallel::threads()) * hidden;
        let mut to_c = to_c.chunks_mut(each);
        let inputs = kept.chunks(each * U::KEPT).zip(v.chunks(each)).zip(0..);
        let outputs = to_h.chunks_mut(each).zip(gradients.chunks_mut(each * U::GRADIENTS));
        let mut pieces: Vec<Rows<'_, T>> = inputs
            .zip(outputs)
            .map(|(((kept, v), piece), (to_h, gradients))| {
                let data = &state.data[piece * (each / hidden) * state.width..];
                let to_c = to_c.next().unwrap_or_default();
                Rows { hidden, kept, state: Columns { data, ..state }, v, to_h, to_c, gradients }
            })
            .collect();
        parallel::for_each_chunk(&mut pieces, 1, true, |_, pieces| {
            let Rows { hidden, kept, state, v, to_h, to_c, gradients } = &mut pieces[0];
            let rows = Rows { hidden: *hidden, kept, state: *state, v, to_h, to_c, gradients };
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
        let Rows { hidden, kept, state, v, to_h, to_c, gradients } = self.rows;
        let mut to_c = to_c.chunks_exact_mut(hidden);
        let inputs = kept.chunks_exact(U::KEPT * hidden).zip(v.chunks_exact(hidden));
        let outputs = to_h.chunks_exact_mut(hidden).zip(gradients.chunks_exact_mut(U::GRADIENTS * hidden));
        for (row, ((kept, v), (to_h, gradients))) in inputs.zip(outputs).enumerate() {
            let state = state.row(row, hidden);
            let to_c = to_c.next().unwrap_or_default();
            for start in (0..hidden).step_by(BLOCK) {
                let at = [hidden, start, BLOCK.min(hidden - start)];
                U::backward::<I>(at, kept, state, v, [&mut *to_h, &mut *to_c], gradients);
            }
        }
    }
}
