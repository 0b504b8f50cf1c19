//! MNIST from start to end: data, seed, shuffle, train, test accuracy, save.

use wengert::prelude::*;
use wengert::train::{Progress, metric::Accuracy, metric::Metrics};

struct Mlp {
    hidden: Linear,
    out: Linear,
}

impl Mlp {
    fn new(p: &mut Params) -> Self {
        Mlp { hidden: Linear::new(p.at("hidden"), 784, 128), out: Linear::new(p.at("out"), 128, 10) }
    }
}

impl Layer for Mlp {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, x).relu())
    }
}

fn main() -> wengert::Result<()> {
    let data = Mnist::load()?.normalised();
    println!("digits {}", data.origin);
    // `--quick` learns from fewer digits, to see that everything works.
    let quick = std::env::args().any(|argument| argument == "--quick");
    let train = if quick { data.train.take(6000)? } else { data.train };
    let mut params = Params::seeded(0);
    let model = Mlp::new(&mut params);
    let mut quality = Metrics::new().with(Accuracy::new());
    Trainer::new(&mut params, Adam::new(1e-3)).batch_size(64).observe(Progress::new()).fit_with(
        &train,
        if quick { 1 } else { 5 },
        |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels),
        |run| {
            run.validate("test", data.test.batches(1000), &mut quality, |cx, (x, y)| {
                (model.forward(cx, &x), y)
            })
        },
    )?;
    params.save(std::env::temp_dir().join("mnist.safetensors"))?;
    Ok(())
}
