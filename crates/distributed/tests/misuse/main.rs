//! Misuse panics with the operation, both values and the caller's line; what comes from outside, other ranks among it, is a typed
//! error that names what is wrong.

#[path = "../../../tape/tests/tape/documented_panics.rs"]
mod documented_panics;
mod errors;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod settings;
mod vectors;
mod workers;

use documented_panics::{documented_panics, not_called_in};
use panics::caught;

/// Asserts that `work` panics in one of these files, with this text.
#[track_caller]
fn says(expected: &str, work: impl FnOnce()) {
    let caught = caught(work);
    assert_eq!(caught.message, expected);
    assert!(caught.file.contains("misuse"), "`{expected}` points at {}:{}", caught.file, caught.line);
}

/// Every function that says when it panics is called in this folder.
#[test]
fn every_documented_panic_is_provoked() {
    let crate_folder = env!("CARGO_MANIFEST_DIR");
    let names = documented_panics(crate_folder);
    assert!(names.len() > 15 && names.iter().any(|name| name == "pull_range"), "{names:?}");
    let missing = not_called_in(crate_folder, &["tests/misuse"], &names);
    assert!(missing.is_empty(), "no misuse of {missing:?} is tried");
}
