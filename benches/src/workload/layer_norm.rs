//! Layer normalisation, forward and backward.

use std::hint::black_box;

use wengert::prelude::*;

use super::data::Data;
use super::{Floor, Workload};

/// What is added to the variance.
pub(super) const EPSILON: f64 = 1e-5;

/// The norm over the last axis of 4096×1024, and the gradients of input, gain and bias.
pub(super) fn layer_norm() -> Workload {
    let mut data = Data::seeded(0);
    let inputs = [data.normal_var([4096, 1024]), data.normal_var([1024]), data.normal_var([1024])];
    let cotangent = data.normal_var([4096, 1024]);
    let step = move || {
        let (y, pullback) = vjp(|[x, gain, bias]: &[Var; 3]| x.layer_norm(gain, bias, EPSILON), &inputs);
        black_box((y, pullback.apply(&cotangent)));
    };
    // Forward x and y, backward x, dy and dx.
    Workload::new(step).floor(Floor::default().passes(5, 4096 * 1024))
}
