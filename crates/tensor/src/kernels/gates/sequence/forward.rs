//! The sequence forwards.

use std::marker::PhantomData;

use super::parts::{Division, split};
use super::products::{Columns, Weights, with_weights};
use super::{Geometry, Products, Recurrence, Steps};
use crate::array::element::Float;
use crate::kernels::gates::rows::BLOCK;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Rows that are taken through all steps.
struct Part<'a, T> {
    /// Of the batch.
    first: usize,
    /// The outputs of the steps, in the order in which they are read.
    h: Vec<&'a mut [T]>,
    /// What is kept of them; empty if nothing is.
    kept: Vec<&'a mut [T]>,
    /// What the cell holds at the end.
    end: &'a mut [T],
}

/// What all parts share.
struct Run<'a, T> {
    geometry: &'a Geometry,
    products: &'a Products<'a, T>,
    recurrence: &'a Recurrence<'a, T>,
    weights: &'a Weights<'a, T>,
    wide: bool,
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
    let mut ends = end.chunks_mut(division.rows * hidden);
    let keeps = kept.is_some();
    let kept = split(kept.unwrap_or_default(), geometry, U::KEPT * hidden, division.rows);
    let of_outputs = split(h, geometry, hidden, division.rows).into_iter();
    let mut parts: Vec<Part<'_, T>> = of_outputs
        .zip(kept)
        .enumerate()
        .map(|(i, (h, kept))| Part {
            first: i * division.rows,
            h,
            kept,
            end: ends.next().unwrap_or_default(),
        })
        .collect();
    with_weights(recurrence.weight, [hidden, rows_of_weights], true, batch, |weights| {
        let run = Run { geometry, products, recurrence, weights, wide: division.wide };
        parallel::for_each_chunk(&mut parts, 1, division.parallel, |_, part| {
            run.part::<U>(&mut part[0], keeps);
        });
    });
}

impl<T: Float> Run<'_, T> {
    /// All steps of some rows.
    fn part<U: Steps<T>>(&self, part: &mut Part<'_, T>, keeps: bool) {
        let Geometry { steps, batch, hidden, .. } = *self.geometry;
        let (gates, width) = (U::GATES * hidden, U::KEPT * hidden);
        let start = |state: &'_ [T]| -> std::ops::Range<usize> {
            let first = part.first * hidden;
            first..state.len().min(first + part.h.first().map_or(part.end.len(), |h| h.len()))
        };
        let (h_start, c_start) = (
            &self.recurrence.h[start(self.recurrence.h)],
            if U::HAS_CELL { &self.recurrence.c[start(self.recurrence.c)] } else { &[][..] },
        );
        let rows = h_start.len() / hidden;
        let mut products = vec![T::ZERO; rows * gates];
        // Of the step before and of this one, where nothing is to be kept.
        let mut own = [(); 2].map(|()| vec![T::ZERO; if keeps { 0 } else { rows * width }]);
        for count in 0..steps {
            let (before, now) = part.h.split_at_mut(count);
            let h: &[T] = before.last().map_or(h_start, |h| h);
            self.products(h, &mut products);
            let [own_before, own_now] = &mut own;
            let (kept_before, kept): (&[T], &mut [T]) = if keeps {
                let (before, now) = part.kept.split_at_mut(count);
                (before.last().map_or(&[][..], |kept| kept), &mut *now[0])
            } else {
                (own_before, own_now)
            };
            let state = match (U::HAS_CELL, count) {
                (false, _) => Columns::all(h, hidden),
                (true, 0) => Columns::all(c_start, hidden),
                (true, _) => Columns { data: kept_before, width, first: width - hidden },
            };
            let a = (self.geometry.step(count) * batch + part.first) * gates;
            let rows = Rows {
                hidden,
                a: &self.products.of_inputs[a..][..rows * gates],
                b: &products,
                state,
                h: &mut *now[0],
                kept,
            };
            rows.run::<U>(self.wide);
            own.swap(0, 1);
        }
        if U::HAS_CELL {
            let last: &[T] = if keeps { part.kept.last().map_or(&[][..], |kept| kept) } else { &own[0] };
            for (row, end) in part.end.chunks_exact_mut(hidden).enumerate() {
                let state = match steps {
                    0 => Columns::all(c_start, hidden),
                    _ => Columns { data: last, width, first: width - hidden },
                };
                end.copy_from_slice(state.row(row, hidden));
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
