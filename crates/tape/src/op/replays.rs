//! What a replay may do with an operation beside evaluating it alone.

use smallvec::SmallVec;
use wengert_tensor::{Float, Tensor};

use super::Description;
use crate::class::Function;
use crate::class::Moves;
use crate::data::Data;

/// Ways to compute an operation's value that a replay may take; by default none but evaluating it alone. All give the same bits.
#[doc(hidden)]
pub struct Replays<'a, T: Float> {
    /// Over the first input, where nobody else needs that.
    pub(crate) in_place: Option<&'a dyn InPlace<T>>,
    /// Together with other values.
    pub(crate) together: Together<'a, T>,
    /// Element by element.
    pub(crate) by_element: Option<ByElement<'a, T>>,
}

impl<T: Float> Default for Replays<'_, T> {
    fn default() -> Self {
        Replays { in_place: None, together: Together::Alone, by_element: None }
    }
}

/// What an operation's loop gives beside its value.
pub(crate) enum Together<'a, T: Float> {
    /// Nothing.
    Alone,
    /// The values of all operations that are applied to the same inputs and share its description; this one's has that number.
    OneOf(usize, &'a dyn Several<T>),
    /// Number 0 is this operation's value, number 1 that of its last floating-point input, which it does not read.
    AndLastInput(&'a dyn Several<T>),
}

/// Computes a value in the memory of its first input.
pub(crate) trait InPlace<T: Float> {
    #[track_caller]
    fn in_place(&self, first: Tensor<T>, others: &[&Tensor<T>]) -> Tensor<T>;
}

/// A value for each number that was asked for.
pub(crate) type Values<T> = SmallVec<[Option<Tensor<T>>; 4]>;

/// Computes several values in one.
pub(crate) trait Several<T: Float> {
    /// What those have in common whose values belong together.
    fn shared_description(&self) -> Description;
    /// At least those values that are wanted.
    #[track_caller]
    fn values(&self, inputs: &[&Tensor<T>], given: &[&Data<T>], wanted: [bool; 4]) -> Values<T>;
}

/// Each element of the value is made of the inputs' elements at its place, after broadcasting, and so a block of it of theirs: on
/// any thread.
pub(crate) enum ByElement<'a, T: Float> {
    /// A function of one number.
    Function(&'a dyn Function<T>),
    /// A number times the slope of one.
    Slope(&'a dyn Function<T>, Moves),
    /// Anything else.
    Blocks(&'a dyn Blocks<T>),
}

/// Computes a block of such a value.
pub(crate) trait Blocks<T: Float>: Sync {
    #[track_caller]
    fn block(&self, inputs: &[&Tensor<T>]) -> Tensor<T>;
}

impl<T: Float> Clone for ByElement<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Float> Copy for ByElement<'_, T> {}

impl<T: Float> ByElement<'_, T> {
    #[track_caller]
    pub(crate) fn value(self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        match self {
            ByElement::Function(function) => function.value(inputs[0]),
            ByElement::Slope(function, moves) => function.times_slope(moves, inputs[0], inputs[1]),
            ByElement::Blocks(blocks) => blocks.block(inputs),
        }
    }
}
