//! Compiled programs: what they leave out, when they fall back, what memory they take.

#[path = "compiled/allocations.rs"]
mod allocations;
#[path = "compiled/counting.rs"]
mod counting;
#[path = "compiled/functions.rs"]
mod functions;
#[path = "compiled/programs.rs"]
mod programs;
