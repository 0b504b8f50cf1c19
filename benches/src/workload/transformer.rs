//! Training one block of a transformer's encoder.

use wengert::prelude::*;

use super::data::Data;
use super::layer_norm::EPSILON;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};

const BATCH: usize = 16;
const LENGTH: usize = 64;
const WIDTH: usize = 128;
const HEADS: usize = 4;
const INNER: usize = 512;

/// A pre-norm block of width 128 with four heads and GELU, mean squared error against a random target; sequences
/// of 64, batch 16, Adam.
pub(super) fn transformer() -> Workload {
    problem().training(adam()).floor(floor()).note(COMPOSED)
}

/// The same, replayed.
pub(super) fn transformer_replay() -> Workload {
    problem().replayed_training(adam()).floor(floor()).note(COMPOSED)
}

const COMPOSED: &str = "attention composed of tape operations";

fn floor() -> Floor {
    Floor::default()
        .products(3, [BATCH * LENGTH, 4 * WIDTH + 2 * INNER, WIDTH])
        .products(3 * 2, [BATCH * HEADS * LENGTH, LENGTH, WIDTH / HEADS])
}

/// The block and its loss.
pub(super) fn problem() -> Problem {
    let mut data = Data::seeded(0);
    let [x, target] = [(); 2].map(|()| data.normal_var([BATCH, LENGTH, WIDTH]));
    let mut params = Params::seeded(1);
    let block = Block::new(&mut params);
    Problem::fitting(params, x, target, move |cx, x| block.forward(cx, x))
}

struct Block {
    norms: [Norm; 2],
    queries_keys_values: Linear,
    out: Linear,
    expand: Linear,
    contract: Linear,
}

impl Block {
    fn new(p: &mut Params) -> Self {
        Block {
            norms: [Norm::new(p.at("norm1")), Norm::new(p.at("norm2"))],
            queries_keys_values: Linear::new(p.at("qkv"), WIDTH, 3 * WIDTH),
            out: Linear::new(p.at("out"), WIDTH, WIDTH),
            expand: Linear::new(p.at("expand"), WIDTH, INNER),
            contract: Linear::new(p.at("contract"), INNER, WIDTH),
        }
    }

    fn attend(&self, cx: &Ctx, x: &Var) -> Var {
        let each = WIDTH / HEADS;
        let heads = self.queries_keys_values.forward(cx, x).reshape([BATCH, LENGTH, 3, HEADS, each]);
        // [3, batch, heads, length, each]
        let heads = heads.permute([2, 0, 3, 1, 4]);
        let [q, k, v] = [0, 1, 2].map(|i| heads.select(0, i));
        let scores = q.matmul(&k.t()) * (1.0 / (each as f64).sqrt());
        let mixed = scores.softmax(-1).matmul(&v).transpose(1, 2);
        self.out.forward(cx, &mixed.reshape([BATCH, LENGTH, WIDTH]))
    }
}

impl Layer for Block {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let x = x + self.attend(cx, &self.norms[0].forward(cx, x));
        let inner = self.expand.forward(cx, &self.norms[1].forward(cx, &x)).gelu();
        &x + self.contract.forward(cx, &inner)
    }
}

struct Norm {
    gain: ParamId,
    bias: ParamId,
}

impl Norm {
    fn new(mut p: Scope<'_>) -> Self {
        Norm { gain: p.param("weight", [WIDTH], Init::Ones), bias: p.param("bias", [WIDTH], Init::Zeros) }
    }
}

impl Layer for Norm {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        x.layer_norm(&cx.param(self.gain), &cx.param(self.bias), EPSILON)
    }
}
