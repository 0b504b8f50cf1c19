//! Spectral density.

use super::probes::normal;
use crate::minimize::linear::lanczos;
use crate::minimize::operator::Operator;
use crate::minimize::vector::Float;

/// How [`spectral_density`] looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DensitySettings {
    /// Random starts; 10. More smooth the density.
    pub probes: usize,
    /// Lanczos steps of each, and vectors of memory; 80. More resolve finer detail.
    pub steps: usize,
    /// The seed of the starts; 0.
    pub seed: u64,
}

impl Default for DensitySettings {
    fn default() -> Self {
        Self { probes: 10, steps: 80, seed: 0 }
    }
}

/// The distribution of a matrix's eigenvalues, approximated by point masses: what a plot can draw.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{DensitySettings, SpectralDensity, spectral_density};
/// let a = DenseOperator::with_diagonal(&[1.0, 1.0, 4.0, 4.0]);
/// let density: SpectralDensity = spectral_density(&a, &DensitySettings::default());
/// assert!((density.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// let (least, largest) = density.range().unwrap();
/// assert!((least - 1.0).abs() < 1e-10 && (largest - 4.0).abs() < 1e-10);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralDensity {
    /// Where the masses are: nodes of Gauss quadrature, ascending.
    pub nodes: Vec<f64>,
    /// The fraction of the eigenvalues each stands for: positive, summing to 1.
    pub weights: Vec<f64>,
    /// The dimension of the matrix.
    pub dimension: usize,
    /// Products made.
    pub products: usize,
}

/// The density of the eigenvalues of a symmetric operator by stochastic Lanczos quadrature (Golub and Welsch, "Calculation of
/// Gauss quadrature rules", 1969; Ghorbani, Krishnan and Xiao, "An investigation into neural net optimization via Hessian
/// eigenvalue density", 2019): from each of several normal random vectors v some Lanczos steps, whose Ritz values are the nodes of
/// Gauss quadrature for vᵀf(A)v/‖v‖², with the squares of the first components of the Ritz vectors as weights.
///
/// Costs `probes` · `steps` products. A probe one of whose products is not finite is cut short there; one without any is
/// left out.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::estimate::{DensitySettings, spectral_density};
///
/// let a = DenseOperator::with_diagonal(&[0.0, 0.0, 0.0, 10.0]);
/// let density = spectral_density(&a, &DensitySettings { probes: 200, ..DensitySettings::default() });
/// assert!((density.fraction(-1.0..1.0) - 0.75).abs() < 0.05);
/// let (x, y) = density.on_grid(400, Some(0.1));
/// let peak = x[y.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0];
/// assert!(peak.abs() < 0.05);
/// ```
///
/// # Panics
/// If there are to be no probes or no steps.
#[track_caller]
pub fn spectral_density<T: Float>(a: &dyn Operator<T>, settings: &DensitySettings) -> SpectralDensity {
    let DensitySettings { probes, steps, seed } = *settings;
    assert!(probes > 0 && steps > 0, "spectral_density: {probes} probes of {steps} steps");
    let mut start = vec![T::ZERO; a.dimension()];
    let (mut masses, mut products, mut used) = (Vec::new(), 0, 0);
    for probe in 0..probes {
        normal(seed, probe as u64, &mut start);
        let krylov = lanczos(a, &start, steps);
        let (values, vectors) = krylov.ritz();
        let k = values.len();
        products += k;
        used += usize::from(k > 0);
        masses.extend(values.iter().enumerate().map(|(i, &value)| (value, vectors[i * k].powi(2))));
    }
    masses.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (nodes, weights) = masses.into_iter().map(|(node, weight)| (node, weight / used as f64)).unzip();
    SpectralDensity { nodes, weights, dimension: a.dimension(), products }
}

impl SpectralDensity {
    /// The smallest and the largest node; they converge to the extreme eigenvalues. `None` if there are no nodes.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.nodes.first()?, *self.nodes.last()?))
    }

    /// The density at a point, each mass spread to a normal distribution of standard deviation `width`; its integral is 1.
    ///
    /// # Panics
    /// If the width is not positive and finite.
    #[track_caller]
    pub fn at(&self, x: f64, width: f64) -> f64 {
        assert!(width > 0.0 && width.is_finite(), "SpectralDensity: a width of {width}");
        let height = (2.0 * std::f64::consts::PI).sqrt() * width;
        let term = |(node, weight): (&f64, &f64)| weight * (-0.5 * ((x - node) / width).powi(2)).exp();
        self.nodes.iter().zip(&self.weights).map(term).sum::<f64>() / height
    }

    /// The density at `points` evenly spaced points that cover the spectrum and four `width`s on both sides, as abscissae and
    /// ordinates. The width is a hundredth of the spectrum's unless given. Both are empty if there are no nodes.
    ///
    /// # Panics
    /// If the width is not positive and finite.
    #[track_caller]
    pub fn on_grid(&self, points: usize, width: Option<f64>) -> (Vec<f64>, Vec<f64>) {
        let Some((low, high)) = self.range() else { return Default::default() };
        let spread = if high > low { high - low } else { low.abs().max(1.0) };
        let width = width.unwrap_or(0.01 * spread);
        assert!(width > 0.0 && width.is_finite(), "SpectralDensity: a width of {width}");
        let (low, high) = (low - 4.0 * width, high + 4.0 * width);
        let step = (high - low) / points.saturating_sub(1).max(1) as f64;
        let x: Vec<f64> = (0..points).map(|i| low + step * i as f64).collect();
        let y = x.iter().map(|&x| self.at(x, width)).collect();
        (x, y)
    }

    /// The fraction of the eigenvalues in a range.
    pub fn fraction(&self, range: std::ops::Range<f64>) -> f64 {
        self.mean(|eigenvalue| f64::from(u8::from(range.contains(&eigenvalue))))
    }

    /// The mean of f over the eigenvalues: n times this estimates the trace of f(A).
    pub fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().zip(&self.weights).map(|(&node, weight)| weight * f(node)).sum()
    }
}
