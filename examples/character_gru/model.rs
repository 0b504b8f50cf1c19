//! The network, what it is measured by, and how it writes.

use wengert::nn::{Embedding, Gru};
use wengert::prelude::*;

/// Characters read at once where no derivative is taken.
const PIECE: usize = 256;

/// An embedding of characters, a gated recurrent unit, and the logits of the next character.
pub(crate) struct Writer {
    embedding: Embedding,
    gru: Gru,
    out: Linear,
}

impl Writer {
    pub(crate) fn new(mut p: Scope, vocabulary: usize, hidden: usize) -> Self {
        let width = hidden.min(64);
        Writer {
            embedding: Embedding::new(p.at("embedding"), vocabulary, width),
            gru: Gru::builder(width, hidden).batch_first().build(p.at("gru")),
            out: Linear::new(p.at("out"), hidden, vocabulary),
        }
    }

    /// The logits behind each of the characters `[batch, steps]`, and the state at the end.
    fn read(&self, cx: &Ctx, characters: &Tensor<u32>, state: Option<&Var>) -> (Var, Var) {
        let (y, state) = self.gru.run(cx, &self.embedding.forward(cx, characters), state);
        (self.out.forward(cx, &y), state)
    }

    /// The mean cross-entropy of the next characters.
    pub(crate) fn loss(&self, cx: &Ctx, characters: &Tensor<u32>, next: &Tensor<u32>) -> Var {
        self.read(cx, characters, None).0.cross_entropy(next)
    }

    /// Draws `count` characters that follow a prompt.
    pub(crate) fn write(
        &self,
        params: &Params,
        prompt: &[u32],
        count: usize,
        temperature: f64,
        random: &mut Generator,
    ) -> Vec<u32> {
        let (mut state, mut input, mut written) = (None, prompt.to_vec(), Vec::new());
        while written.len() < count && !input.is_empty() {
            let (logits, next) = params
                .infer(|cx| self.read(cx, &Tensor::vector(&input).reshape([1, input.len()]), state.as_ref()));
            state = Some(next);
            let last = logits.select(0, 0).select(0, -1) / temperature.max(1e-6);
            let character = draw(&last.softmax(-1).value().to_vec(), random);
            written.push(character);
            input = vec![character];
        }
        written
    }
}

/// One of the numbers, by their probabilities.
fn draw(probabilities: &[f32], random: &mut Generator) -> u32 {
    let mut rest = random.uniform();
    for (number, &p) in probabilities.iter().enumerate() {
        rest -= f64::from(p);
        if rest < 0.0 {
            return number as u32;
        }
    }
    // The probabilities sum up to a little less than 1.
    (probabilities.len() - 1) as u32
}

/// How many bits a character of this text takes, read from its start to its end.
pub(crate) fn bits_per_character(writer: &Writer, params: &Params, text: &Tensor<u32>) -> f64 {
    let (mut state, mut nats, count) = (None, 0.0, text.len() - 1);
    for start in (0..count).step_by(PIECE) {
        let end = (start + PIECE).min(count);
        let row = |from: usize| text.slice(from..from + end - start).reshape([1, end - start]);
        let (loss, next) = params.infer(|cx| {
            let (logits, next) = writer.read(cx, &row(start), state.as_ref());
            (logits.cross_entropy(&row(start + 1)).item(), next)
        });
        nats += f64::from(loss) * (end - start) as f64;
        state = Some(next);
    }
    nats / count as f64 / std::f64::consts::LN_2
}
