//! The times of a race as a table.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Line;
use crate::timing::median;

/// What the machine does at best on some threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Multiply-adds in registers, in operations a second.
    pub operations: f64,
    /// A triad's bytes a second.
    pub bytes: f64,
}

impl Limits {
    /// The shortest time of a step in microseconds, by the larger of arithmetic and traffic, if either was counted.
    fn micros(&self, line: &Line) -> Option<f64> {
        let needed = [(line.operations, self.operations), (line.bytes, self.bytes)];
        needed.iter().filter_map(|&(work, rate)| Some(work? / rate * 1e6)).max_by(f64::total_cmp)
    }
}

/// Medians and minima of one entrant at one workload, a number for each round.
#[derive(Clone, Debug, Default)]
struct Times {
    medians: Vec<f64>,
    minima: Vec<f64>,
}

impl Times {
    /// The median of the medians, and the least of all.
    fn summary(&self) -> Option<[f64; 2]> {
        let median = (!self.medians.is_empty()).then(|| median(&mut self.medians.clone()))?;
        Some([median, self.minima.iter().copied().fold(f64::INFINITY, f64::min)])
    }
}

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// In the order of the table.
    entrants: Vec<&'static str>,
    rows: Vec<(String, usize)>,
    times: BTreeMap<(String, usize, &'static str), Times>,
    floors: BTreeMap<(String, usize), f64>,
}

impl Results {
    /// A table of these entrants, the first of which is held against the others.
    pub fn new(entrants: Vec<&'static str>) -> Self {
        Results { entrants, ..Results::default() }
    }

    /// Takes a measurement in.
    pub fn add(
        &mut self,
        workload: &str,
        threads: usize,
        entrant: &'static str,
        line: &Line,
        limits: Limits,
    ) {
        let row = (workload.to_owned(), threads);
        if let Some(micros) = limits.micros(line) {
            self.floors.insert(row.clone(), micros);
        }
        let times = self.times.entry((row.0.clone(), row.1, entrant)).or_default();
        times.medians.extend(line.median_us);
        times.minima.extend(line.min_us);
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
    }

    /// The table in Markdown: the own time, the best of the others, the ratio to it by medians and by minima, how much of
    /// the time the machine's limit takes, and everybody's time.
    ///
    /// ```
    /// use wengert_benches::race::{Limits, Line, Results};
    /// let limits = Limits { operations: 1e9, bytes: 1e9 };
    /// let line = |median, operations| Line {
    ///     median_us: Some(median), min_us: Some(median), operations, bytes: None, note: String::new(),
    /// };
    /// let mut results = Results::new(vec!["ours", "theirs"]);
    /// results.add("gemm_64", 1, "ours", &line(400.0, Some(1e5)), limits);
    /// results.add("gemm_64", 1, "theirs", &line(500.0, None), limits);
    /// assert!(results.table().contains("| gemm_64 | 1 | 400 µs | theirs | **0.80** | 0.80 | 0.25 | 500 µs |"));
    /// ```
    pub fn table(&self) -> String {
        let Some((&own, others)) = self.entrants.split_first() else { return String::new() };
        let mut table =
            format!("| workload | threads | {own} | best of the others | ratio | by minima | of the limit |");
        others.iter().for_each(|name| write!(table, " {name} |").expect("text can be written"));
        table += &format!("\n|{}\n", "---|".repeat(7 + others.len()));
        for row in &self.rows {
            table += &self.row(row, own, others);
        }
        table
    }

    fn row(&self, row: &(String, usize), own: &'static str, others: &[&'static str]) -> String {
        let summary = |name| self.times.get(&(row.0.clone(), row.1, name)).and_then(Times::summary);
        let ours = summary(own);
        let best = |which: usize| {
            let times = others.iter().filter_map(|&name| Some((name, summary(name)?[which])));
            times.min_by(|a, b| a.1.total_cmp(&b.1))
        };
        let ratio = |which: usize| Some(ours?[which] / best(which)?.1);
        let two_digits =
            |number: Option<f64>| number.map_or("–".to_owned(), |number| format!("{number:.2}"));
        let time = |times: Option<[f64; 2]>| times.map_or("–".to_owned(), |[median, _]| micros(median));
        let limit = ours.and_then(|[median, _]| Some(self.floors.get(row)? / median));
        let mut cells = vec![
            row.0.clone(),
            row.1.to_string(),
            time(ours),
            best(0).map_or("–", |(name, _)| name).to_owned(),
            ratio(0).map_or("–".to_owned(), |ratio| format!("**{ratio:.2}**")),
            two_digits(ratio(1)),
            two_digits(limit),
        ];
        cells.extend(others.iter().map(|&name| time(summary(name))));
        format!("| {} |\n", cells.join(" | "))
    }
}

/// Three digits with a unit.
fn micros(micros: f64) -> String {
    let (number, unit) = if micros < 1e3 { (micros, "µs") } else { (micros * 1e-3, "ms") };
    let decimals = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { operations: 2e9, bytes: 1e9 };

    fn line(median: f64, min: f64) -> Line {
        Line {
            median_us: Some(median),
            min_us: Some(min),
            operations: None,
            bytes: None,
            note: String::new(),
        }
    }

    #[test]
    fn medians_are_of_rounds_and_minima_of_all() {
        let mut results = Results::new(vec!["ours", "a", "b"]);
        for (ours, a) in [(10.0, 30.0), (90.0, 20.0), (12.0, 40.0)] {
            results.add("w", 2, "ours", &line(ours, ours - 4.0), LIMITS);
            results.add("w", 2, "a", &line(a, a), LIMITS);
        }
        results.add("w", 2, "b", &line(24.0, 3.0), LIMITS);
        let table = results.table();
        assert!(
            table.contains("| w | 2 | 12.0 µs | b | **0.50** | 2.00 | – | 30.0 µs | 24.0 µs |"),
            "{table}"
        );
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let mut results = Results::new(vec!["ours", "a"]);
        results.add("alone", 1, "ours", &line(2500.0, 2500.0), LIMITS);
        assert!(results.table().contains("| alone | 1 | 2.50 ms | – | – | – | – | – |"));
    }

    #[test]
    fn the_limit_is_the_larger_of_both() {
        let work = |operations, bytes| Line { operations, bytes, ..line(1.0, 1.0) };
        assert_eq!(LIMITS.micros(&work(Some(4e3), Some(1e3))), Some(2.0));
        assert_eq!(LIMITS.micros(&work(Some(4e3), Some(5e3))), Some(5.0));
        assert_eq!(LIMITS.micros(&work(None, None)), None);
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!(
            [1.234, 12.34, 123.4, 1234.0, 123_456.0].map(micros).join(" "),
            "1.23 µs 12.3 µs 123 µs 1.23 ms 123 ms"
        );
    }
}
