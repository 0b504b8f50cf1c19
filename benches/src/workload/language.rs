//! Models of language: an encoder's layer, a small GPT, and writing with it.

use std::hint::black_box;

use wengert::nn::{Embedding, FeedForward, RotaryPositions, TransformerBuilder, TransformerEncoder};
use wengert::prelude::*;
use wengert::tape::AttentionMask;

use super::data::Data;
use super::problem::{Batch, Problem};
use super::training::adam;
use super::{Floor, Workload};

/// What the blocks of a transformer are made of.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    length: usize,
    width: usize,
    heads: usize,
}

impl Sizes {
    /// What one block does in a train step, all of its scores counted, whether the mask hides them or not.
    fn floor_of_block(self) -> Floor {
        let Sizes { batch, length, width, heads } = self;
        // Queries, keys, values and what they give; two layers of four times the width.
        let layers = Floor::default().products(3, [batch * length, 4 * width + 8 * width, width]);
        layers.products(3 * 2, [batch * heads * length, length, width / heads])
    }
}

/// A post-norm encoder layer of width 384 with 12 heads, 1536 units between and GELU; 8 sequences of 128, mean squared
/// error against a random target, no dropout, Adam.
pub(super) fn bert_layer() -> Workload {
    let sizes = Sizes { batch: 8, length: 128, width: 384, heads: 12 };
    let mut data = Data::seeded(0);
    let [x, target] = [(); 2].map(|()| data.normal_var([sizes.batch, sizes.length, sizes.width]));
    let mut params = Params::seeded(1);
    let layer = TransformerBuilder::new(sizes.width, sizes.heads)
        .feed_forward(4 * sizes.width)
        .activation(FeedForward::Gelu)
        .dropout(0.0)
        .encoder_layer(params.at("layer"));
    Problem::fitting(params, x, target, move |cx, x| layer.forward(cx, x))
        .training(adam())
        .floor(sizes.floor_of_block())
}

const GPT: Sizes = Sizes { batch: 16, length: 128, width: 128, heads: 4 };
const LAYERS: usize = 4;
const CHARACTERS: usize = 96;

/// The model of the example `gpt`, without its dropout: four pre-norm layers of width 128 with 4 heads, rotary
/// positions, 96 characters.
struct Gpt {
    characters: Embedding,
    blocks: TransformerEncoder,
    out: Linear,
}

impl Gpt {
    fn new(p: &mut Params) -> Self {
        let blocks = TransformerBuilder::new(GPT.width, GPT.heads)
            .feed_forward(4 * GPT.width)
            .activation(FeedForward::Gelu)
            .norm_first()
            .final_norm()
            .dropout(0.0)
            .rotary(RotaryPositions::new(GPT.width / GPT.heads));
        Gpt {
            characters: Embedding::new(p.at("characters"), CHARACTERS, GPT.width),
            blocks: blocks.encoder(p.at("blocks"), LAYERS),
            out: Linear::new(p.at("out"), GPT.width, CHARACTERS),
        }
    }
}

/// Train steps on 16 windows of 128 characters, Adam.
pub(super) fn gpt_small() -> Workload {
    let mut data = Data::seeded(0);
    let mut windows =
        || data.labels(GPT.batch * GPT.length, CHARACTERS as u64).reshape([GPT.batch, GPT.length]);
    let (text, next) = (windows(), windows());
    let mut params = Params::seeded(1);
    let gpt = Gpt::new(&mut params);
    let outputs = move |cx: &Ctx, (_, text): &Batch| {
        let x = gpt.characters.forward(cx, text[0].value());
        gpt.out.forward(cx, &gpt.blocks.forward_masked(cx, &x, &AttentionMask::causal()))
    };
    let blocks = LAYERS as f64 * GPT.floor_of_block().operations;
    let floor =
        Floor::default().arithmetic(blocks).products(3, [GPT.batch * GPT.length, CHARACTERS, GPT.width]);
    let batch = (Vec::new(), vec![text.into(), next.into()]);
    Problem::new(params, batch, outputs, |y, (_, text)| y.cross_entropy(&text[1]))
        .training(adam())
        .floor(floor)
}

/// The scores of the character behind one new one, 64 earlier ones being in the caches.
pub(super) fn infer_token() -> Workload {
    const EARLIER: usize = 64;
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let gpt = Gpt::new(&mut params);
    let mut caches = gpt.blocks.caches();
    let mut scores = move |text: &Tensor<u32>| {
        caches.iter_mut().for_each(|cache| cache.truncate(EARLIER));
        let scores = params.infer(|cx| {
            let x = gpt.blocks.decode(cx, &gpt.characters.forward(cx, text), &mut caches);
            gpt.out.forward(cx, &x.select(1, -1))
        });
        black_box(scores.value());
    };
    let mut text = |length| data.labels(length, CHARACTERS as u64).reshape([1, length]);
    scores(&text(EARLIER));
    let new = text(1);
    Workload::new(move || scores(&new))
}
