//! How a method came down.

use std::fmt::{self, Display, Write};

use wengert::prelude::*;

use crate::gradients;

/// One method's course.
pub(crate) struct Run {
    pub name: String,
    pub points: Vec<Point>,
    /// Whether the gradient test holds, of methods that have one.
    pub converged: Option<bool>,
    summary: String,
}

/// The state after an iteration.
pub(crate) struct Point {
    /// Work so far, in gradients over all digits.
    pub work: f64,
    pub seconds: f64,
    pub value: f64,
    /// ‖∇f‖∞.
    pub norm: f64,
}

impl Run {
    /// Names of the columns.
    pub(crate) const HEAD: &'static str = "method                            iter.     f     g    Hv   gradients  seconds                value     |g|max  end";

    /// The course of a minimisation.
    pub(crate) fn of(name: &str, outcome: Outcome<f64>) -> Self {
        let point = |r: &wengert::optim::Record| Point {
            work: gradients(r.counts),
            seconds: r.seconds,
            value: r.value,
            norm: r.gradient_norm,
        };
        let counts = outcome.counts;
        let summary = format!(
            "{:5} {:5} {:5} {:5} {:11.1} {:8.1} {:20.15} {:10.1e}  {}",
            outcome.iterations,
            counts.values,
            counts.gradients,
            counts.products,
            gradients(counts),
            outcome.seconds,
            outcome.value,
            outcome.gradient_norm,
            outcome.reason
        );
        let points = outcome.trace.iter().map(point).collect();
        Run { name: name.to_owned(), points, converged: Some(outcome.converged()), summary }
    }

    /// The course of a method without a test of convergence.
    pub(crate) fn first_order(name: &str, points: Vec<Point>) -> Self {
        let summary = points.last().map_or(String::new(), |last| {
            format!(
                "{:5} {:>5} {:>5} {:>5} {:11.1} {:8.1} {:20.15} {:10.1e}  all epochs made",
                points.len() - 1,
                "",
                "",
                "",
                last.work,
                last.seconds,
                last.value,
                last.norm
            )
        });
        Run { name: name.to_owned(), points, converged: None, summary }
    }

    /// The last value.
    pub(crate) fn value(&self) -> f64 {
        self.points.last().map_or(f64::NAN, |last| last.value)
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:32} {}", self.name, self.summary)
    }
}

/// All points.
pub(crate) fn csv(runs: &[Run], best: f64) -> String {
    let mut text = String::from("method,gradients,seconds,value,value_minus_best,gradient_norm\n");
    for run in runs {
        for p in &run.points {
            let above = p.value - best;
            let _ = writeln!(
                text,
                "\"{}\",{},{},{:e},{above:e},{:e}",
                run.name, p.work, p.seconds, p.value, p.norm
            );
        }
    }
    text
}
