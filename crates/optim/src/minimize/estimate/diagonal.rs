//! Hutchinson's estimate of a diagonal.

use super::probes::rademacher;
use crate::minimize::operator::Operator;
use crate::minimize::vector::Float;

/// An estimated diagonal.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{DiagonalEstimate, hutchinson_diagonal};
/// let a = DenseOperator::new(vec![2.0f64, 0.1, 0.1, 3.0]);
/// let DiagonalEstimate { diagonal, standard_error } = hutchinson_diagonal(&a, 50, 0);
/// for (i, exact) in [2.0, 3.0].into_iter().enumerate() {
///     assert!((diagonal[i] - exact).abs() <= 4.0 * standard_error[i]);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DiagonalEstimate<T> {
    /// The estimate.
    pub diagonal: Vec<T>,
    /// The standard error of each element, estimated from the spread of the probes; infinite if there was only one.
    pub standard_error: Vec<T>,
}

/// The diagonal as the mean of z∘Az over `probes` random vectors of signs (Bekas, Kokiopoulou and Saad, "An estimator for the
/// diagonal of a matrix", 2007): one product a probe, unbiased, and the variance of an element is the sum of the squares of
/// the others in its row over the number of probes.
///
/// ```
/// use wengert_optim::estimate::hutchinson_diagonal;
/// use wengert_optim::DenseOperator;
///
/// // Exact for a diagonal matrix.
/// let estimate = hutchinson_diagonal(&DenseOperator::with_diagonal(&[1.0, 0.5]), 3, 0);
/// assert_eq!((estimate.diagonal, estimate.standard_error), (vec![1.0, 0.5], vec![0.0, 0.0]));
/// ```
///
/// # Panics
/// If `probes` is 0.
#[track_caller]
pub fn hutchinson_diagonal<T: Float>(a: &dyn Operator<T>, probes: usize, seed: u64) -> DiagonalEstimate<T> {
    assert!(probes > 0, "hutchinson_diagonal: at least one probe is needed");
    let n = a.dimension();
    let (mut z, mut az) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    // Welford's update, in which nothing cancels.
    let (mut mean, mut squares) = (vec![0.0; n], vec![0.0; n]);
    for probe in 0..probes {
        rademacher(seed, probe as u64, &mut z);
        a.apply(&z, &mut az);
        let count = (probe + 1) as f64;
        for (((mean, squares), z), az) in mean.iter_mut().zip(&mut squares).zip(&z).zip(&az) {
            let value = z.to_f64() * az.to_f64();
            let difference = value - *mean;
            *mean += difference / count;
            *squares += difference * (value - *mean);
        }
    }
    let count = probes as f64;
    let error = |squares: f64| {
        if probes > 1 { (squares / (count * (count - 1.0))).sqrt() } else { f64::INFINITY }
    };
    DiagonalEstimate {
        diagonal: mean.into_iter().map(T::from_f64).collect(),
        standard_error: squares.into_iter().map(|s| T::from_f64(error(s))).collect(),
    }
}
