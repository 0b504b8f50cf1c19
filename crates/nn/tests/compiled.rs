//! Compiled losses and models: the bits of direct evaluation, what falls back, and no memory from the system in a step.

#[path = "compiled/allocations.rs"]
mod allocations;
#[path = "../../tape/tests/compiled/counting.rs"]
mod counting;
#[path = "compiled/losses.rs"]
mod losses;
#[path = "compiled/models.rs"]
mod models;
