//! The update alone.

use std::hint::black_box;

use wengert::prelude::*;

use super::data::Data;
use super::{Floor, Workload};

/// One Adam update of ten million parameters with given gradients.
pub(super) fn adam_10m() -> Workload {
    let mut data = Data::seeded(0);
    let (mut params, grads) = (data.normal([10_000_000]), data.normal([10_000_000]));
    let mut adam = super::training::adam();
    let step = move || {
        let grads = grads.as_slice().expect("new tensors are contiguous");
        adam.step(params.as_mut_slice(), grads);
        black_box(&params);
    };
    // Parameters and both averages are read and written, gradients read.
    Workload::new(step).floor(Floor::default().passes(7, 10_000_000))
}
