//! Misuse panics with the operation, both values and the caller's line; what comes from outside, other ranks among it, is a typed
//! error that names what is wrong.

#[path = "../../../../tape/tests/tape/documented_panics.rs"]
mod documented_panics;
mod errors;
mod meetings;
#[path = "../../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod settings;
mod vectors;
mod versions;
mod workers;

use documented_panics::assert_all_provoked;
use panics::says;

/// Every function that says when it panics is called in this folder.
#[test]
fn every_documented_panic_is_provoked() {
    assert_all_provoked(env!("CARGO_MANIFEST_DIR"), &["tests/distributed/misuse"], 15, "pull_range");
}
