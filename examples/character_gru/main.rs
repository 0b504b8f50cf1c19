//! A network that writes, character by character.
//!
//! `cargo run --release --example character_gru -- --help` lists the options.

mod model;

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use wengert::data::Windows;
use wengert::data::text::{Bytes, Tokenizer};
use wengert::prelude::*;
use wengert::train::Progress;
use wengert_examples::corpus;

use model::{Writer, bits_per_character};

/// Trains a gated recurrent unit to tell the next character of a text, and lets it write.
#[derive(Debug, Parser)]
#[command(name = "character_gru", version)]
struct Arguments {
    /// A text to learn from; by default the guides and documentation of this repository
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Passes over the text
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Hidden units
    #[arg(long, default_value_t = 256)]
    hidden: usize,
    /// Characters that derivatives go back
    #[arg(long, default_value_t = 100)]
    length: usize,
    /// Pieces of that length per step
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,
    /// Learning rate of Adam at the start, falling along a cosine to 0
    #[arg(long, default_value_t = 4e-3)]
    lr: f64,
    /// Characters to write in the end
    #[arg(long, default_value_t = 400)]
    sample: usize,
    /// What the logarithms of the probabilities are divided by when it writes: less is bolder, more is wilder
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// What the writing starts with
    #[arg(long, default_value = "The ")]
    prompt: String,
    /// Seed of the initial weights, the shuffling and the writing
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// One epoch of a small network over a tenth of the text, to see that everything works
    #[arg(long, conflicts_with = "epochs")]
    quick: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        (arguments.epochs, arguments.hidden, arguments.length) = (1, 48, 40);
    }
    let (text, name) = corpus::load(arguments.text.as_deref())?;
    let (mut train, held_out) = text.held_out(0.1)?;
    let mut held_out = held_out.tokens(&Bytes);
    if arguments.quick {
        (train, held_out) = (train.held_out(0.1)?.1, held_out.slice(..held_out.len().min(2000)));
    }
    println!("text: {name}; {} bytes to learn from, {} held out", train.bytes().len(), held_out.len());

    let data =
        Dataset::new(Windows::next(&train.tokens(&Bytes), arguments.length)?.stride(arguments.length)?)?;
    let mut params = Params::seeded(arguments.seed);
    let writer = Writer::new(params.root(), Bytes.vocabulary(), arguments.hidden);
    println!("{} parameters, {} pieces of {} characters", params.len(), data.len(), arguments.length);

    let batch = arguments.batch_size as usize;
    let steps = arguments.epochs * data.len().div_ceil(batch) as u64;
    let mut run = Trainer::new(&mut params, Adam::new(arguments.lr))
        .schedule(schedule::Cosine::new(arguments.lr, steps))
        .clip_norm(1.0)
        .observe(Progress::new())
        .start()?;
    for epoch in run.epochs(arguments.epochs)? {
        for (characters, next) in epoch.batches(data.batches(batch).shuffled(arguments.seed))? {
            run.step(|cx| writer.loss(cx, &characters, &next))?;
        }
        let bits = run.evaluated(|params| bits_per_character(&writer, params, &held_out));
        run.record("held out", &[("bits per character".to_owned(), bits)])?;
    }
    run.finish()?;

    let mut random = Generator::seeded(arguments.seed);
    let prompt = Bytes.encode(arguments.prompt.as_bytes());
    let written = writer.write(&params, &prompt, arguments.sample, arguments.temperature, &mut random);
    println!("\n{}{}", arguments.prompt, Bytes.decode_text(&written)?);
    Ok(std::io::stdout().flush()?)
}
