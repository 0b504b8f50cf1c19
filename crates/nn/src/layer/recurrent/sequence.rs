//! Reading sequences, layer by layer and step by step.

use wengert_tape::{Index, Mask, Var};
use wengert_tensor::{Float, Shape};

use super::layer::Recurrent;
use super::unit::Unit;
use super::weights::Weights;
use crate::ctx::Ctx;

/// The ends of sequences.
pub(super) struct Padding<T: Float> {
    lengths: Index<T>,
}

impl<T: Float> Padding<T> {
    pub(super) fn new(lengths: Index<T>) -> Self {
        Padding { lengths }
    }

    #[track_caller]
    fn check(&self, operation: &str, steps: usize, batch: usize) {
        let shape = self.lengths.shape();
        assert!(
            shape[..] == [batch],
            "{operation}: lengths of shape {shape} for a batch of {batch} sequences"
        );
        for (example, length) in self.lengths.value().to_vec().into_iter().enumerate() {
            assert!(
                length as usize <= steps,
                "{operation}: sequence {example} has length {length}, but there are {steps} steps"
            );
        }
    }

    /// Which sequences still last at a step, `[batch, 1]`.
    fn at_step(&self, step: usize) -> Mask<T> {
        self.lengths.positions_within(step..step + 1).reshape([self.lengths.len(), 1])
    }

    /// Zeros behind the ends of `[steps, batch, …]`.
    fn cleared(&self, x: &Var<T>) -> Var<T> {
        let (steps, batch) = (x.shape()[0], x.shape()[1]);
        let mask = self.lengths.positions_within(0..steps).reshape([steps, batch, 1]);
        Var::select_where(mask, x, &Var::scalar(T::ZERO))
    }
}

/// The output of the last layer, and the parts of the state at the end.
#[track_caller]
pub(super) fn run<T: Float, U: Unit>(
    layer: &Recurrent<U>,
    cx: &Ctx<T>,
    x: &Var<T>,
    padding: Option<Padding<T>>,
    state: Option<Vec<Var<T>>>,
) -> (Var<T>, Vec<Var<T>>) {
    let options = &layer.options;
    let directions = if options.bidirectional { 2 } else { 1 };
    check_input::<U>(x.shape(), options.sizes.input, padding.is_some());
    let entered = cx.enter(U::LAYER);
    let alone = x.rank() == 2;
    let x = match (alone, options.batch_first) {
        (true, _) => x.unsqueeze(1),
        (false, true) => x.transpose(0, 1),
        (false, false) => x.clone(),
    };
    let (steps, batch) = (x.shape()[0], x.shape()[1]);
    if let Some(padding) = &padding {
        padding.check(U::NAME, steps, batch);
    }
    let rows = options.layers * directions;
    let start = match state {
        None => (0..U::PARTS).map(|part| Var::zeros([rows, batch, options.sizes.part(part)])).collect(),
        Some(parts) => {
            // A loop, so that panics name the caller's line.
            let mut given = Vec::new();
            for (i, part) in parts.into_iter().enumerate() {
                given.push(checked_part::<T, U>(part, [rows, batch, options.sizes.part(i)], alone));
            }
            given
        }
    };

    let x = match &padding {
        Some(padding) => padding.cleared(&x),
        None => x,
    };
    let (y, ends) = layers(layer, cx, x, padding.as_ref(), &start);
    let ends = ends.into_iter().map(|parts| Var::stack(&parts, 0));
    let ends = ends.map(|end| if alone { end.squeeze(1) } else { end }).collect();
    let y = match (alone, options.batch_first) {
        (true, _) => y.squeeze(1),
        (false, true) => y.transpose(0, 1),
        (false, false) => y,
    };
    let ids: Vec<_> = layer.weights.iter().flat_map(Weights::ids).collect();
    (entered.leave(&ids, y), ends)
}

/// A part of a state that was given, `[layers · directions, batch, width]`.
#[track_caller]
fn checked_part<T: Float, U: Unit>(part: Var<T>, shape: [usize; 3], alone: bool) -> Var<T> {
    let [rows, _, width] = shape;
    let expected = if alone { vec![rows, width] } else { shape.to_vec() };
    assert!(
        part.shape()[..] == expected,
        "{}: a state of shape {}, not {}",
        U::NAME,
        part.shape(),
        Shape::from(expected)
    );
    if alone { part.unsqueeze(1) } else { part }
}

/// All layers, each over the whole sequence: the last one's output, and for each part of the state its ends.
#[track_caller]
fn layers<T: Float, U: Unit>(
    layer: &Recurrent<U>,
    cx: &Ctx<T>,
    mut y: Var<T>,
    padding: Option<&Padding<T>>,
    start: &[Var<T>],
) -> (Var<T>, Vec<Vec<Var<T>>>) {
    let options = &layer.options;
    let directions = if options.bidirectional { 2 } else { 1 };
    let mut ends: Vec<Vec<Var<T>>> = vec![Vec::new(); U::PARTS];
    for (row, weights) in layer.weights.chunks(directions).enumerate() {
        let mut outputs = Vec::new();
        for (direction, weights) in weights.iter().enumerate() {
            let at = (row * directions + direction) as isize;
            let parts: Vec<Var<T>> = start.iter().map(|part| part.select(0, at)).collect();
            let one = OneDirection { unit: &options.unit, weights, padding, reverse: direction == 1 };
            let (output, end) = one.run(cx, &y, parts, options.sizes.output());
            outputs.push(output);
            ends.iter_mut().zip(end).for_each(|(ends, end)| ends.push(end));
        }
        y = if outputs.len() == 1 { outputs.remove(0) } else { Var::cat(&outputs, -1) };
        if row + 1 < options.layers && options.dropout > 0.0 && cx.is_training() {
            y = y.dropout(options.dropout, cx.key());
        }
    }
    (y, ends)
}

#[track_caller]
fn check_input<U: Unit>(x: &Shape, input: usize, padded: bool) {
    let ranks = if padded { 3..=3 } else { 2..=3 };
    assert!(
        ranks.contains(&x.len()) && x.last() == Some(&input),
        "{}: an input of shape {x}, not of {} axes with {input} features",
        U::NAME,
        if padded { "three" } else { "two or three" }
    );
}

/// One layer in one direction.
struct OneDirection<'a, U, T: Float> {
    unit: &'a U,
    weights: &'a Weights,
    padding: Option<&'a Padding<T>>,
    reverse: bool,
}

impl<U: Unit, T: Float> OneDirection<'_, U, T> {
    /// The output at each step, and the parts of the state at the end.
    #[track_caller]
    fn run(&self, cx: &Ctx<T>, x: &Var<T>, mut state: Vec<Var<T>>, width: usize) -> (Var<T>, Vec<Var<T>>) {
        let (steps, batch) = (x.shape()[0], x.shape()[1]);
        let weights = self.weights.in_force::<U, T>(cx);
        let products = self.weights.of_inputs(cx, &weights, x);
        if self.padding.is_none()
            && steps > 0
            && let Some((outputs, cell)) = self.unit.sequence(&products, &weights, &state, self.reverse)
        {
            let last = outputs.select(0, if self.reverse { 0 } else { -1 });
            return (outputs, std::iter::once(last).chain(cell).collect());
        }
        let mut outputs = Vec::with_capacity(steps);
        for count in 0..steps {
            let step = if self.reverse { steps - 1 - count } else { count };
            let next = self.unit.next(&products.select(0, step as isize), &weights, &state);
            state = match self.padding {
                None => next,
                // A sequence that has not begun, read backwards, or has ended keeps its state: so each is read alone.
                Some(padding) => {
                    let lasts = padding.at_step(step);
                    next.iter().zip(&state).map(|(new, old)| Var::select_where(&lasts, new, old)).collect()
                }
            };
            outputs.push(state[0].clone());
        }
        if self.reverse {
            outputs.reverse();
        }
        let output = if steps == 0 { Var::zeros([0, batch, width]) } else { Var::stack(&outputs, 0) };
        let output = match self.padding {
            Some(padding) => padding.cleared(&output),
            None => output,
        };
        (output, state)
    }
}
