//! MNIST from start to end: data, seed, shuffle, train, test accuracy, save.

use wengert::prelude::*;

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
    let mut adam = Adam::new(1e-3);
    for epoch in 1..=if quick { 1 } else { 5 } {
        for (images, labels) in train.batches(64).shuffled(epoch) {
            let loss = |cx: &Ctx| model.forward(cx, &images).cross_entropy(&labels);
            let (_, grads) = params.value_and_grad(loss)?;
            adam.step(&mut params.values_mut(), &grads);
        }
        println!("epoch {epoch}: test accuracy {:.2} %", 100.0 * accuracy(&model, &params, &data.test));
    }
    params.save(std::env::temp_dir().join("mnist.safetensors"))?;
    Ok(())
}
