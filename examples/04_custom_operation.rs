//! An operation of one's own, differentiable to any order in both modes, and checked.

use wengert::prelude::*;
use wengert::tape::Real;

/// The Swish function x·σ(βx) with a number β.
#[derive(Clone)]
struct Swish {
    beta: f64,
}

impl Elementwise for Swish {
    const NAME: &'static str = "swish";
    fn f<A: Real>(&self, x: A) -> A {
        (x.clone() * self.beta).sigmoid() * x
    }
    fn df<A: Real>(&self, x: A, y: A) -> A {
        // y' = βy + σ(βx)·(1 − βy)
        let s = (x * self.beta).sigmoid();
        let by = y * self.beta;
        by.clone() + s.clone() - s * by
    }
}

fn main() {
    let x = Var::from([-2.0f64, -0.5, 0.0, 0.5, 2.0]);
    let f = |x: &Var<f64>| x.apply(Swish { beta: 1.5 });
    println!("x            {:.4}", x.value());
    println!("swish(x)     {:.4}", f(&x).value());
    println!("gradient     {:.4}", grad(|x: &Var<f64>| f(x).sum(), &x).value());
    println!("H·1          {:.4}", hvp(|x: &Var<f64>| f(x).sum(), &x, &Var::ones([5])).value());

    match check_grads(|v| f(&v[0]), &[x], 3) {
        Ok(()) => println!("both modes agree with finite differences up to order 3"),
        Err(mismatch) => panic!("{mismatch}"),
    }
}
