//! Where a training step of a small convolutional network spends its time: what the network is, a table by operation, one
//! by layer, and a trace for <https://ui.perfetto.dev>.
//!
//! `cargo run --release --example profile`; `--quick` takes a smaller batch.

use wengert::nn::BatchNorm2d;
use wengert::prelude::*;
use wengert::tape::{profile, span};

fn main() -> wengert::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let batch = if quick { 16 } else { 256 };
    let (images, labels) = synthetic::digits(batch, 0).all();
    let images = images.reshape([batch, 1, 28, 28]);

    let mut params: Params = Params::seeded(0);
    let model = Sequential::builder(params.at("net"))
        .with(|p| Conv2d::new(p, 1, 16, 3))
        .with(|p| BatchNorm2d::new(p, 16))
        .then(Relu)
        .then(MaxPool2d::new(2))
        .then(Flatten::default())
        .with(|p| Linear::new(p, 16 * 13 * 13, 10))
        .build();
    println!("{}", params.summary(&model, [batch, 1, 28, 28]));

    let mut adam = Adam::new(1e-3);
    let mut step = |params: &mut Params| {
        params.train_step(&mut adam, |cx| model.forward(cx, &images).cross_entropy(&labels))
    };
    // The first step asks the system for memory that the others have.
    step(&mut params)?;
    let (result, profile) = profile(|| -> wengert::Result<()> {
        for _ in 0..5 {
            let _step = span("step");
            step(&mut params)?;
        }
        Ok(())
    });
    result?;
    println!("{profile}\n{}", profile.spans());
    println!("{:.1} MB of tensors at most", profile.peak_bytes() as f64 / 1e6);

    let path = std::env::temp_dir().join("wengert-profile.json");
    match profile.write_trace(&path) {
        Ok(()) => println!("{} is for https://ui.perfetto.dev", path.display()),
        Err(error) => println!("{} was not written: {error}", path.display()),
    }
    Ok(())
}
