//! How much memory the process has used.

use wengert::tensor::memory::{reset_peak, stats};

/// The most bytes of tensors that `work` holds at a time, beyond those that were there before.
///
/// ```
/// use wengert::prelude::Tensor;
/// use wengert_benches::memory::peak_tensor_bytes;
/// assert_eq!(peak_tensor_bytes(|| drop(Tensor::<f32>::zeros([1024]))), 4096);
/// ```
pub fn peak_tensor_bytes(work: impl FnOnce()) -> usize {
    reset_peak();
    let before = stats().live_bytes;
    work();
    (stats().peak_bytes - before).unsigned_abs()
}

/// The bytes of tensors that this thread holds.
pub fn live_tensor_bytes() -> usize {
    stats().live_bytes.unsigned_abs()
}

/// The largest resident set of this process so far, in MiB, where the system tells (Linux).
///
/// ```
/// if cfg!(target_os = "linux") {
///     assert!(wengert_benches::memory::peak_rss_mb().unwrap() > 0.1);
/// }
/// ```
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
