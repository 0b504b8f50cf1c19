//! Stacks of cells of every kind, and the gradients that reach their states.

use wengert::nn::{GruCell, LstmCell, LstmState, RnnCell};
use wengert::prelude::*;

use crate::normal;

/// Sequences at once.
const BATCH: usize = 8;

/// What a cell computes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Logistic,
    Tanh,
    Relu,
    Lstm,
    Gru,
}

pub(crate) const KINDS: [Kind; 5] = [Kind::Logistic, Kind::Tanh, Kind::Relu, Kind::Lstm, Kind::Gru];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Logistic => "logistic",
            Kind::Tanh => "tanh",
            Kind::Relu => "relu",
            Kind::Lstm => "LSTM",
            Kind::Gru => "GRU",
        }
    }
}

/// A cell of any kind with its state.
enum Unit {
    /// σ(W·x + U·h), which the library has no cell for.
    Logistic {
        input: Linear,
        state: Linear,
    },
    Simple(RnnCell),
    Lstm(LstmCell),
    Gru(GruCell),
}

impl Unit {
    fn new(kind: Kind, mut p: Scope<'_, f64>, input: usize, hidden: usize) -> Self {
        match kind {
            Kind::Logistic => Unit::Logistic {
                input: Linear::new(p.at("weight_ih"), input, hidden),
                state: Linear::new(p.at("weight_hh"), hidden, hidden),
            },
            Kind::Tanh => Unit::Simple(RnnCell::new(p.at("cell"), input, hidden)),
            Kind::Relu => Unit::Simple(RnnCell::builder(input, hidden).relu().build(p.at("cell"))),
            Kind::Lstm => Unit::Lstm(LstmCell::new(p.at("cell"), input, hidden)),
            Kind::Gru => Unit::Gru(GruCell::new(p.at("cell"), input, hidden)),
        }
    }

    /// The next output and what the cell holds, which is the same but for the LSTM.
    fn step(&self, cx: &Ctx<f64>, x: &Var<f64>, [h, c]: &[Var<f64>; 2]) -> [Var<f64>; 2] {
        let h = match self {
            Unit::Logistic { input, state } => (input.forward(cx, x) + state.forward(cx, h)).sigmoid(),
            Unit::Simple(cell) => cell.step(cx, x, h),
            Unit::Gru(cell) => cell.step(cx, x, h),
            Unit::Lstm(cell) => {
                let LstmState { h, c } = cell.step(cx, x, &LstmState { h: h.clone(), c: c.clone() });
                return [h, c];
            }
        };
        [h.clone(), h]
    }
}

/// The norms of the gradient of the last output's mean square by the outputs of each layer at each step. The recurrent weights
/// start as usual, times `scale`.
pub(crate) fn norms(kind: Kind, [hidden, layers, steps]: [usize; 3], scale: f64, seed: u64) -> Vec<Vec<f64>> {
    let mut params: Params<f64> = Params::seeded(seed);
    let units: Vec<Unit> =
        (0..layers).map(|layer| Unit::new(kind, params.at(layer.to_string()), hidden, hidden)).collect();
    let names: Vec<String> = params.iter().map(|(name, ..)| name.to_owned()).collect();
    for name in names.iter().filter(|name| name.contains("weight_hh") && !name.ends_with("bias")) {
        let id = params.id(name).expect("a parameter of that name");
        params.slice_mut(id).iter_mut().for_each(|w| *w *= scale);
    }
    let xs = normal([steps, BATCH, hidden], &mut Generator::seeded(seed));
    // Zeros that are added to each output: the gradient by them is the one by the output.
    let probes: Vec<Var<f64>> = vec![Var::zeros([BATCH, hidden]); layers * steps];
    let loss = |probes: &Vec<Var<f64>>| {
        params.infer(|cx| {
            let start = [Var::zeros([BATCH, hidden]), Var::zeros([BATCH, hidden])];
            let mut states = vec![start; layers];
            for step in 0..steps {
                let mut x = xs.select(0, step as isize);
                for (layer, (unit, state)) in units.iter().zip(&mut states).enumerate() {
                    let [h, c] = unit.step(cx, &x, state);
                    let h = h + &probes[layer * steps + step];
                    x = h.clone();
                    *state = [h, c];
                }
            }
            states[layers - 1][0].square().mean()
        })
    };
    let gradients = grad(loss, &probes);
    let norm = |g: &Var<f64>| g.square().sum().sqrt().item();
    gradients.chunks(steps).map(|layer| layer.iter().map(norm).collect()).collect()
}
