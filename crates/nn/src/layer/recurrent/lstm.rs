//! The layer with a long short-term memory.

use wengert_tape::{Arguments, Var};
use wengert_tensor::Float;

use super::unit::{Unit, sealed::Steps};
use super::weights::InForce;
use super::{Recurrent, RecurrentBuilder, RecurrentCell};

/// i, f, o = σ(…) and g = tanh(…) of W_i·x + b_i + W_h·h + b_h, c′ = f·c + i·g, h′ = o·tanh(c′): see [`Var::lstm_gates`]. The
/// rows of the weights are in the order i, f, g, o. With a projection, h′ = W_hr·(o·tanh(c′)) (Sak, Senior and Beaufays,
/// "Long short-term memory based recurrent neural network architectures", 2014).
#[derive(Clone, Debug, Default)]
pub struct LstmUnit;

/// What an LSTM hands on from step to step: of a layer `[layers · directions, batch, …]`, of a cell `[…, hidden]`.
#[derive(Clone)]
pub struct LstmState<T: Float = f32> {
    /// The output; as long as the projection, where there is one, else as there are hidden units.
    pub h: Var<T>,
    /// What the cell holds.
    pub c: Var<T>,
}

impl<T: Float> std::fmt::Debug for LstmState<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LstmState").field("h", self.h.value()).field("c", self.c.value()).finish()
    }
}

/// The layer with a long short-term memory of inputs `[steps, batch, input]`, of one or more layers, in one or both
/// directions: see [`Recurrent`] for what it takes and gives, and [`LstmUnit`] for the formulas.
///
/// ```
/// use wengert_nn::{Lstm, LstmState, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let lstm = Lstm::builder(3, 8).layers(2).bidirectional().projection(5).build(params.at("lstm"));
/// let (y, LstmState { h, c }) = params.infer(|cx| lstm.run(cx, &Var::ones([6, 4, 3]), None));
/// assert_eq!(y.shape(), &[6, 4, 2 * 5]);
/// assert_eq!((h.shape(), c.shape()), (&[4, 4, 5].into(), &[4, 4, 8].into()));
/// assert!(params.id("lstm.weight_hr_l1_reverse").is_some());
/// ```
#[doc(alias = "nn.LSTM")]
#[doc(alias = "LSTM")]
pub type Lstm = Recurrent<LstmUnit>;

/// One step of an [`Lstm`], for loops of one's own: see [`RecurrentCell`].
#[doc(alias = "nn.LSTMCell")]
pub type LstmCell = RecurrentCell<LstmUnit>;

impl RecurrentBuilder<LstmUnit> {
    /// The output of each step is projected to this many numbers, fewer than there are hidden units.
    #[doc(alias = "proj_size")]
    #[must_use]
    pub fn projection(mut self, size: usize) -> Self {
        self.sizes.projection = Some(size);
        self
    }
}

impl<T: Float> Arguments<T> for LstmState<T> {
    fn to_vars(&self) -> Vec<Var<T>> {
        vec![self.h.clone(), self.c.clone()]
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        let [h, c] = [self.h.clone(), self.c.clone()].with_vars(vars);
        LstmState { h, c }
    }
}

impl Unit for LstmUnit {
    type State<T: Float> = LstmState<T>;
}

impl Steps for LstmUnit {
    const NAME: &'static str = "lstm";
    const LAYER: &'static str = "Lstm";
    const GATES: usize = 4;
    const PARTS: usize = 2;
    const BIASES_ADD: bool = true;

    fn next<T: Float>(&self, of_input: &Var<T>, weights: &InForce<T>, state: &[Var<T>]) -> Vec<Var<T>> {
        let hidden = state[1].shape()[state[1].rank() - 1];
        let next = of_input.lstm_gates(&weights.of_state(&state[0]), &state[1]);
        vec![weights.projected(next.slice_axis(-1, ..hidden)), next.slice_axis(-1, hidden..)]
    }

    fn sequence<T: Float>(
        &self,
        of_inputs: &Var<T>,
        weights: &InForce<T>,
        state: &[Var<T>],
        reverse: bool,
    ) -> Option<(Var<T>, Option<Var<T>>)> {
        if weights.projection.is_some() {
            return None;
        }
        let [outputs, cell] = of_inputs.lstm_sequence(&weights.hh, [&state[0], &state[1]], reverse);
        Some((outputs, Some(cell)))
    }

    fn state<T: Float>(parts: Vec<Var<T>>) -> LstmState<T> {
        let [h, c] = parts.try_into().unwrap_or_else(|_| unreachable!("two parts"));
        LstmState { h, c }
    }
}
