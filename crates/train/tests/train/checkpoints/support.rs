//! A run's state with all that states can have.

use std::path::PathBuf;

use wengert_nn::{Linear, Params};
use wengert_state::{Scalar, State};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};
use wengert_train::Moment;

/// A model with all that models have.
pub(crate) fn model<T: Float>(width: usize) -> Params<T> {
    let mut params = Params::seeded(width as u64);
    Linear::new(params.at("hidden"), 3, width);
    params.at("norm").buffer("running_mean", Tensor::full([1, width], T::from_f64(0.1)));
    params.at("norm").count("num_batches_tracked", -5);
    params.at("scale").param("g", [0usize; 0], wengert_nn::Init::Zeros);
    params
}

/// The model, an optimiser that has made a step, and odd things: the same bits on every machine.
pub(crate) fn run<T: Float>(width: usize) -> State {
    let mut params = model::<T>(width);
    let numbers: Vec<T> = (0..params.len()).map(|i| T::from_f64(i as f64 / 8.0 - 0.5)).collect();
    params.set_values(&numbers);
    let adam = State::new("adam", params.len())
        .with_count("step", 1)
        .with_real("learning_rate", 1e-3)
        .with_vector("m", &numbers)
        .with_vector("rms", &numbers);
    let odd = State::new("odd \"kind\"\n", 0)
        .with_real("nan", f64::from_bits(0x7ff8_0000_0000_0123))
        .with_real("minus zero", -0.0)
        .with_count("large", u64::MAX)
        .with_scalar("negative", Scalar::Integer(i64::MIN))
        .with_scalar("text", Scalar::Text("ä\u{0}\u{2028}\"\\".into()))
        .with_scalar("nothing", Scalar::None)
        .with_scalar("flag", Scalar::Flag(true))
        .with_vector::<f32>("empty", &[])
        .with_vector("f64", &[f64::from_bits(0x7ff8_0000_0000_0456), f64::NEG_INFINITY, 5e-324])
        .with_vector("f32", &[f32::from_bits(0x7fc0_0077), -0.0, 1e-45])
        .with_words("few", &[1, u64::MAX])
        .with_words("many", &[u64::MAX; 40]);
    State::new("run", 0)
        .with_count("step", 1200)
        .with_child("params", params.state())
        .with_child("optimizer", adam)
        .with_child("shuffle", State::from(&Generator::seeded(5)))
        .with_child("odd", odd)
}

/// Where the run is after so many steps.
pub(crate) fn after(step: u64) -> Moment {
    let mut now = Moment::default();
    now.step = step;
    now
}

/// The names of the files in a folder.
pub(crate) fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Where the files of this test are.
pub(crate) fn beside(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/train/checkpoints").join(name)
}
