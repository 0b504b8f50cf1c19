//! A line through noisy points of y = 2x + 3, by gradient descent.

use wengert::prelude::*;

fn main() -> wengert::Result<()> {
    // A hundred points with noise of standard deviation 0.1, the same in every run.
    let mut generator = Generator::seeded(0);
    let x = Var::constant(Tensor::<f32>::uniform([100, 1], -1.0, 1.0, &mut generator));
    let noise = Var::constant(Tensor::<f32>::normal([100, 1], 0.0, 0.1, &mut generator));
    let y = &x * 2.0 + 3.0 + noise;

    let mut params = Params::seeded(0);
    let line = Linear::new(params.at("line"), 1, 1);
    let mut descent = Sgd::new(0.3);
    for step in 0..=100 {
        let (loss, grads) = params.value_and_grad(|cx| line.forward(cx, &x).mse(&y))?;
        if step % 20 == 0 {
            println!("step {step:3}: mean squared error {loss:.5}");
        }
        descent.step(&mut params.values_mut(), &grads);
    }

    let (slope, intercept) = (params.values()[0], params.values()[1]);
    println!("y = {slope:.3} x + {intercept:.3}; the points were made with y = 2 x + 3");
    Ok(())
}
