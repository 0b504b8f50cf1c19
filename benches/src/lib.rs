//! What the benchmarks share: workloads, the timing harness, and races against others.

pub mod memory;
pub mod race;
pub mod report;
pub mod timing;
pub mod workload;
