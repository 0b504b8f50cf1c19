//! Misuse panics with the operation, the shapes and the caller's line. One module for each family.

mod activations;
mod attention;
mod basics;
mod compiled;
mod containers;
#[path = "../../../tape/tests/tape/documented_panics.rs"]
mod documented_panics;
mod losses;
mod norms;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod parametrize;
mod recurrent;
mod scan;
mod windows;

use documented_panics::assert_all_provoked;
use panics::says;

/// Every function that says when it panics is called in this folder.
#[test]
fn every_documented_panic_is_provoked() {
    assert_all_provoked(env!("CARGO_MANIFEST_DIR"), &["tests/misuse"], 40, "set_buffer");
}
