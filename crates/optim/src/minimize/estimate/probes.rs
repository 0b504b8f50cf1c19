//! Random vectors.

use wengert_tensor::random::Generator;

use crate::minimize::vector::Float;

/// Vector number `index` of a seed, each element 1 or −1 with equal probability.
pub(super) fn rademacher<T: Float>(seed: u64, index: u64, out: &mut [T]) {
    Generator::seeded(seed).fork(index).fill_bernoulli(out, 0.5);
    let two = T::ONE + T::ONE;
    out.iter_mut().for_each(|x| *x = two * *x - T::ONE);
}

/// Vector number `index` of a seed, each element standard normal.
pub(super) fn normal<T: Float>(seed: u64, index: u64, out: &mut [T]) {
    Generator::seeded(seed).fork(index).fill_normal(out, T::ZERO, T::ONE);
}

/// The mean of independent values, and its standard error: infinite for a single one.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, if values.len() > 1 { (squares / (count * (count - 1.0))).sqrt() } else { f64::INFINITY })
}
