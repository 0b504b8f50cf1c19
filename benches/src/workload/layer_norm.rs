//! Layer normalisation, forward and backward.

use std::hint::black_box;

use wengert::prelude::*;

use super::Workload;
use super::data::Data;

/// The norm over the last axis of 4096×1024, and the gradients of input, gain and bias.
pub(super) fn layer_norm() -> Workload {
    let mut data = Data::seeded(0);
    let inputs = [data.normal_var([4096, 1024]), data.normal_var([1024]), data.normal_var([1024])];
    let cotangent = data.normal_var([4096, 1024]);
    Workload::new(move || {
        let (y, pullback) = vjp(|[x, gain, bias]: &[Var; 3]| normalise(x, gain, bias), &inputs);
        black_box((y, pullback.apply(&cotangent)));
    })
    .note("composed of tape operations")
}

/// (x − mean) / √(variance + 10⁻⁵) · gain + bias over the last axis.
pub(super) fn normalise(x: &Var, gain: &Var, bias: &Var) -> Var {
    let centred = x - x.mean_axes(-1, true);
    let variance = centred.square().mean_axes(-1, true);
    centred * (variance + 1e-5).rsqrt() * gain + bias
}
