//! Extreme eigenvalues and their vectors.

use super::probes::normal;
use crate::minimize::linear::{Lanczos, lanczos};
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float};

/// What [`extreme_eigenpairs`] looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EigenSettings {
    /// How many of the largest eigenvalues; 5.
    pub largest: usize,
    /// How many of the smallest (most negative); 1.
    pub smallest: usize,
    /// A pair has converged when its residual is at most this fraction of the largest |eigenvalue|, or 100 ε of the element
    /// type if that is more; 1e-8.
    pub tolerance: f64,
    /// Steps, products and vectors of memory allowed; 200. Never more than the dimension are made.
    pub max_steps: usize,
    /// The seed of the random start; 0.
    pub seed: u64,
}

impl Default for EigenSettings {
    fn default() -> Self {
        Self { largest: 5, smallest: 1, tolerance: 1e-8, max_steps: 200, seed: 0 }
    }
}

/// An approximate eigenvalue with its vector.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{EigenSettings, Eigenpair, extreme_eigenpairs};
/// let a = DenseOperator::new(vec![2.0f64, 1.0, 1.0, 2.0]);
/// let Eigenpair { value, vector, residual, converged } =
///     extreme_eigenpairs(&a, &EigenSettings::default()).largest.remove(0);
/// assert!(converged && residual < 1e-10 && (value - 3.0).abs() < 1e-12);
/// assert!((vector[0] - vector[1]).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpair<T> {
    /// λ.
    pub value: f64,
    /// v, of length 1.
    pub vector: Vec<T>,
    /// ‖Av − λv‖, as the Lanczos recurrence bounds it: some eigenvalue is within this distance of λ.
    pub residual: f64,
    /// Whether that is within the tolerance.
    pub converged: bool,
}

/// Both ends of a spectrum.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{EigenSettings, Eigenpairs, extreme_eigenpairs};
/// let a = DenseOperator::with_diagonal(&[1.0, 100.0, 10.0]);
/// let Eigenpairs { largest, smallest, .. } = extreme_eigenpairs(&a, &EigenSettings::default());
/// // The condition number.
/// assert!((largest[0].value / smallest[0].value - 100.0).abs() < 1e-8);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpairs<T> {
    /// The largest eigenvalues, descending.
    pub largest: Vec<Eigenpair<T>>,
    /// The smallest, ascending.
    pub smallest: Vec<Eigenpair<T>>,
    /// Products made.
    pub products: usize,
}

impl<T> Eigenpairs<T> {
    /// Whether all pairs have converged; not if there are no products. There may be fewer pairs than were asked for: see
    /// [`extreme_eigenpairs`].
    pub fn converged(&self) -> bool {
        self.products > 0 && self.largest.iter().chain(&self.smallest).all(|pair| pair.converged)
    }
}

/// The largest and smallest eigenvalues of a symmetric operator with their vectors, by Lanczos' method from a random start
/// with full reorthogonalisation, which goes on until all have converged or the steps are used up: one product a step.
///
/// A single start sees an eigenvalue that is there several times only once, so that there can be fewer pairs than were asked
/// for. If a product is not finite the steps end there, and nothing has converged.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{EigenSettings, extreme_eigenpairs};
///
/// let a = DenseOperator::with_diagonal(&[1.0f64, -3.0, 2.0, 5.0]);
/// let pairs = extreme_eigenpairs(&a, &EigenSettings { largest: 2, ..EigenSettings::default() });
/// assert!(pairs.converged());
/// assert!((pairs.largest[0].value - 5.0).abs() < 1e-12 && (pairs.largest[1].value - 2.0).abs() < 1e-12);
/// assert!((pairs.smallest[0].value + 3.0).abs() < 1e-12 && pairs.smallest[0].vector[1].abs() > 1.0 - 1e-12);
/// ```
///
/// # Panics
/// If the tolerance is negative or not finite, or there are to be no steps or no pairs.
#[track_caller]
pub fn extreme_eigenpairs<T: Float>(a: &dyn Operator<T>, settings: &EigenSettings) -> Eigenpairs<T> {
    let EigenSettings { largest, smallest, tolerance, max_steps, .. } = *settings;
    assert!(tolerance >= 0.0 && tolerance.is_finite(), "extreme_eigenpairs: a tolerance of {tolerance}");
    assert!(max_steps > 0, "extreme_eigenpairs: max_steps of 0");
    assert!(largest + smallest > 0, "extreme_eigenpairs: largest and smallest are both 0");
    let n = a.dimension();
    let mut start = vec![T::ZERO; n];
    normal(settings.seed, 0, &mut start);
    let limit = settings.max_steps.min(n);
    let mut steps = (2 * (settings.largest + settings.smallest) + 10).min(limit);
    let mut krylov = lanczos(a, &start, steps);
    loop {
        let ends = Ends::of(&krylov, settings);
        if ends.all_converged() || krylov.diagonal.len() < steps || steps == limit {
            return ends.pairs(&krylov);
        }
        // Each look costs the eigenvalues of a small matrix.
        steps = (steps + steps / 3 + 1).min(limit);
        krylov.extend(a, steps);
    }
}

/// The Ritz pairs at both ends.
struct Ends {
    values: Vec<f64>,
    vectors: Vec<f64>,
    residuals: Vec<f64>,
    limit: f64,
    smallest: usize,
    largest: usize,
}

impl Ends {
    fn of<T: Float>(krylov: &Lanczos<T>, settings: &EigenSettings) -> Self {
        let (values, vectors) = krylov.ritz();
        let k = values.len();
        let residuals = (0..k).map(|i| krylov.residual * vectors[i * k + k - 1].abs()).collect();
        let size = vector::norm_inf(&values);
        let limit = settings.tolerance.max(rounding::relative::<T>(100.0)) * size;
        Self {
            values,
            vectors,
            residuals,
            limit,
            smallest: settings.smallest.min(k),
            largest: settings.largest.min(k),
        }
    }

    fn converged(&self, i: usize) -> bool {
        self.residuals[i] <= self.limit
    }

    /// The numbers of the wanted values, the largest first.
    fn wanted(&self) -> (impl Iterator<Item = usize>, impl Iterator<Item = usize>) {
        let k = self.values.len();
        ((k - self.largest..k).rev(), 0..self.smallest)
    }

    fn all_converged(&self) -> bool {
        let (mut largest, mut smallest) = self.wanted();
        largest.all(|i| self.converged(i)) && smallest.all(|i| self.converged(i))
    }

    fn pairs<T: Float>(&self, krylov: &Lanczos<T>) -> Eigenpairs<T> {
        let k = self.values.len();
        let pair = |i: usize| {
            let mut vector = vec![T::ZERO; krylov.basis.first().map_or(0, Vec::len)];
            krylov.combine(&self.vectors[i * k..(i + 1) * k], &mut vector);
            let (value, residual) = (self.values[i], self.residuals[i]);
            Eigenpair { value, vector, residual, converged: self.converged(i) }
        };
        let (largest, smallest) = self.wanted();
        Eigenpairs {
            largest: largest.map(pair).collect(),
            smallest: smallest.map(pair).collect(),
            products: k,
        }
    }
}
