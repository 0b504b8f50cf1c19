//! Hutchinson's estimate of a trace.

use super::probes::{mean_and_error, rademacher};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float};

/// An estimated trace.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{TraceEstimate, hutchinson_trace};
/// let a = DenseOperator::new(vec![2.0f64, 0.1, 0.1, 3.0]);
/// let TraceEstimate { value, standard_error, products } = hutchinson_trace(&a, 50, 0);
/// assert!((value - 5.0).abs() <= 4.0 * standard_error && products == 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceEstimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, estimated from the spread of the probes; infinite if there was only one, zero if the result is
    /// exact.
    pub standard_error: f64,
    /// Products made.
    pub products: usize,
}

/// The trace by Hutchinson's estimator, the mean of zᵀAz over `probes` random vectors of signs ("A stochastic estimator of the
/// trace of the influence matrix for Laplacian smoothing splines", 1990): one product a probe, unbiased, with variance
/// 2 Σ_{i≠j} aᵢⱼ² / probes. Where the spectrum decays, [`hutch_plus_plus`](super::hutch_plus_plus) needs far fewer products.
///
/// ```
/// use wengert_optim::estimate::hutchinson_trace;
/// use wengert_optim::DenseOperator;
///
/// // Exact for a diagonal matrix.
/// let estimate = hutchinson_trace(&DenseOperator::with_diagonal(&[1.0, 0.5]), 3, 0);
/// assert_eq!((estimate.value, estimate.standard_error), (1.5, 0.0));
/// ```
///
/// # Panics
/// If `probes` is 0.
#[track_caller]
pub fn hutchinson_trace<T: Float>(a: &dyn Operator<T>, probes: usize, seed: u64) -> TraceEstimate {
    assert!(probes > 0, "hutchinson_trace: at least one probe is needed");
    let (mut z, mut az) = (vec![T::ZERO; a.dimension()], vec![T::ZERO; a.dimension()]);
    let mut form = |probe: usize| {
        rademacher(seed, probe as u64, &mut z);
        a.apply(&z, &mut az);
        vector::dot(&z, &az)
    };
    let forms: Vec<f64> = (0..probes).map(&mut form).collect();
    let (value, standard_error) = mean_and_error(&forms);
    TraceEstimate { value, standard_error, products: probes }
}
