//! A convolutional autoencoder that takes noise out of digits: strided convolutions down to 7 × 7, transposed ones back up, with
//! batch normalisation between.

use clap::Parser;
use wengert::nn::{BatchNorm2d, BceWithLogits, Conv2d, ConvTranspose2d};
use wengert::prelude::*;
use wengert_examples::pictures::side_by_side;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Panel, Series};

/// Learns to take noise out of digits, and prints some before and after.
#[derive(Debug, Parser)]
#[command(name = "convolutional_autoencoder")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Passes over the digits
    #[arg(long, default_value_t = 4)]
    epochs: u64,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    digits: usize,
    /// The noise's standard deviation, where pixels are from 0 to 1
    #[arg(long, default_value_t = 0.5)]
    noise: f32,
    /// Seed of the initial weights, the shuffling and the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The logits of the pixels, of images `[count, 1, 28, 28]`.
fn network(params: &mut Params) -> Sequential {
    Sequential::builder(params.at("net"))
        .with(|p| Conv2d::builder(1, 16, 3).stride(2).padding(1).build(p))
        .with(|p| BatchNorm2d::new(p, 16))
        .then(Relu)
        .with(|p| Conv2d::builder(16, 32, 3).stride(2).padding(1).build(p))
        .with(|p| BatchNorm2d::new(p, 32))
        .then(Relu)
        .with(|p| ConvTranspose2d::builder(32, 16, 3).stride(2).padding(1).output_padding(1).build(p))
        .with(|p| BatchNorm2d::new(p, 16))
        .then(Relu)
        .with(|p| ConvTranspose2d::builder(16, 1, 3).stride(2).padding(1).output_padding(1).build(p))
        .build()
}

/// The images with normal noise added.
fn noisy(images: &Var, deviation: f32, generator: &mut Generator) -> Var {
    let mut noise = vec![0.0f32; images.len()];
    generator.fill_normal(&mut noise, 0.0, deviation);
    images + Var::from(Tensor::vector(&noise)).reshape(images.shape())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, epochs, digits, noise, seed } = Arguments::parse();
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(format!("--noise {noise} must be 0 or above").into());
    }
    let data = Mnist::load()?;
    let (digits, epochs) = if options.quick { (digits.min(256), 1) } else { (digits, epochs) };
    let (train, test) = (data.train.take(digits)?, data.test.take(if options.quick { 100 } else { 1000 })?);
    println!("digits {}: {} to train on, {} to test", data.origin, train.len(), test.len());

    let mut params: Params = Params::seeded(seed);
    let model = network(&mut params);
    let as_images = |pixels: &Var| pixels.reshape([-1, 1, 28, 28]);
    let (clean, _) = test.all();
    let clean = as_images(&clean);
    let disturbed = noisy(&clean, noise, &mut Generator::seeded(seed).fork(1));
    let error = |found: &Var| f64::from((found - &clean).square().mean().item());
    let restored = |params: &Params| params.infer(|cx| model.forward(cx, &disturbed).sigmoid());
    println!("epoch   mean squared error of test pixels\n   {:2}   {:.4} as given", 0, error(&disturbed));

    let mut curve = vec![(0.0, error(&restored(&params)))];
    let mut run = Trainer::new(&mut params, Adam::new(2e-3)).start()?;
    for epoch in run.epochs(epochs)? {
        for (pixels, _) in epoch.batches(train.batches(64).shuffled(seed))? {
            let images = as_images(&pixels);
            run.step(|cx| {
                let input = noisy(&images, noise, &mut cx.generator());
                BceWithLogits::default().loss(&model.forward(cx, &input), &images)
            })?;
            let now = run.now();
            if now.batch.is_multiple_of(40) || now.batch == now.batches {
                let passes = now.examples as f64 / train.len() as f64;
                curve.push((passes, run.evaluated(|params| error(&restored(params)))));
            }
        }
        println!("   {:2}   {:.4}", epoch.number(), curve[curve.len() - 1].1);
    }
    run.finish()?;

    let found = restored(&params);
    let rows = [("clean", &clean), ("with noise", &disturbed), ("restored", &found)]
        .map(|(name, images)| (name, images.value().to_vec()));
    for i in 0..4 {
        let row: Vec<(&str, &[f32])> =
            rows.iter().map(|(name, pixels)| (*name, &pixels[i * 784..][..784])).collect();
        print!("{}", side_by_side(&row, 28, 28));
    }
    let panel = Panel::new(Axis::new("epochs"), Axis::log("mean squared error of test pixels"))
        .with(Series::line("restored", 0, curve))
        .with(Series::line(
            "as given",
            1,
            vec![(0.0, error(&disturbed)), (epochs as f64, error(&disturbed))],
        ));
    let files = Figure::new("Digits without their noise", vec![panel])
        .save(&options.out, "convolutional_autoencoder")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}
