//! Files of NumPy, models in several files, and what a file is.

mod kinds;
mod numpy;
mod sharded;

use std::path::PathBuf;

use wengert_nn::{Linear, Params};
use wengert_tensor::{Float, Tensor};

/// A file that `golden/make.py` wrote.
fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/files/golden", name].iter().collect()
}

/// The model of the golden files, not loaded yet.
fn model<T: Float>() -> Params<T> {
    let mut params = Params::seeded(0);
    Linear::new(params.at("body"), 3, 2);
    params.at("norm").buffer("running_mean", Tensor::zeros([2]));
    params.at("norm").count("num_batches_tracked", 0);
    params
}

/// Whether it has been loaded.
fn is_golden<T: Float>(params: &Params<T>) -> bool {
    let numbers = |values: &[T]| values.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
    numbers(params.values()) == [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.5, -0.5]
        && numbers(&params.buffers()[0].1.to_vec()) == [1.0, 2.0]
        && params.counts()[0].1 == 7
}
