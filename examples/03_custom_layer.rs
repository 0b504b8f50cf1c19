//! A layer of one's own: a struct that holds parameter ids and other layers, a constructor, and a `forward`.

use wengert::prelude::*;

/// x + W₂·relu(W₁·x), scaled per feature: a residual block.
struct Residual {
    widen: Linear,
    narrow: Linear,
    scale: ParamId,
}

impl Residual {
    fn new(mut p: Scope, features: usize, hidden: usize) -> Self {
        Residual {
            widen: Linear::new(p.at("widen"), features, hidden),
            narrow: Linear::new(p.at("narrow"), hidden, features),
            scale: p.param("scale", features, Init::Ones),
        }
    }
}

impl Layer for Residual {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let inner = self.narrow.forward(cx, &self.widen.forward(cx, x).relu());
        x + inner * cx.param(self.scale)
    }
}

fn main() -> wengert::Result<()> {
    // Learn to sort: the target is the input with its four numbers in order.
    let mut generator = Generator::seeded(1);
    let x = Var::constant(Tensor::<f32>::uniform([512, 4], -1.0, 1.0, &mut generator));
    let y = x.sort(1, false);

    let mut params = Params::seeded(1);
    let blocks: Vec<Residual> =
        (0..3).map(|i| Residual::new(params.at(format!("block{i}")), 4, 32)).collect();
    let model = |cx: &Ctx, x: &Var| blocks.iter().fold(x.clone(), |x, block| block.forward(cx, &x));

    let mut adam = Adam::new(3e-3);
    for step in 0..=400 {
        let (loss, grads) = params.value_and_grad(|cx| model(cx, &x).mse(&y))?;
        if step % 100 == 0 {
            println!("step {step:3}: mean squared error {loss:.5}");
        }
        adam.step(&mut params.values_mut(), &grads);
    }
    println!("{} parameters, among them {}", params.len(), params.iter().next().expect("there are some").0);

    let sorted = params.infer(|cx| model(cx, &Var::from([[0.5f32, -0.25, 0.75, 0.0]])));
    println!("0.5 -0.25 0.75 0.0 sorted: {:.2}", sorted.value());
    Ok(())
}
