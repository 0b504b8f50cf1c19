//! The simple recurrent layer.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::unit::{Unit, sealed::Steps};
use super::weights::InForce;
use super::{CellBuilder, Recurrent, RecurrentBuilder, RecurrentCell};

/// h′ = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or with max(·, 0) in the place of tanh (Elman, "Finding structure in time",
/// 1990).
#[derive(Clone, Debug, Default)]
pub struct RnnUnit {
    relu: bool,
}

/// The simple recurrent layer of inputs `[steps, batch, input]`, of one or more layers, in one or both directions: see
/// [`Recurrent`] for what it takes and gives, and [`RnnUnit`] for the formula. The state is a variable
/// `[layers · directions, batch, hidden]`.
///
/// ```
/// use wengert_nn::{Params, Rnn};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let rnn = Rnn::builder(3, 8).relu().layers(2).build(params.at("rnn"));
/// let (y, h) = params.infer(|cx| rnn.run(cx, &Var::ones([5, 4, 3]), None));
/// assert_eq!((y.shape(), h.shape()), (&[5, 4, 8].into(), &[2, 4, 8].into()));
/// ```
#[doc(alias = "nn.RNN")]
#[doc(alias = "RNN")]
pub type Rnn = Recurrent<RnnUnit>;

/// One step of an [`Rnn`], for loops of one's own: see [`RecurrentCell`].
#[doc(alias = "nn.RNNCell")]
pub type RnnCell = RecurrentCell<RnnUnit>;

impl RecurrentBuilder<RnnUnit> {
    /// max(x, 0) instead of tanh x.
    #[doc(alias = "nonlinearity")]
    #[must_use]
    pub fn relu(mut self) -> Self {
        self.unit.relu = true;
        self
    }
}

impl CellBuilder<RnnUnit> {
    /// max(x, 0) instead of tanh x.
    #[must_use]
    pub fn relu(mut self) -> Self {
        self.unit.relu = true;
        self
    }
}

impl Unit for RnnUnit {
    type State<T: Float> = Var<T>;
}

impl Steps for RnnUnit {
    const NAME: &'static str = "rnn";
    const LAYER: &'static str = "Rnn";
    const GATES: usize = 1;
    const PARTS: usize = 1;
    const BIASES_ADD: bool = true;

    fn next<T: Float>(&self, of_input: &Var<T>, weights: &InForce<T>, state: &[Var<T>]) -> Vec<Var<T>> {
        let sum = weights.of_state(&state[0]) + of_input;
        vec![if self.relu { sum.relu() } else { sum.tanh() }]
    }

    fn state<T: Float>(mut parts: Vec<Var<T>>) -> Var<T> {
        parts.remove(0)
    }
}
