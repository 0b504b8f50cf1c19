//! Compiled losses and models panic as direct evaluation does, and name the caller's line.

use wengert_nn::{CompiledLoss, CompiledModel, Ctx, Layer, Linear, Params};
use wengert_tape::Var;

use crate::panics::says;

const FOREIGN: &str = "linear: the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";

#[test]
fn losses_that_are_no_scalars() {
    let mut params: Params = Params::seeded(0);
    let layer = Linear::new(params.root(), 4, 5);
    let mut loss = CompiledLoss::new(|cx: &Ctx, x: &Var| layer.forward(cx, x));
    says("value_and_grad: the loss has shape [16, 5], not that of a scalar: take its mean or sum", || {
        let _ = loss.value_and_grad(&params, &Var::ones([16, 4]));
    });
}

#[test]
fn parameters_of_others() {
    let (mut params, other): (Params, Params) = (Params::seeded(0), Params::seeded(0));
    let layer = Linear::new(params.root(), 4, 5);
    let mut model = CompiledModel::new(|cx: &Ctx, x: &Var| layer.forward(cx, x));
    says(FOREIGN, || drop(model.infer(&other, &Var::ones([16, 4]))));
}
