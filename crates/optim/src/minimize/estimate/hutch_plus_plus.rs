//! The Hutch++ estimate of a trace.

use super::probes::{mean_and_error, rademacher};
use super::trace::TraceEstimate;
use crate::minimize::linear::orthogonalise;
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float};

/// The trace by Hutch++ (Meyer, Musco, Musco and Woodruff, "Hutch++: optimal stochastic trace estimation", 2021) with at most
/// `products` products: a third of them find a space Q that holds the large eigenvalues, a third take the trace there
/// exactly, and a third estimate the rest by Hutchinson. Its error falls as 1/products for semi-definite matrices, where
/// Hutchinson's falls as 1/√products. Memory: `products`/3 vectors. Exact once Q is everything.
///
/// ```
/// use wengert_optim::estimate::hutch_plus_plus;
/// use wengert_optim::DenseOperator;
///
/// let estimate = hutch_plus_plus(&DenseOperator::with_diagonal(&[1.0, 0.5]), 9, 0);
/// assert!((estimate.value - 1.5).abs() < 1e-12 && estimate.standard_error == 0.0);
/// ```
///
/// # Panics
/// If `products` is less than 3.
#[track_caller]
pub fn hutch_plus_plus<T: Float>(a: &dyn Operator<T>, products: usize, seed: u64) -> TraceEstimate {
    assert!(products >= 3, "hutch_plus_plus: at least 3 products are needed, not {products}");
    let n = a.dimension();
    let third = products / 3;
    let (mut z, mut az) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    let mut basis: Vec<Vec<T>> = Vec::with_capacity(third.min(n));
    let (mut made, mut probe) = (0, 0);
    while probe < third && basis.len() < n {
        rademacher(seed, probe as u64, &mut z);
        a.apply(&z, &mut az);
        (probe, made) = (probe + 1, made + 1);
        let before = vector::norm(&az);
        orthogonalise(&basis, &mut az);
        let after = vector::norm(&az);
        // A vector that is (nearly) in the space already would be noise.
        if after.is_finite() && after > rounding::of::<T>(100.0, before) {
            vector::scale(1.0 / after, &mut az);
            basis.push(az.clone());
        }
    }
    let mut exact = 0.0;
    for q in &basis {
        a.apply(q, &mut az);
        exact += vector::dot(q, &az);
    }
    made += basis.len();
    if basis.len() == n {
        return TraceEstimate { value: exact, standard_error: 0.0, products: made };
    }
    // What the first two thirds did not need goes here.
    let rest: Vec<f64> = (0..products - made)
        .map(|i| {
            rademacher(seed, (probe + i) as u64, &mut z);
            orthogonalise(&basis, &mut z);
            a.apply(&z, &mut az);
            vector::dot(&z, &az)
        })
        .collect();
    let (mean, standard_error) = mean_and_error(&rest);
    TraceEstimate { value: exact + mean, standard_error, products }
}
