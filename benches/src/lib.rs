//! What the benchmarks share: workloads and the timing harness.

pub mod memory;
pub mod report;
pub mod timing;
pub mod workload;
