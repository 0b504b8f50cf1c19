//! The gates of recurrent units: what becomes of the products with the weights, with its derivatives, each in one pass.
//!
//! A row is one example: all functions take the sums of each gate for it one gate after the other, as the rows of PyTorch's
//! weights are. They read and write slices of whole tensors and panic where a slice has another length.

pub mod gru;
pub mod lstm;
mod rows;
pub mod sequence;
#[cfg(test)]
mod tests;

/// A slice of `width` times the hidden units for each row, or a panic.
#[track_caller]
fn check<T>(rows: usize, hidden: usize, slices: &[(&[T], usize)]) {
    for (slice, width) in slices {
        let (found, expected) = (slice.len(), rows * hidden * width);
        assert!(found == expected, "gates: {found} elements instead of {expected} = {rows}·{hidden}·{width}");
    }
}
