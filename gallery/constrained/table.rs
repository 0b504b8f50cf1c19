//! The results as text and as CSV.

use std::fmt::Write;

use wengert::optim::Multipliers;
use wengert::prelude::*;

/// What a method made of a problem.
pub(crate) struct Row {
    pub problem: &'static str,
    pub method: &'static str,
    /// The least value, or a lower bound of it.
    pub optimum: f64,
    /// The error that counts as none, relative to 1 + |optimum|.
    pub tolerance: f64,
    pub multipliers: Multipliers,
    pub outcome: Outcome<f64>,
}

impl Row {
    fn error(&self) -> f64 {
        (self.outcome.value - self.optimum).abs()
    }

    /// Whether the method converged to the optimum.
    pub(crate) fn solved(&self) -> bool {
        self.outcome.converged() && self.error() <= self.tolerance * (1.0 + self.optimum.abs())
    }
}

/// One line per row.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:24} {:21} {:>5} {:>5} {:>5} {:>17} {:>17} {:>8} {:>9} {:>8}  {}\n",
        "problem",
        "method",
        "iter.",
        "f",
        "g",
        "value",
        "optimum",
        "error",
        "violation",
        "KKT",
        "multipliers"
    );
    for row in rows {
        let counts = row.outcome.counts;
        let _ = writeln!(
            text,
            "{:24} {:21} {:5} {:5} {:5} {:17.10} {:17.10} {:8.1e} {:9.1e} {:8.1e}  {}{}",
            row.problem,
            row.method,
            row.outcome.iterations,
            counts.values,
            counts.gradients,
            row.outcome.value,
            row.optimum,
            row.error(),
            row.multipliers.violation,
            row.multipliers.kkt_residual,
            multipliers(&row.multipliers),
            if row.solved() { "" } else { " NOT SOLVED" },
        );
    }
    text
}

/// Those that are not zero, numbered from 1: y of equalities, λ of inequalities, l and u of bounds.
fn multipliers(all: &Multipliers) -> String {
    let kinds = [("y", &all.equalities), ("λ", &all.inequalities), ("l", &all.lower), ("u", &all.upper)];
    let parts = kinds.iter().flat_map(|(name, values)| {
        let active = values.iter().enumerate().filter(|(_, value)| value.abs() > 1e-6);
        active.map(move |(i, value)| format!("{name}{} {value:.4}", i + 1))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "–".into() } else { parts.join(", ") }
}

/// All rows.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut text =
        String::from("problem,method,iterations,f,g,hv,value,optimum,error,violation,kkt_residual,reason\n");
    for row in rows {
        let Outcome { iterations, counts, value, reason, .. } = &row.outcome;
        let _ = writeln!(
            text,
            "\"{}\",{},{iterations},{},{},{},{value:e},{:e},{:e},{:e},{:e},{reason}",
            row.problem,
            row.method,
            counts.values,
            counts.gradients,
            counts.products,
            row.optimum,
            row.error(),
            row.multipliers.violation,
            row.multipliers.kkt_residual,
        );
    }
    text
}
