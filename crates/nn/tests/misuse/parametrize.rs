//! Misuse of computed weights.

use wengert_nn::*;
use wengert_tape::Var;

use crate::says;

fn linear(p: Scope<'_>) -> Linear {
    Linear::new(p, 3, 2)
}

#[test]
fn weights_that_there_are_not() {
    let mut params: Params = Params::seeded(0);
    says("weight_norm: the layer has made no parameter `a.weight`", || {
        WeightNorm::of(params.at("a"), |_| Identity);
    });
    says("spectral_norm: the layer has made no parameter `b.weight`", || {
        SpectralNorm::of(params.at("b"), |_| Identity);
    });
    says("parametrized: the layer has made no parameter `c.gain`", || {
        Parametrized::new(params.at("c"), "gain", linear, |_: &Ctx, raw: &Var| raw.exp());
    });
    says("weight_norm: `weight` of shape [2, 3] has no axis 2", || {
        WeightNorm::builder().axis(2).build(params.at("d"), linear);
    });
    says("spectral_norm: `weight` of shape [2, 3] has no axis 2", || {
        SpectralNorm::builder().axis(2).build(params.at("e"), linear);
    });
    says("orthogonal: the layer has made no parameter `g.weight`", || {
        Orthogonal::of(params.at("g"), |_| Identity);
    });
    says("orthogonal: `bias` of shape [2] has fewer than two axes", || {
        Orthogonal::builder().name("bias").build(params.at("h"), linear);
    });
    says("spectral_norm: a power iteration of no steps", || {
        SpectralNorm::builder().steps(0).build(params.at("f"), linear);
    });
}

#[test]
fn weights_of_other_shapes_and_other_params() {
    let mut params: Params = Params::seeded(0);
    let wrong = |_: &Ctx, raw: &Var| raw.sum_axes(0, false);
    let layer = Parametrized::new(params.at("a"), "weight", linear, wrong);
    let name = "a.parametrizations.weight.original";
    says(&format!("replace: `{name}` has shape [2, 3], the variable [3]"), || {
        params.infer(|cx| drop(layer.forward(cx, &Var::ones([1, 3]))));
    });
    let plain = linear(params.at("b"));
    let other: Params = Params::seeded(0);
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("parametrized: {text}"), || other.infer(|cx| drop(layer.weight(cx))));
    says(&format!("replace: {text}"), || {
        other.infer(|cx| drop(cx.replace(plain.weight(), Var::ones([2, 3]))));
    });
}
