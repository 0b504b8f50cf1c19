//! What goes on within a model while it trains: parameters and their updates, activations, and the first operation that makes
//! a NaN. Nothing is looked at unless asked for.

mod activations;
mod histogram;
mod parameters;
mod trouble;

pub use activations::{ActivationRow, Activations};
pub use histogram::Histogram;
pub use parameters::{ParameterRow, ParameterTable, Watch};
pub use trouble::{Trouble, first_trouble};

/// A table of texts with the first column to the left and the others to the right.
fn aligned(f: &mut std::fmt::Formatter<'_>, rows: &[Vec<String>]) -> std::fmt::Result {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|i| width(i).unwrap_or(0)).collect();
    for row in rows {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            line += &if i == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A number in a table.
fn shown(x: f64) -> String {
    match x.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => format!("{x:.4}"),
        size if size.is_finite() => format!("{x:.2e}"),
        _ => format!("{x}"),
    }
}
