//! The gated recurrent unit.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::unit::{Unit, sealed::Steps};
use super::weights::InForce;
use super::{Recurrent, RecurrentCell};

/// r = σ(W_ir·x + b_ir + W_hr·h + b_hr), z = σ(W_iz·x + b_iz + W_hz·h + b_hz), n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)),
/// h′ = (1 − z)·n + z·h: see [`Var::gru_gates`]. The rows of the weights are in the order r, z, n.
#[derive(Clone, Debug, Default)]
pub struct GruUnit;

/// The gated recurrent unit of inputs `[steps, batch, input]`, of one or more layers, in one or both directions: see
/// [`Recurrent`] for what it takes and gives, and [`GruUnit`] for the formulas. The state is a variable
/// `[layers · directions, batch, hidden]`.
///
/// ```
/// use wengert_nn::{Gru, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let gru = Gru::new(params.at("gru"), 3, 8);
/// let (y, h) = params.infer(|cx| gru.run(cx, &Var::ones([5, 4, 3]), None));
/// assert_eq!(y.select(0, -1).value(), h.select(0, 0).value());
/// // On from there.
/// let (_, h) = params.infer(|cx| gru.run(cx, &Var::ones([2, 4, 3]), Some(&h)));
/// assert_eq!(h.shape(), &[1, 4, 8]);
/// assert_eq!(params.get("gru.weight_ih_l0").unwrap().len(), 3 * 8 * 3);
/// ```
#[doc(alias = "nn.GRU")]
#[doc(alias = "GRU")]
pub type Gru = Recurrent<GruUnit>;

/// One step of a [`Gru`], for loops of one's own: see [`RecurrentCell`].
#[doc(alias = "nn.GRUCell")]
pub type GruCell = RecurrentCell<GruUnit>;

impl Unit for GruUnit {
    type State<T: Float> = Var<T>;
}

impl Steps for GruUnit {
    const NAME: &'static str = "gru";
    const LAYER: &'static str = "Gru";
    const GATES: usize = 3;
    const PARTS: usize = 1;
    // The reset gate multiplies the bias of the state.
    const BIASES_ADD: bool = false;

    fn next<T: Float>(&self, of_input: &Var<T>, weights: &InForce<T>, state: &[Var<T>]) -> Vec<Var<T>> {
        vec![of_input.gru_gates(&weights.of_state(&state[0]), &state[0])]
    }

    fn sequence<T: Float>(
        &self,
        of_inputs: &Var<T>,
        weights: &InForce<T>,
        state: &[Var<T>],
        reverse: bool,
    ) -> Option<(Var<T>, Option<Var<T>>)> {
        let bias = weights.of_state.as_ref();
        Some((of_inputs.gru_sequence(&weights.hh, bias, &state[0], reverse), None))
    }

    fn state<T: Float>(mut parts: Vec<Var<T>>) -> Var<T> {
        parts.remove(0)
    }
}
