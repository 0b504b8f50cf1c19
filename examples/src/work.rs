//! What evaluations cost a network of matrix products, in gradients over all data.
//!
//! A value is a third of a gradient, and a product with a curvature matrix four thirds: the forward pass is one matrix
//! product for each weight, the gradient two more, a product of either curvature matrix about four in all.

use wengert::optim::Counts;

/// Everything over all data.
pub fn on_the_whole(counts: Counts) -> f64 {
    evaluations(counts) + products(counts)
}

/// Products over mini-batches that are `share` of the data, as of `HessianFree`.
pub fn with_products_on_batches(counts: Counts, share: f64) -> f64 {
    evaluations(counts) + share * products(counts)
}

/// Everything over such mini-batches, but for value and gradient of the whole at the start and after every iteration, as
/// of `Kfac`.
pub fn on_batches(counts: Counts, share: f64, iterations: u64) -> f64 {
    share * on_the_whole(counts) + (1.0 - share) * (iterations + 1) as f64
}

fn evaluations(counts: Counts) -> f64 {
    (counts.values + 2 * counts.gradients) as f64 / 3.0
}

fn products(counts: Counts) -> f64 {
    counts.products as f64 * 4.0 / 3.0
}
