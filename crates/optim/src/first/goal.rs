//! Which of two values is better.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

/// Whether a value that is watched is to become small or large.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Small: a loss.
    #[default]
    Min,
    /// Large: an accuracy.
    Max,
}

impl Display for Goal {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Goal::Min => "min",
            Goal::Max => "max",
        })
    }
}

impl Goal {
    /// Whether `value` is better than `best`, if there is one, by more than `margin`, which is not negative. NaN never is.
    pub(crate) fn is_better(self, value: f64, best: Option<f64>, margin: f64) -> bool {
        match (self, best) {
            (_, None) => !value.is_nan(),
            (Goal::Min, Some(best)) => value < best - margin,
            (Goal::Max, Some(best)) => value > best + margin,
        }
    }
}
