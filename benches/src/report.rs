//! The line of JSON that a measurement prints.

use serde::Serialize;

use crate::timing::Times;
use crate::workload::Floor;

/// One measurement: the form is shared with the programs that measure other frameworks.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Who was measured.
    pub peer: &'static str,
    /// What was measured.
    pub workload: String,
    /// On how many threads.
    pub threads: usize,
    /// The median time of a step, in microseconds.
    pub median_us: f64,
    /// The shortest time of a step, in microseconds.
    pub min_us: f64,
    /// The largest resident set of the process, in MiB; null where the system does not tell.
    pub peak_rss_mb: Option<f64>,
    /// How many steps were timed.
    pub steps: usize,
    /// Floating-point operations that a step cannot do without, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<f64>,
    /// Bytes of memory that a step cannot do without, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
    /// Billions of those operations per second, at the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// The same for the gradient, where the step is a product with a matrix.
    #[serde(flatten)]
    pub gradient: Option<InGradients>,
    /// What to know about the measurement.
    pub note: String,
}

/// A step compared with the gradient of the same loss, measured in turn with it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct InGradients {
    /// The median time of the gradient, in microseconds.
    pub gradient_us: f64,
    /// The step's median over the gradient's.
    pub gradients: f64,
    /// The most memory in tensors that the gradient holds at a time, in MiB.
    pub gradient_mb: f64,
    /// The step's memory over the gradient's.
    pub gradients_of_memory: f64,
}

impl InGradients {
    /// From the times and the peaks in bytes of a step and of the gradient.
    pub fn new(step: (Times, usize), gradient: (Times, usize)) -> Self {
        InGradients {
            gradient_us: rounded(gradient.0.median_us, 3),
            gradients: rounded(step.0.median_us / gradient.0.median_us, 3),
            gradient_mb: rounded(gradient.1 as f64 / 1024.0 / 1024.0, 2),
            gradients_of_memory: rounded(step.1 as f64 / gradient.1 as f64, 3),
        }
    }
}

impl Report {
    /// A report of these times of this framework; `floor` is the least work of a step.
    pub fn new(workload: &str, threads: usize, times: Times, floor: Floor, note: String) -> Self {
        let counted = |number: f64| (number > 0.0).then_some(number);
        let operations = counted(floor.operations);
        Report {
            peer: "wengert",
            workload: workload.to_owned(),
            threads,
            median_us: rounded(times.median_us, 3),
            min_us: rounded(times.min_us, 3),
            peak_rss_mb: crate::memory::peak_rss_mb().map(|mb| rounded(mb, 1)),
            steps: times.steps,
            operations,
            bytes: counted(floor.bytes),
            gflops: operations.map(|n| rounded(n / times.median_us * 1e-3, 1)),
            gradient: None,
            note,
        }
    }

    /// One line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and text can be written")
    }
}

fn rounded(x: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (x * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_shared_form() {
        let times = Times { median_us: 2000.0, min_us: 1.23456, steps: 7 };
        let line =
            Report::new("gemm_64", 2, times, Floor::default().arithmetic(4e6), "a \"note\"".to_owned())
                .to_json();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["peer"], &read["workload"]), (&"wengert".into(), &"gemm_64".into()));
        assert_eq!((&read["threads"], &read["steps"]), (&2.into(), &7.into()));
        assert_eq!((&read["min_us"], &read["gflops"]), (&1.235.into(), &2.0.into()));
        assert!(read.as_object().unwrap().contains_key("peak_rss_mb") && !line.contains('\n'));
    }
}
