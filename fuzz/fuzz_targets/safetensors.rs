//! Weights in safetensors, for a model that wants some of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::prelude::*;

fuzz_target!(|bytes: &[u8]| {
    let mut params: Params = Params::seeded(0);
    Linear::new(params.at("hidden"), 3, 2);
    params.at("norm").buffer("running_mean", Tensor::zeros([2]));
    let before = params.values().to_vec();
    if params.load_safetensors(bytes).is_err() {
        assert_eq!(params.values(), before, "what is refused changes nothing");
    }
});
