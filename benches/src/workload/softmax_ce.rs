//! Softmax cross-entropy, forward and backward.

use std::hint::black_box;

use wengert::prelude::*;

use super::data::Data;
use super::{Floor, Workload};

/// The mean loss of logits 4096×1024 and its gradient.
pub(super) fn softmax_ce() -> Workload {
    let mut data = Data::seeded(0);
    let (logits, labels) = (data.normal_var([4096, 1024]), data.labels(4096, 1024));
    let step = move || {
        black_box(value_and_grad(|z: &Var| z.cross_entropy(&labels), &logits).0.item());
    };
    Workload::new(step).floor(Floor::default().passes(2, 4096 * 1024))
}
