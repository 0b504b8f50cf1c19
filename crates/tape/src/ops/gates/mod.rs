//! The gates of recurrent units, each unit one operation: what remains to be done once the products with the weights are
//! there.

mod gru;
mod lstm;
mod sequence;

use wengert_tensor::{Float, Shape};

use super::written;
use crate::var::Var;

/// Panics unless a and b have `gates` times the hidden units along their last axis, and the state the same other axes.
#[track_caller]
fn check(operation: &str, gates: usize, a: &Shape, b: &Shape, state: &Shape) {
    let fits = state
        .split_last()
        .is_some_and(|(&hidden, lead)| a.split_last() == Some((&(hidden * gates), lead)) && a == b);
    assert!(
        fits,
        "{operation}: products of shapes {a} and {b} and a state of shape {state}, not […, {gates}·hidden] twice and […, hidden]"
    );
}

/// The shape of something that has `width` times the hidden units of a state.
fn widened(state: &Shape, width: usize) -> Shape {
    let (hidden, lead) = state.split_last().expect("checked before");
    lead.iter().copied().chain([hidden * width]).collect()
}

/// The part of the last axis that starts at so many times the hidden units.
fn part<T: Float>(x: &Var<T>, hidden: usize, start: usize, width: usize) -> Var<T> {
    x.slice_axis(-1, hidden * start..hidden * (start + width))
}

/// The tangents of inputs, zeros where there are none.
fn tangents<T: Float, const N: usize>(tangents: &[Option<Var<T>>], inputs: [&Var<T>; N]) -> [Var<T>; N] {
    std::array::from_fn(|i| tangents[i].clone().unwrap_or_else(|| Var::zeros(inputs[i].shape())))
}
