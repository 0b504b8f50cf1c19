//! A variational autoencoder (Kingma and Welling, "Auto-encoding variational Bayes", 2014) of digits with a code of two
//! numbers, so that all codes can be looked at: where the digits lie in the plane, and what the decoder draws there.

use clap::Parser;
use wengert::nn::{BceWithLogits, Reduction};
use wengert::prelude::*;
use wengert::train::Progress;
use wengert_examples::pictures::side_by_side;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Mark, Panel, Series};

/// Learns codes of two numbers for digits, draws them, and prints what the decoder makes of a grid of codes.
#[derive(Debug, Parser)]
#[command(name = "variational_autoencoder")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Passes over the digits
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    digits: usize,
    /// Seed of the initial weights, the shuffling and the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

const PIXELS: usize = 784;
const HIDDEN: usize = 256;
/// Numbers of a code.
const CODE: usize = 2;

struct Vae {
    hidden: Linear,
    /// The mean of the code's distribution, and the logarithm of its variance.
    mean: Linear,
    log_variance: Linear,
    decoder: Sequential,
}

impl Vae {
    fn new(params: &mut Params) -> Self {
        Vae {
            hidden: Linear::new(params.at("encoder.hidden"), PIXELS, HIDDEN),
            mean: Linear::new(params.at("encoder.mean"), HIDDEN, CODE),
            log_variance: Linear::new(params.at("encoder.log_variance"), HIDDEN, CODE),
            decoder: Sequential::builder(params.at("decoder"))
                .with(|p| Linear::new(p, CODE, HIDDEN))
                .then(Tanh)
                .with(|p| Linear::new(p, HIDDEN, HIDDEN))
                .then(Relu)
                .with(|p| Linear::new(p, HIDDEN, PIXELS))
                .build(),
        }
    }

    fn encode(&self, cx: &Ctx, images: &Var) -> (Var, Var) {
        let hidden = self.hidden.forward(cx, images).relu();
        (self.mean.forward(cx, &hidden), self.log_variance.forward(cx, &hidden))
    }

    /// The bound on −ln p(image), in nats: what the reconstruction costs, and KL(code's distribution ‖ standard normal).
    fn loss(&self, cx: &Ctx, images: &Var) -> (Var, Var) {
        let (mean, log_variance) = self.encode(cx, images);
        let mut noise = vec![0.0; mean.len()];
        cx.generator().fill_normal(&mut noise, 0.0, 1.0);
        let noise = Var::from(Tensor::vector(&noise)).reshape(mean.shape());
        // The code is random, but its derivative by mean and variance is not.
        let code = &mean + (&log_variance * 0.5).exp() * noise;
        let logits = self.decoder.forward(cx, &code);
        let count = images.shape()[0] as f64;
        let pixels = BceWithLogits { reduction: Reduction::Sum, ..BceWithLogits::default() };
        let reconstruction = pixels.loss(&logits, images) / count;
        let divergence = (mean.square() + log_variance.exp() - log_variance - 1.0).sum() * (0.5 / count);
        (reconstruction, divergence)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, epochs, digits, seed } = Arguments::parse();
    let data = Mnist::load()?;
    let (digits, epochs) = if options.quick { (digits.min(500), 1) } else { (digits, epochs) };
    let (train, test) = (data.train.take(digits)?, data.test.take(if options.quick { 200 } else { 2000 })?);
    println!("digits {}: {} to train on, {} to test", data.origin, train.len(), test.len());

    let mut params: Params = Params::seeded(seed);
    let model = Vae::new(&mut params);
    let (all, labels) = test.all();
    let value = |name: &str, value: f32| (name.to_owned(), f64::from(value));
    let loss = |cx: &Ctx, images: &Var| {
        let (reconstruction, divergence) = model.loss(cx, images);
        reconstruction + divergence
    };
    println!("the bound on −ln p, in nats, is the sum of reconstruction and divergence");
    Trainer::new(&mut params, Adam::new(1e-3)).batch_size(100).seed(seed).observe(Progress::new()).fit_with(
        &train,
        epochs,
        |cx, (images, _)| loss(cx, images),
        |run| {
            let (reconstruction, divergence) = run.params().infer(|cx| model.loss(cx, &all));
            let values =
                [value("reconstruction", reconstruction.item()), value("divergence", divergence.item())];
            run.record("test", &values)
        },
    )?;

    let steps = [-1.5f32, -0.75, 0.0, 0.75, 1.5];
    println!("\nwhat the decoder draws where the code's numbers are −1.5 to 1.5:");
    for &y in steps.iter().rev() {
        let codes: Vec<f32> = steps.iter().flat_map(|&x| [x, y]).collect();
        let codes = Var::from(Tensor::vector(&codes)).reshape([steps.len(), CODE]);
        let drawn = params.infer(|cx| model.decoder.forward(cx, &codes).sigmoid().into_value().to_vec());
        let row: Vec<(&str, &[f32])> = drawn.chunks(PIXELS).map(|pixels| ("", pixels)).collect();
        print!("{}", side_by_side(&row, 28, 28));
    }

    let codes = params.infer(|cx| model.encode(cx, &all).0.into_value().to_vec());
    let mut panel = Panel::new(Axis::new("first number"), Axis::new("second number"));
    for digit in 0..10u32 {
        let of_digit = codes.chunks(CODE).zip(labels.to_vec()).filter(|&(_, label)| label == digit);
        let points = of_digit.map(|(code, _)| (f64::from(code[0]), f64::from(code[1]))).collect();
        // There are six colours.
        let mark = if digit < 6 { Mark::Dots } else { Mark::Crosses };
        panel = panel.with(Series::marks(digit.to_string(), digit as usize, mark, points));
    }
    let files = Figure::new("Codes of test digits", vec![panel])
        .note("The means that the encoder of a variational autoencoder gives 2,000 digits it has not seen.")
        .save(&options.out, "variational_autoencoder")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}
