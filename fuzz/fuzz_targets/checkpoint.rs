//! The state of a run as text, and what is made of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::optim::Adam;
use wengert::prelude::*;
use wengert::state::State;

fuzz_target!(|bytes: &[u8]| {
    let Ok(state) = serde_json::from_slice::<State>(bytes) else { return };
    // What was read is written as it was.
    let text = serde_json::to_string(&state).expect("a state can be written");
    assert_eq!(serde_json::from_str::<State>(&text).expect("what was written"), state);
    let _ = Generator::try_from(&state);
    let _ = Adam::<f32>::new(0.1).load_state(&state);
    let mut params: Params = Params::seeded(0);
    Linear::new(params.at("hidden"), 3, 2);
    let _ = params.load_state(&state);
});
