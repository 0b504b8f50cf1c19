//! What the benchmarks share: workloads and the timing harness.
