//! Training a gated recurrent unit.

use wengert::nn::Gru;
use wengert::prelude::*;

use super::data::Data;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};

const STEPS: usize = 28;
const FEATURES: usize = 28;
const HIDDEN: usize = 128;
const BATCH: usize = 64;

/// 28 steps of 28 features, hidden 128, the last state classified; batch 64, Adam.
pub(super) fn gru() -> Workload {
    of_layer().training(adam()).floor(floor())
}

/// The same, replayed.
pub(super) fn gru_replay() -> Workload {
    of_layer().replayed_training(adam()).floor(floor())
}

fn of_layer() -> Problem {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([STEPS, BATCH, FEATURES]), data.labels(BATCH, 10));
    let mut params = Params::seeded(1);
    let layer = Gru::new(params.at("gru"), FEATURES, HIDDEN);
    let out = Linear::new(params.at("out"), HIDDEN, 10);
    let outputs = move |cx: &Ctx, x: &Var| out.forward(cx, &layer.forward(cx, x).select(0, -1));
    Problem::classifying(params, x, labels, outputs)
}

/// The input is data, and the first state zero.
fn floor() -> Floor {
    Floor::default()
        .products(2, [STEPS * BATCH, 3 * HIDDEN, FEATURES])
        .products(3 * (STEPS - 1), [BATCH, 3 * HIDDEN, HIDDEN])
        .products(3, [BATCH, 10, HIDDEN])
}

/// The model and its loss, composed of the tape's operations: products with the Hessian are measured by these.
pub(super) fn problem() -> Problem {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([STEPS, BATCH, FEATURES]), data.labels(BATCH, 10));
    let mut params = Params::seeded(1);
    let input = Linear::new(params.at("input"), FEATURES, 3 * HIDDEN);
    let state = Linear::new(params.at("state"), HIDDEN, 3 * HIDDEN);
    let out = Linear::new(params.at("out"), HIDDEN, 10);
    let outputs = move |cx: &Ctx, x: &Var| {
        // The products with the inputs do not wait for the states.
        let from_inputs = input.forward(cx, x);
        let mut h = Var::zeros([BATCH, HIDDEN]);
        for t in 0..STEPS as isize {
            let gates = Gates::split(&from_inputs.select(0, t));
            h = gates.next(&h, &Gates::split(&state.forward(cx, &h)));
        }
        out.forward(cx, &h)
    };
    Problem::classifying(params, x, labels, outputs)
}

/// What the three gates get from the input or from the state.
struct Gates {
    reset: Var,
    update: Var,
    new: Var,
}

impl Gates {
    fn split(all: &Var) -> Self {
        let mut parts = all.chunk(3, -1).into_iter();
        let mut next = || parts.next().expect("three parts");
        Gates { reset: next(), update: next(), new: next() }
    }

    /// The next state: (1 − z)·n + z·h with r, z = σ(…) and n = tanh(nᵢ + r·nₕ), as in PyTorch.
    fn next(self, h: &Var, from_state: &Gates) -> Var {
        let r = (self.reset + &from_state.reset).sigmoid();
        let z = (self.update + &from_state.update).sigmoid();
        let n = (self.new + r * &from_state.new).tanh();
        &n + z * (h - &n)
    }
}
