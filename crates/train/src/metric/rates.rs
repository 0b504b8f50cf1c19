//! Numbers of a run that no outputs are needed for.

use wengert_tensor::Float;

use crate::Moment;

/// The examples per second between two moments of a run; NaN if no time passed.
///
/// ```
/// use std::time::Duration;
/// use wengert_train::{Moment, metric::throughput};
/// let start = Moment::default();
/// let mut later = start;
/// (later.examples, later.elapsed) = (640, Duration::from_secs(2));
/// assert_eq!(throughput(&start, &later), 320.0);
/// ```
pub fn throughput(earlier: &Moment, later: &Moment) -> f64 {
    let examples = later.examples.saturating_sub(earlier.examples);
    match later.elapsed.saturating_sub(earlier.elapsed).as_secs_f64() {
        0.0 => f64::NAN,
        seconds => examples as f64 / seconds,
    }
}

/// The Euclidean norm of what a step changed the parameters by. That of a gradient is
/// [`global_norm`](wengert_optim::global_norm).
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use wengert_train::metric::update_norm;
/// assert_eq!(update_norm(&[1.0f32, 2.0], &[4.0, -2.0]), 5.0);
/// ```
#[track_caller]
pub fn update_norm<T: Float>(before: &[T], after: &[T]) -> f64 {
    assert!(
        before.len() == after.len(),
        "update_norm: {} parameters before and {} after",
        before.len(),
        after.len()
    );
    let change: Vec<f64> = before.iter().zip(after).map(|(b, a)| a.to_f64() - b.to_f64()).collect();
    wengert_optim::global_norm(&change)
}
