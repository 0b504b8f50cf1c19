//! Recurrent layers as layers.

use wengert_tape::{Arguments, Index, Var};
use wengert_tensor::Float;

use super::builder::RecurrentBuilder;
use super::sequence::{self, Padding};
use super::unit::Unit;
use super::weights::Weights;
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::Scope;

/// A layer that reads a sequence step by step: [`Rnn`](crate::Rnn), [`Lstm`](crate::Lstm) or [`Gru`](crate::Gru).
///
/// It takes `[steps, batch, input]`, or `[batch, steps, input]` if built with
/// [`batch_first`](RecurrentBuilder::batch_first), or one sequence `[steps, input]`. It gives the output of the last layer at
/// each step, `[steps, batch, directions · hidden]` accordingly, and the state at the end,
/// `[layers · directions, batch, hidden]`, or `[layers · directions, hidden]` for one sequence. As a [`Layer`] it starts from
/// a state of zeros and gives the output alone; [`run`](Recurrent::run) takes and gives states,
/// [`run_padded`](Recurrent::run_padded) also the lengths of sequences that are not as long as the longest.
///
/// Parameters as in PyTorch, for each layer k from 0 on: `weight_ih_l{k}` `[gates · hidden, input]`, `weight_hh_l{k}`
/// `[gates · hidden, hidden]`, `bias_ih_l{k}` and `bias_hh_l{k}` `[gates · hidden]`, `weight_hr_l{k}` `[projection, hidden]`
/// where there is one, and the same with `_reverse` at the end for the other direction; all uniform in ±1/√hidden at the
/// start. A sequence without steps has no output, and its state at the end is the one it started from.
///
/// ```
/// use wengert_nn::{GruUnit, Layer, LstmUnit, Params, Recurrent, RnnUnit, Unit};
/// use wengert_tape::Var;
/// /// The features that any of them gives for sentences of 7 words.
/// fn width<U: Unit>(layer: &Recurrent<U>, params: &Params<f64>) -> usize {
///     params.infer(|cx| layer.forward(cx, &Var::zeros([7, 2, 3]))).shape()[2]
/// }
/// let mut params: Params<f64> = Params::seeded(0);
/// let (rnn, gru, lstm): (Recurrent<RnnUnit>, Recurrent<GruUnit>, Recurrent<LstmUnit>) = (
///     Recurrent::new(params.at("rnn"), 3, 5),
///     Recurrent::new(params.at("gru"), 3, 5),
///     Recurrent::builder(3, 5).projection(4).build(params.at("lstm")),
/// );
/// assert_eq!([width(&rnn, &params), width(&gru, &params), width(&lstm, &params)], [5, 5, 4]);
/// ```
#[derive(Clone, Debug)]
pub struct Recurrent<U> {
    pub(super) options: RecurrentBuilder<U>,
    /// Of each layer, of each direction.
    pub(super) weights: Vec<Weights>,
}

impl<U: Unit> Recurrent<U> {
    /// One layer in one direction, with biases.
    ///
    /// # Panics
    /// If the place already has parameters of those names, or they have too many elements.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, input: usize, hidden: usize) -> Self {
        Self::builder(input, hidden).build(p)
    }

    /// A layer with options.
    pub fn builder(input: usize, hidden: usize) -> RecurrentBuilder<U> {
        RecurrentBuilder::new(input, hidden)
    }

    /// The output at each step and the state at the end, from a state or from zeros.
    ///
    /// # Panics
    /// If the shapes do not fit, or the layer belongs to another `Params`.
    #[track_caller]
    pub fn run<T: Float>(
        &self,
        cx: &Ctx<T>,
        x: &Var<T>,
        state: Option<&U::State<T>>,
    ) -> (Var<T>, U::State<T>) {
        let state = state.map(Arguments::to_vars);
        let (output, parts) = sequence::run(self, cx, x, None, state);
        (output, U::state(parts))
    }

    /// Like [`run`](Recurrent::run), of sequences that end where the `lengths` `[batch]` say. Each is read as if it stood
    /// alone: the reverse direction starts at the sequence's own end, and the state at the end is that of the sequence's own
    /// last step. Behind the end the output is 0, and what the input holds there does not matter. A length may be 0; such a
    /// sequence keeps the state it started from.
    ///
    /// ```
    /// use wengert_nn::{Gru, Params};
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params = Params::seeded(0);
    /// let gru = Gru::builder(1, 4).bidirectional().build(params.root());
    /// let x = Var::from([[[1.0], [5.0]], [[2.0], [f32::NAN]]]);
    /// params.infer(|cx| {
    ///     let (y, h) = gru.run_padded(cx, &x, &Tensor::from([2u32, 1]), None);
    ///     let (alone, state) = gru.run(cx, &Var::from([[5.0]]), None);
    ///     assert_eq!(y.select(1, 1).select(0, 0).value(), alone.select(0, 0).value());
    ///     assert_eq!(y.select(1, 1).select(0, 1).value().to_vec(), [0.0; 8]);
    ///     assert_eq!(h.select(1, 1).value(), state.value());
    /// });
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a length is greater than the number of steps, or the layer belongs to another `Params`.
    #[doc(alias = "pack_padded_sequence")]
    #[doc(alias = "PackedSequence")]
    #[track_caller]
    pub fn run_padded<T: Float>(
        &self,
        cx: &Ctx<T>,
        x: &Var<T>,
        lengths: impl Into<Index<T>>,
        state: Option<&U::State<T>>,
    ) -> (Var<T>, U::State<T>) {
        let state = state.map(Arguments::to_vars);
        let (output, parts) = sequence::run(self, cx, x, Some(Padding::new(lengths.into())), state);
        (output, U::state(parts))
    }
}

impl<T: Float, U: Unit> Layer<T> for Recurrent<U> {
    /// # Panics
    /// If the shape does not fit, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.run(cx, x, None).0
    }
}
