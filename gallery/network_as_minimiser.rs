//! A network that minimises a function: its input is the constant 1, and it learns to answer with the minimiser of
//! x₁² + x₂² + x₃².

use clap::Parser;
use wengert::prelude::*;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Panel, Series};

/// The network, 1-4-2-3.
struct Network {
    first: Linear,
    second: Linear,
    out: Linear,
}

impl Network {
    fn new(p: &mut Params<f64>) -> Self {
        Network {
            first: Linear::new(p.at("first"), 1, 4),
            second: Linear::new(p.at("second"), 4, 2),
            out: Linear::new(p.at("out"), 2, 3),
        }
    }
}

impl Layer<f64> for Network {
    fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        let x = self.first.forward(cx, x).tanh();
        self.out.forward(cx, &self.second.forward(cx, &x).tanh())
    }
}

/// Trains a 1-4-2-3 network to give the minimiser of x₁² + x₂² + x₃².
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Seed of the initial weights
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, seed } = Arguments::parse();
    let mut params = Params::<f64>::seeded(seed);
    let network = Network::new(&mut params);
    let one = Var::constant(Tensor::from([[1.0f64]]));
    let mut descent = Sgd::<f64>::new(0.05);

    let (mut values, mut outputs) = (Vec::new(), [const { Vec::new() }; 3]);
    // Even the short run is long enough.
    for step in 0..=options.steps(400, 300) {
        let x = params.infer(|cx| network.forward(cx, &one)).value().to_vec();
        for (output, &x) in outputs.iter_mut().zip(&x) {
            output.push((step as f64, x));
        }
        let (value, grads) = params.value_and_grad(|cx| network.forward(cx, &one).powi(2).sum())?;
        values.push((step as f64, value));
        if step % 50 == 0 {
            println!("step {step:4}: value {value:.3e} at ({:+.6}, {:+.6}, {:+.6})", x[0], x[1], x[2]);
        }
        descent.step(&mut params.values_mut(), &grads);
    }
    let value = values.last().map_or(f64::NAN, |last| last.1);

    let curve = Panel::new(Axis::new("step"), Axis::log("value of the function").range(1e-16, 10.0))
        .with(Series::line("value", 0, values));
    let answers = outputs
        .into_iter()
        .zip(["output 1", "output 2", "output 3"])
        .enumerate()
        .fold(Panel::new(Axis::new("step"), Axis::new("output")), |panel, (i, (points, name))| {
            panel.with(Series::line(name, i + 1, points))
        });
    let files = Figure::new(
        "A 1-4-2-3 network learns the minimiser of x₁² + x₂² + x₃²",
        vec![curve, answers],
    )
    .note(
        "Its input is the constant 1, its loss the function's value at its output. SGD, learning rate 0.05.",
    )
    .size(1100, 460)
    .save(&options.out, "network_as_minimiser")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    if value.is_nan() || value >= 1e-6 {
        return Err(format!("the value is {value:e}, which is not below 1e-6").into());
    }
    Ok(())
}
