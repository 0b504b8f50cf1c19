//! Whole sequences of recurrent units: the products of the inputs with the weights are there, and step after step those of the
//! state are added, and the gates applied.
//!
//! A sequence of the batch needs no other, so that threads take rows of the batch through all steps: they wait for one another
//! once, and the state stays in their caches. The weights are packed once. Where there are fewer rows than threads and the weights
//! are large, threads divide the columns of each step's product instead. Neither shows in the bits.

mod backward;
mod forward;
mod parts;
mod products;
#[cfg(test)]
mod tests;

use super::gru::Gru;
use super::lstm::Lstm;
use crate::array::element::Float;
use crate::array::size;
use crate::compiled_here;
use crate::machine::simd::Isa;

/// Which unit reads the sequence.
///
/// ```
/// use wengert_tensor::gates::sequence::Unit;
/// assert_eq!((Unit::Lstm.gates(), Unit::Gru.gates()), (4, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// That of [`gates::lstm`](super::lstm).
    Lstm,
    /// That of [`gates::gru`](super::gru).
    Gru,
}

impl Unit {
    /// How many rows the weights have for each hidden unit.
    pub fn gates(self) -> usize {
        self.widths()[0]
    }

    /// Whether there is a cell beside the output.
    pub fn has_cell(self) -> bool {
        self == Unit::Lstm
    }

    /// Parts of the state: the output, and the cell.
    fn states(self) -> usize {
        1 + usize::from(self.has_cell())
    }

    /// How many numbers of each hidden unit and step the gradients are computed from.
    pub fn kept(self) -> usize {
        self.widths()[1]
    }

    /// How many gradients there are of each hidden unit and step: of the products of the inputs, and where they are others, behind
    /// them of those of the state.
    pub fn gradients(self) -> usize {
        self.widths()[2]
    }

    fn widths(self) -> [usize; 3] {
        fn of<U: Steps<f64>>() -> [usize; 3] {
            [U::GATES, U::KEPT, U::GRADIENTS]
        }
        match self {
            Unit::Lstm => of::<Lstm>(),
            Unit::Gru => of::<Gru>(),
        }
    }
}

/// How long the sequences are, how many, of how many hidden units, and from which end they are read.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Steps of a sequence.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Whether the last step is read first.
    pub reverse: bool,
}

/// The weights of the state, and where it starts.
#[derive(Clone, Copy, Debug)]
pub struct Recurrence<'a, T> {
    /// The weights, `[gates · hidden, hidden]`.
    pub weight: &'a [T],
    /// The output before the first step, `[batch, hidden]`.
    pub h: &'a [T],
    /// What the cell holds before the first step, `[batch, hidden]`; empty for units without one.
    pub c: &'a [T],
}

/// What is added up for the gates beside the products of the state.
#[derive(Clone, Copy, Debug)]
pub struct Products<'a, T> {
    /// The products of the inputs with their weights, biases included, `[steps, batch, gates · hidden]`.
    pub of_inputs: &'a [T],
    /// What is added to the products of the state, `[gates · hidden]`.
    pub bias: Option<&'a [T]>,
}

/// What the gradients are computed from beside the recurrence.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a, T> {
    /// The value.
    pub value: &'a [T],
    /// What was kept with it, `[steps, batch, kept · hidden]`.
    pub kept: &'a [T],
    /// The value's cotangent.
    pub cotangent: &'a [T],
}

/// What a unit does in one step to one block of a row: units from `start` on, `length` of them, at most
/// [`BLOCK`](super::rows::BLOCK). Mark both `#[inline(always)]`.
pub(super) trait Steps<T: Float>: Sync {
    const GATES: usize;
    /// The last of them is what the cell holds, if there is one.
    const KEPT: usize;
    const GRADIENTS: usize;
    /// Where among them those of the products of the state begin.
    const OF_STATE: usize;
    const HAS_CELL: bool;

    /// The new output, and what is kept, of a row's products and its state: the cell, or where there is none the output before.
    fn forward<I: Isa>(at: [usize; 3], products: [&[T]; 2], state: &[T], h: &mut [T], kept: &mut [T]);

    /// The gradients of a row, for the cotangent `v` of its output. `to_h` and `to_c` are those that come from later steps, and
    /// become those for the step before, without what comes by way of the products.
    fn backward<I: Isa>(
        at: [usize; 3],
        kept: &[T],
        state: &[T],
        v: &[T],
        to: [&mut [T]; 2],
        gradients: &mut [T],
    );
}

impl Geometry {
    /// Where step number `count` of the reading stands.
    fn step(&self, count: usize) -> usize {
        if self.reverse { self.steps - 1 - count } else { count }
    }

    /// Elements of the value: the output at each step, and behind them what the cell holds at the end.
    #[track_caller]
    fn value(&self, unit: Unit) -> usize {
        let rows = size::sum("sequence", &[self.steps, usize::from(unit.has_cell())]);
        self.state(rows, 1)
    }

    /// Elements of so many steps of so many numbers for each hidden unit.
    #[track_caller]
    fn state(&self, steps: usize, width: usize) -> usize {
        size::product("sequence", &[steps, self.batch, self.hidden, width])
    }

    #[track_caller]
    fn check<T>(&self, unit: Unit, of: &Recurrence<'_, T>) {
        let state = self.state(1, 1);
        let weights = size::product("sequence", &[unit.gates(), self.hidden, self.hidden]);
        length("weights", of.weight.len(), weights);
        length("output before", of.h.len(), state);
        length("cells before", of.c.len(), if unit.has_cell() { state } else { 0 });
    }
}

#[track_caller]
fn length(what: &str, found: usize, expected: usize) {
    assert!(found == expected, "sequence: {found} elements of {what} instead of {expected}");
}

/// The output at each step, `[steps, batch, hidden]`, and for units with a cell behind it what that holds at the end,
/// `[batch, hidden]`; and what the gradients need, `[steps, batch, kept · hidden]`, if it is to be kept.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn value<T: Float>(
    unit: Unit,
    geometry: &Geometry,
    products: &Products<'_, T>,
    recurrence: &Recurrence<'_, T>,
    out: &mut [T],
    kept: Option<&mut [T]>,
) {
    compiled_here! {
        fn value<T: Float>(
            unit: Unit,
            geometry: &Geometry,
            products: &Products<'_, T>,
            recurrence: &Recurrence<'_, T>,
            out: &mut [T],
            kept: Option<&mut [T]>,
        ) {
            match unit {
                Unit::Lstm => forward::value::<Lstm, T>(geometry, products, recurrence, out, kept),
                Unit::Gru => forward::value::<Gru, T>(geometry, products, recurrence, out, kept),
            }
        }
    }
    let steps = geometry.steps;
    geometry.check(unit, recurrence);
    length("products", products.of_inputs.len(), geometry.state(steps, unit.gates()));
    if let Some(bias) = products.bias {
        length("bias", bias.len(), unit.gates() * geometry.hidden);
    }
    length("values", out.len(), geometry.value(unit));
    if let Some(kept) = &kept {
        length("what is kept", kept.len(), geometry.state(steps, unit.kept()));
    }
    if !out.is_empty() {
        value(unit, geometry, products, recurrence, out, kept);
    }
}

/// The gradients: of the products at each step, `[steps, batch, gradients · hidden]`, of the output before the first step and, for
/// units with a cell, of what that held, `[batch, hidden]` each, one behind the other.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn gradients<T: Float>(
    unit: Unit,
    geometry: &Geometry,
    recurrence: &Recurrence<'_, T>,
    saved: &Saved<'_, T>,
    out: &mut [T],
) {
    compiled_here! {
        fn gradients<T: Float>(
            unit: Unit,
            geometry: &Geometry,
            recurrence: &Recurrence<'_, T>,
            saved: &Saved<'_, T>,
            out: &mut [T],
        ) {
            match unit {
                Unit::Lstm => backward::gradients::<Lstm, T>(geometry, recurrence, saved, out),
                Unit::Gru => backward::gradients::<Gru, T>(geometry, recurrence, saved, out),
            }
        }
    }
    let steps = geometry.steps;
    geometry.check(unit, recurrence);
    length("values", saved.value.len(), geometry.value(unit));
    length("cotangents", saved.cotangent.len(), geometry.value(unit));
    length("what is kept", saved.kept.len(), geometry.state(steps, unit.kept()));
    let parts = [geometry.state(steps, unit.gradients()), geometry.state(1, unit.states())];
    length("gradients", out.len(), size::sum("sequence", &parts));
    if !out.is_empty() {
        gradients(unit, geometry, recurrence, saved, out);
    }
}
