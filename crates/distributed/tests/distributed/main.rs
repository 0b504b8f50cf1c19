//! Training on several ranks that are threads, in one program.

mod agreement;
mod asynchronous;
mod compression;
mod faulty;
mod misuse;
mod overlap;
mod random_programs;
mod second_order;
mod shared_state;
mod simulation;
mod synchronous;
mod threads;
mod tree;
mod whole_batch;

// What ranks that are processes do, too.
#[path = "../ends/mod.rs"]
mod ends;
#[path = "../faults/mod.rs"]
mod faults;
#[path = "../laws/mod.rs"]
mod laws;
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../statistics/mod.rs"]
mod statistics;
