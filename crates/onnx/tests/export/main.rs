//! What is exported is what was recorded.

mod activations;
#[path = "../../../tape/tests/cases/mod.rs"]
#[allow(
    dead_code,
    unexpected_cfgs,
    reason = "the table is another crate's, of which this needs the functions"
)]
mod cases;
mod errors;
mod files;
mod models;
mod names;
mod operations;
mod places;
mod random;
mod zoo;
