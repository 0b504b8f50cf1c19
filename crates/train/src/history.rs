//! What was measured in a run.

use serde::{Deserialize, Serialize};

/// All values of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
}

/// A value that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The steps that were done.
    pub step: u64,
    /// What it was measured on.
    pub set: String,
    /// What it is.
    pub name: String,
    /// The value.
    pub value: f64,
}
