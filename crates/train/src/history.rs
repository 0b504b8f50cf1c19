//! What was measured in a run.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};
use wengert_optim::first::Goal;

use crate::number::serde_number;

/// All values of a run, e.g. those of each epoch. They are named by set and name: `"validation.accuracy"`.
///
/// ```
/// use wengert_optim::first::Goal;
/// use wengert_train::History;
///
/// let mut history = History::default();
/// for (epoch, accuracy) in [(1, 0.91), (2, 0.95), (3, 0.94)] {
///     history.push(epoch, 100 * epoch, "validation", "accuracy", accuracy);
/// }
/// assert_eq!(history.series("validation.accuracy")[2], (300.0, 0.94));
/// assert_eq!(history.last("validation.accuracy"), Some(0.94));
/// assert_eq!(history.best("validation.accuracy", Goal::Max).unwrap().epoch, 2);
/// println!("{history}");
/// ```
///
/// With serde, numbers that JSON lacks are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
}

/// A value that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The steps that were done.
    pub step: u64,
    /// What it was measured on.
    pub set: String,
    /// What it is.
    pub name: String,
    /// The value.
    #[serde(with = "serde_number")]
    pub value: f64,
}

impl Row {
    /// Whether it is the value of a name with its set, as `"validation.accuracy"`.
    pub fn is(&self, name: &str) -> bool {
        name.strip_prefix(self.set.as_str()).and_then(|rest| rest.strip_prefix('.')) == Some(&self.name)
    }
}

impl History {
    /// Adds a value.
    pub fn push(&mut self, epoch: u64, step: u64, set: &str, name: &str, value: f64) {
        self.rows.push(Row { epoch, step, set: set.to_owned(), name: name.to_owned(), value });
    }

    /// The names of all values with their sets, as they first came.
    pub fn names(&self) -> Vec<String> {
        let mut known: Vec<(&str, &str)> = Vec::new();
        for row in &self.rows {
            if !known.contains(&(&row.set, &row.name)) {
                known.push((&row.set, &row.name));
            }
        }
        known.into_iter().map(|(set, name)| format!("{set}.{name}")).collect()
    }

    /// The steps at which a value was measured, and the values.
    pub fn series(&self, name: &str) -> Vec<(f64, f64)> {
        self.rows.iter().filter(|row| row.is(name)).map(|row| (row.step as f64, row.value)).collect()
    }

    /// The last value of a name.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.rows.iter().rev().find(|row| row.is(name)).map(|row| row.value)
    }

    /// The first of the best values of a name; NaN is never the best.
    pub fn best(&self, name: &str, goal: Goal) -> Option<&Row> {
        let better = |row: &Row, best: &Row| match goal {
            Goal::Max => row.value > best.value,
            _ => row.value < best.value,
        };
        self.rows
            .iter()
            .filter(|row| row.is(name) && !row.value.is_nan())
            .reduce(|best, row| if better(row, best) { row } else { best })
    }
}

impl History {
    /// The names, and a line of cells for each moment at which something was measured: epoch from 1, step, values by name.
    pub(crate) fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let names = self.names();
        let mut lines: Vec<Vec<String>> = Vec::new();
        let mut before = None;
        for row in &self.rows {
            let column = 2 + names.iter().position(|name| row.is(name)).unwrap_or(0);
            let cell = crate::number::short(row.value);
            match lines.last_mut() {
                Some(line) if before == Some((row.epoch, row.step)) && line[column].is_empty() => {
                    line[column] = cell;
                }
                _ => {
                    let mut line = vec![String::new(); 2 + names.len()];
                    (line[0], line[1], line[column]) = (row.epoch.to_string(), row.step.to_string(), cell);
                    lines.push(line);
                }
            }
            before = Some((row.epoch, row.step));
        }
        (names, lines)
    }
}

/// A table with a line for each moment at which something was measured; epochs are counted from 1.
impl Display for History {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (names, mut lines) = self.table();
        let mut heads = vec!["epoch".to_owned(), "step".to_owned()];
        heads.extend(names);
        lines.insert(0, heads);
        let columns = lines[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|c| lines.iter().map(|line| line[c].chars().count()).max().unwrap_or(0))
            .collect();
        for (i, line) in lines.iter().enumerate() {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}")).collect();
            write!(f, "{}{}", if i == 0 { "" } else { "\n" }, cells.join("  "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::default();
        history.push(1, 10, "train", "loss", 2.0);
        history.push(1, 10, "validation", "a.b", 0.25);
        history.push(2, 20, "train", "loss", f64::NAN);
        history.push(2, 20, "validation", "a.b", 0.75);
        history.push(3, 30, "train", "loss", f64::INFINITY);
        history.push(3, 30, "validation", "a.b", 0.75);
        history
    }

    #[test]
    fn values_are_found_by_their_names() {
        let history = history();
        assert_eq!(history.names(), ["train.loss", "validation.a.b"]);
        assert_eq!(history.series("validation.a.b"), [(10.0, 0.25), (20.0, 0.75), (30.0, 0.75)]);
        assert_eq!(history.series("validation.b"), []);
        assert_eq!(history.last("train.loss"), Some(f64::INFINITY));
        assert_eq!(history.last("loss"), None);
        assert_eq!(history.best("validation.a.b", Goal::Max).map(|row| row.step), Some(20));
        assert_eq!(history.best("train.loss", Goal::Min).map(|row| row.step), Some(10));
        assert_eq!(history.best("train.loss", Goal::Max).map(|row| row.step), Some(30));
        assert_eq!(history.best("none", Goal::Max), None);
    }

    #[test]
    fn it_is_the_same_after_json_to_the_bit() {
        let mut history = history();
        for i in 0..2000u64 {
            let bits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2;
            history.push(i, i, "s\n,\"", "n", f64::from_bits(bits));
        }
        let text = serde_json::to_string(&history).unwrap();
        let back: History = serde_json::from_str(&text).unwrap();
        assert_eq!(back.rows.len(), history.rows.len());
        for (a, b) in back.rows.iter().zip(&history.rows) {
            assert!(a.value.to_bits() == b.value.to_bits() || (a.value.is_nan() && b.value.is_nan()));
            assert_eq!((&a.set, a.step), (&b.set, b.step));
        }
        assert!(serde_json::from_str::<History>(&text.replacen("\"NaN\"", "\"none\"", 1)).is_err());
    }

    #[test]
    fn it_is_shown_as_a_table() {
        let text = history().to_string();
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "epoch  step  train.loss  validation.a.b",
                "    1    10      2.0000          0.2500",
                "    2    20         NaN          0.7500",
                "    3    30         inf          0.7500",
            ]
        );
        assert_eq!(History::default().to_string(), "epoch  step");
    }
}
