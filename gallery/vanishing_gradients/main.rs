//! How far gradients reach back: their norms by time and by layer for simple, LSTM and gated units over a hundred steps,
//! where they vanish, where they explode, and what clipping does about it.

mod clipping;
mod units;

use clap::Parser;
use wengert::prelude::*;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Panel, Series};

use units::KINDS;

/// The least norm that is drawn.
const FLOOR: f64 = 1e-30;

/// Draws the norms of gradients by time and layer.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Hidden units of each layer
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Layers one on top of the other, in the second picture of each kind
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Seed of the weights and the inputs
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, hidden, layers, seed } = Arguments::parse();
    let (steps, hidden) =
        (options.steps(100, 30) as usize, if options.quick { hidden.min(16) } else { hidden });
    let norm = || Axis::log("norm of the gradient").range(1e-20, 1e20);
    let mut panels = Vec::new();
    for (scale, title) in [(1.0, "weights as they start"), (4.0, "recurrent weights four times as large")] {
        println!(
            "gradient of the last output, by the state of step 1, {}, {}; {title}",
            steps / 2,
            steps - 1
        );
        let mut panel = Panel::new(Axis::new("step"), norm()).titled(format!("One layer, {title}"));
        for (look, kind) in KINDS.into_iter().enumerate() {
            let norms = units::norms(kind, [hidden, 1, steps], scale, seed);
            let of_time = &norms[0];
            let shown = [0, steps / 2 - 1, steps - 2].map(|t| format!("{:12.1e}", of_time[t]));
            println!("  {:10}{}", kind.name(), shown.concat());
            panel = panel.with(Series::line(kind.name(), look, curve(of_time)));
        }
        panels.push(panel);
    }

    let mut panel = Panel::new(Axis::new("layer"), Axis::log("norm of the gradient"))
        .titled("By layer, all steps together");
    for (look, kind) in KINDS.into_iter().enumerate() {
        let norms = units::norms(kind, [hidden, layers, steps], 1.0, seed);
        let by_layer: Vec<f64> =
            norms.iter().map(|layer| layer.iter().map(|n| n * n).sum::<f64>().sqrt()).collect();
        panel = panel.with(Series::path(kind.name(), look, curve(&by_layer)));
    }
    panels.push(panel);

    let mut panel = Panel::new(Axis::new("step of training"), Axis::log("norm of the gradient, loss"))
        .titled("A simple network that explodes, and clipping");
    for (look, limit) in [None, Some(1.0)].into_iter().enumerate() {
        let run = clipping::train(limit, options.steps(300, 20), seed)?;
        let name = limit.map_or("not clipped".to_owned(), |limit| format!("clipped at {limit}"));
        println!(
            "{name:12} largest norm {:.1e}, last loss {:.3}",
            run.norms.iter().fold(0.0f64, |m, &n| m.max(n)),
            run.losses.last().copied().unwrap_or(f64::NAN)
        );
        panel = panel.with(Series::line(format!("norm, {name}"), look, curve(&run.norms)));
        panel = panel.with(Series::line(format!("loss, {name}"), look + 2, curve(&run.losses)));
    }
    panels.push(panel);

    let files = Figure::new("How far gradients reach back", panels)
        .note(format!(
            "Layers of {hidden} units, {steps} steps; the gradient is that of the last output's square."
        ))
        .columns(2)
        .size(1300, 1000)
        .save(&options.out, "vanishing_gradients")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// Numbers at 1, 2, 3 …
fn curve(values: &[f64]) -> Vec<(f64, f64)> {
    let drawn = |v: f64| if v.is_finite() { v.max(FLOOR) } else { f64::MAX.sqrt() };
    values.iter().zip(1..).map(|(&v, i)| (f64::from(i), drawn(v))).collect()
}

/// A generator's numbers as a variable.
fn normal(shape: [usize; 3], random: &mut Generator) -> Var<f64> {
    Var::constant(Tensor::from_fn(shape, |_| random.normal()))
}
