//! A small GPT that reads this repository's guides character by character, and then writes on.
//!
//! `cargo run --release --example gpt -- --help` lists the options; `--text FILE` lets it read something else. It prints
//! how many bits it needs for a character of the last tenth, which it did not learn from.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use wengert::nn::{
    Embedding, FeedForward, KeyValueCache, RotaryPositions, Sampling, TransformerBuilder, TransformerEncoder,
};
use wengert::prelude::*;
use wengert::tape::AttentionMask;

#[derive(Debug, Parser)]
#[command(about = "Trains a small GPT on text, and lets it write")]
struct Arguments {
    /// The text to learn; by default the guides of this repository
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Steps of training
    #[arg(long, default_value_t = 2000)]
    steps: usize,
    /// Transformer layers
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Features of a position
    #[arg(long, default_value_t = 128)]
    width: usize,
    /// Characters that it sees at once
    #[arg(long, default_value_t = 128)]
    context: usize,
    /// What scores are divided by before a character is drawn; 0 takes the likeliest
    #[arg(long, default_value_t = 0.8)]
    temperature: f64,
    /// Draws among that many likeliest characters
    #[arg(long, default_value_t = 40)]
    top_k: usize,
    /// Draws among the likeliest characters of that probability together
    #[arg(long, default_value_t = 0.95)]
    top_p: f64,
    /// What it writes on from
    #[arg(long, default_value = "The gradient of ")]
    prompt: String,
    /// Characters to write
    #[arg(long, default_value_t = 400)]
    length: usize,
    /// A much shorter run, to see that everything works
    #[arg(long)]
    quick: bool,
}

const BATCH: usize = 16;

struct Gpt {
    characters: Embedding,
    blocks: TransformerEncoder,
    out: Linear,
}

impl Gpt {
    fn new(p: &mut Params, characters: usize, arguments: &Arguments) -> Self {
        let (width, heads) = (arguments.width, 4);
        let blocks = TransformerBuilder::new(width, heads)
            .feed_forward(4 * width)
            .activation(FeedForward::Gelu)
            .norm_first()
            .final_norm()
            .rotary(RotaryPositions::new(width / heads));
        Gpt {
            characters: Embedding::new(p.at("characters"), characters, width),
            blocks: blocks.encoder(p.at("blocks"), arguments.layers),
            out: Linear::new(p.at("out"), width, characters),
        }
    }

    /// The scores of the characters behind those of `[batch, length]`.
    fn scores(&self, cx: &Ctx, text: &Tensor<u32>) -> Var {
        let x = self.blocks.forward_masked(cx, &self.characters.forward(cx, text), &AttentionMask::causal());
        self.out.forward(cx, &x)
    }

    /// The mean loss of windows of text, each one character longer than what is read.
    fn loss(&self, cx: &Ctx, windows: &Tensor<u32>) -> Var {
        let length = windows.dim(1) as isize;
        self.scores(cx, &windows.slice_axis(1, ..length - 1))
            .cross_entropy(&windows.slice_axis(1, 1..).contiguous())
    }

    /// The scores of what comes behind new characters, whose predecessors are in the caches.
    fn next(&self, params: &Params, new: &[u32], caches: &mut [KeyValueCache]) -> Vec<f32> {
        let scores = params.infer(|cx| {
            let x = self.characters.forward(cx, &Tensor::vector(new).unsqueeze(0));
            let x = self.blocks.decode(cx, &x, caches);
            self.out.forward(cx, &x.select(1, -1))
        });
        scores.value().to_vec()
    }
}

/// All guides, one after the other.
fn guides() -> std::io::Result<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("CHANGELOG.md")];
    for folder in ["docs", "docs/guide"] {
        for entry in std::fs::read_dir(root.join(folder))? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|e| e == "md") && file.is_file());
    files.sort();
    files.into_iter().map(std::fs::read).collect::<Result<Vec<_>, _>>().map(|texts| texts.concat())
}

/// Windows of text that begin at these positions.
fn windows(text: &[u32], starts: &[usize], length: usize) -> Tensor<u32> {
    Tensor::from_fn([starts.len(), length], |i| text[starts[i[0]] + i[1]])
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        (arguments.steps, arguments.layers, arguments.width) = (30, 1, 32);
        (arguments.context, arguments.length) = (32, 60);
    }
    let bytes = match &arguments.text {
        Some(file) => std::fs::read(file)?,
        None => guides()?,
    };
    let mut alphabet: Vec<u8> = bytes.clone();
    alphabet.sort_unstable();
    alphabet.dedup();
    let number = |byte: &u8| alphabet.binary_search(byte).ok().map(|i| i as u32);
    let text: Vec<u32> = bytes.iter().filter_map(number).collect();
    let (train, test) = text.split_at(text.len() - text.len() / 10);
    let window = arguments.context + 1;
    if test.len() <= window {
        return Err(
            format!("a text of {} characters is too short for windows of {window}", text.len()).into()
        );
    }

    let mut params = Params::seeded(0);
    let gpt = Gpt::new(&mut params, alphabet.len(), &arguments);
    println!("{} characters of {} kinds, {} parameters", text.len(), alphabet.len(), params.len());
    let bits = |params: &Params| {
        let starts: Vec<usize> = (0..test.len() - window).step_by(arguments.context).collect();
        let starts = if arguments.quick { &starts[..1] } else { &starts[..] };
        let losses = starts.chunks(BATCH).map(|starts| {
            let loss = params.infer(|cx| gpt.loss(cx, &windows(test, starts, window)));
            f64::from(loss.item()) * starts.len() as f64
        });
        losses.sum::<f64>() / starts.len() as f64 / std::f64::consts::LN_2
    };
    let mut adam = AdamW::new(2e-3);
    let rate = schedule::Cosine::new(2e-3, arguments.steps as u64);
    let mut generator = Generator::seeded(1);
    let start = Instant::now();
    for step in 0..arguments.steps {
        let starts: Vec<usize> =
            (0..BATCH).map(|_| generator.below((train.len() - window) as u64) as usize).collect();
        let batch = windows(train, &starts, window);
        let (loss, grads) = params.value_and_grad(|cx| gpt.loss(cx, &batch))?;
        adam.set_learning_rate(rate.at(step as u64));
        adam.step(&mut params.values_mut(), &grads);
        if step % (arguments.steps / 10).max(1) == 0 {
            let bits_of_batch = f64::from(loss) / std::f64::consts::LN_2;
            println!(
                "step {step:5}: {bits_of_batch:.3} bits per character, {:.0} s",
                start.elapsed().as_secs_f64()
            );
        }
    }
    println!("the last tenth: {:.3} bits per character", bits(&params));

    let sampling =
        Sampling::new().temperature(arguments.temperature).top_k(arguments.top_k).top_p(arguments.top_p);
    let mut written: Vec<u32> = arguments.prompt.bytes().filter_map(|byte| number(&byte)).collect();
    if written.is_empty() {
        written.push(text[0]);
    }
    let start = Instant::now();
    let mut caches = gpt.blocks.caches();
    let mut new = written.clone();
    for _ in 0..arguments.length {
        // Longer than what it has learned, it begins again with the last half.
        if caches[0].len() + new.len() > arguments.context {
            caches = gpt.blocks.caches();
            new = written[written.len().saturating_sub(arguments.context / 2)..].to_vec();
        }
        let scores = gpt.next(&params, &new, &mut caches);
        new = vec![sampling.sample(&scores, &mut generator)];
        written.extend(&new);
    }
    let letters: Vec<u8> = written.iter().map(|&i| alphabet[i as usize]).collect();
    println!("{}", String::from_utf8_lossy(&letters));
    println!("({:.0} characters per second)", arguments.length as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
