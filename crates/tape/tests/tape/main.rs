//! What the tape and the transforms must get right, apart from the operations' own rules.

mod attention;
mod chains;
mod checkpointing;
mod complete;
mod documented_panics;
mod elementwise;
mod extreme_sizes;
mod far_matrices;
mod faults;
#[cfg(feature = "fft")]
mod fft;
mod golden;
mod graded_matrices;
#[path = "../replay/interpreter.rs"]
mod interpreter;
mod laws;
mod linalg;
mod many_rows;
mod memory;
mod misuse;
mod nesting;
mod operators;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod recording;
mod rounded_products;
mod sampling;
mod scan;
mod sequences;
mod shapes;
mod structure;
mod transforms;
mod twins;
