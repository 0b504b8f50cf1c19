//! Timing a step: warm-up, then the median and the minimum of many.

use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Steps before the clock starts, at least.
    pub warm_up: usize,
    /// Time of the warm-up, at least.
    pub warm_up_time: Duration,
    /// Timed steps that are enough, if they also take `enough_time`.
    pub enough: usize,
    /// See `enough`.
    pub enough_time: Duration,
    /// Timed steps that are made however long they take.
    pub least: usize,
    /// When to stop, once there are `least`.
    pub longest: Duration,
}

impl Effort {
    /// Five steps and 0.1 s of warm-up; then 50 steps and 0.5 s, or 3 s and at least 7 steps.
    pub const FULL: Effort = Effort {
        warm_up: 5,
        warm_up_time: Duration::from_millis(100),
        enough: 50,
        enough_time: Duration::from_millis(500),
        least: 7,
        longest: Duration::from_secs(3),
    };

    /// One step of warm-up and two timed ones: to see that it runs.
    pub const QUICK: Effort = Effort {
        warm_up: 1,
        warm_up_time: Duration::ZERO,
        enough: 2,
        enough_time: Duration::ZERO,
        least: 2,
        longest: Duration::ZERO,
    };

    /// One step of warm-up and that many timed ones.
    pub const fn exactly(steps: usize) -> Effort {
        Effort { enough: steps, least: steps, ..Effort::QUICK }
    }
}

/// The times of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// The median, in microseconds.
    pub median_us: f64,
    /// The minimum, in microseconds.
    pub min_us: f64,
    /// How many steps were timed.
    pub steps: usize,
}

/// Times `step`, making no more than `most` timed steps.
///
/// ```
/// use wengert_benches::timing::{Effort, measure};
/// let mut calls = 0;
/// let times = measure(Effort::QUICK, usize::MAX, || calls += 1);
/// assert_eq!((calls, times.steps), (3, 2));
/// assert!(times.min_us <= times.median_us);
/// ```
pub fn measure(effort: Effort, most: usize, step: impl FnMut()) -> Times {
    let [times] = measure_in_turn(effort, most, [&mut { step }]);
    times
}

/// Times several steps in turn, so that whatever else the machine does meets them alike.
pub fn measure_in_turn<const N: usize>(
    effort: Effort,
    most: usize,
    mut steps: [&mut dyn FnMut(); N],
) -> [Times; N] {
    let start = Instant::now();
    let mut warm = 0;
    while warm < effort.warm_up || start.elapsed() < effort.warm_up_time {
        steps.iter_mut().for_each(|step| step());
        warm += 1;
    }
    // Room for every step, so that no vector grows between two of them.
    let mut micros = [(); N].map(|()| Vec::with_capacity(1 << 20));
    let start = Instant::now();
    loop {
        for (step, micros) in steps.iter_mut().zip(&mut micros) {
            let before = Instant::now();
            step();
            micros.push(before.elapsed().as_secs_f64() * 1e6);
        }
        let (count, elapsed) = (micros[0].len(), start.elapsed());
        let enough = count >= effort.enough && elapsed >= effort.enough_time;
        let late = count >= effort.least && elapsed >= effort.longest;
        if enough || late || count >= most {
            break;
        }
    }
    micros.map(|mut micros| summary(&mut micros))
}

/// The number in the middle, or the mean of the two; sorts them, and there must be one.
pub(crate) fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[middle] } else { 0.5 * (numbers[middle - 1] + numbers[middle]) }
}

fn summary(micros: &mut [f64]) -> Times {
    Times { median_us: median(micros), min_us: micros[0], steps: micros.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(summary(&mut [3.0, 1.0, 2.0]), Times { median_us: 2.0, min_us: 1.0, steps: 3 });
        assert_eq!(summary(&mut [4.0, 1.0, 2.0, 3.0]), Times { median_us: 2.5, min_us: 1.0, steps: 4 });
    }

    #[test]
    fn stops_at_the_most_steps() {
        let effort = Effort { warm_up_time: Duration::ZERO, ..Effort::FULL };
        let mut calls = 0;
        assert_eq!(measure(effort, 20, || calls += 1).steps, 20);
        assert_eq!(calls, 25);
    }
}
