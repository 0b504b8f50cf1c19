//! One step of a recurrent layer.

use wengert_tape::{Arguments, Var};
use wengert_tensor::Float;

use super::unit::Unit;
use super::weights::{Sizes, Weights};
use crate::ctx::Ctx;
use crate::params::Scope;

/// One step of a recurrent layer, for loops of one's own: [`RnnCell`](crate::RnnCell), [`LstmCell`](crate::LstmCell) or
/// [`GruCell`](crate::GruCell).
///
/// Parameters as in PyTorch: `weight_ih` `[gates · hidden, input]`, `weight_hh` `[gates · hidden, hidden]`, `bias_ih` and
/// `bias_hh` `[gates · hidden]`, all uniform in ±1/√hidden at the start.
///
/// ```
/// use wengert_nn::{LstmCell, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let cell = LstmCell::new(params.at("cell"), 3, 8);
/// let state = params.infer(|cx| {
///     let mut state = cell.zero_state([4]);
///     for _ in 0..10 {
///         state = cell.step(cx, &Var::ones([4, 3]), &state);
///     }
///     state
/// });
/// assert_eq!(state.h.shape(), &[4, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct RecurrentCell<U> {
    unit: U,
    weights: Weights,
    sizes: Sizes,
}

impl<U: Unit> RecurrentCell<U> {
    /// A cell with biases.
    ///
    /// # Panics
    /// If the place already has parameters of those names, or they have too many elements.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, input: usize, hidden: usize) -> Self {
        Self::builder(input, hidden).build(p)
    }

    /// A cell with options.
    pub fn builder(input: usize, hidden: usize) -> CellBuilder<U> {
        let sizes = Sizes { input, hidden, projection: None, bias: true };
        CellBuilder { unit: U::default(), sizes }
    }

    /// A state of zeros, `[batch …, hidden]`.
    ///
    /// # Panics
    /// If it has too many elements.
    #[track_caller]
    pub fn zero_state<T: Float>(&self, batch: impl Into<wengert_tensor::Shape>) -> U::State<T> {
        let lead = batch.into();
        let mut parts = Vec::new();
        for part in 0..U::PARTS {
            let shape: wengert_tensor::Shape = lead.iter().copied().chain([self.sizes.part(part)]).collect();
            parts.push(Var::zeros(shape.checked("zero_state")));
        }
        U::state(parts)
    }

    /// The next state for an input `[…, input]` and a state `[…, hidden]`.
    ///
    /// # Panics
    /// If the shapes do not fit, or the cell belongs to another `Params`.
    #[track_caller]
    pub fn step<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, state: &U::State<T>) -> U::State<T> {
        let weights = self.weights.in_force::<U, T>(cx);
        let parts = state.to_vars();
        for (index, part) in parts.iter().enumerate() {
            let expected =
                x.shape().split_last().map(|(&features, lead)| (features, (self.sizes.part(index), lead)));
            let found = part.shape().split_last().map(|(&units, lead)| (self.sizes.input, (units, lead)));
            assert!(
                expected == found && expected.is_some(),
                "{}: an input of shape {} and a state of shape {}, not […, {}] and […, {}]",
                U::NAME,
                x.shape(),
                part.shape(),
                self.sizes.input,
                self.sizes.part(index)
            );
        }
        let layer = cx.enter(U::LAYER);
        let of_input = self.weights.of_inputs(cx, &weights, x);
        let mut next = self.unit.next(&of_input, &weights, &parts);
        next[0] = layer.leave(&self.weights.ids(), next[0].clone());
        U::state(next)
    }
}

/// The options of a [`RecurrentCell`].
///
/// ```
/// use wengert_nn::{GruCell, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// GruCell::builder(3, 5).no_bias().build(params.at("cell"));
/// assert!(params.id("cell.weight_hh").is_some() && params.id("cell.bias_hh").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct CellBuilder<U> {
    pub(super) unit: U,
    sizes: Sizes,
}

impl<U: Unit> CellBuilder<U> {
    /// No biases.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.sizes.bias = false;
        self
    }

    /// Makes the cell's parameters.
    ///
    /// # Panics
    /// If the place already has parameters of those names, or they have too many elements.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> RecurrentCell<U> {
        let weights = Weights::make::<U, T>(&mut p, self.sizes, "");
        RecurrentCell { unit: self.unit, weights, sizes: self.sizes }
    }
}
