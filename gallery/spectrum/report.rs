//! What is found out about a matrix.

use std::fmt::{self, Display};

use wengert::optim::estimate::{
    DensitySettings, EigenSettings, Eigenpairs, SpectralDensity, TraceEstimate, extreme_eigenpairs,
    hutch_plus_plus, spectral_density,
};
use wengert::prelude::*;

/// Products that the trace is estimated with.
const TRACE_PRODUCTS: usize = 60;
/// What damping adds, for a condition number where the matrix has none.
const DAMPING: f64 = 1e-3;

pub(crate) struct Spectrum {
    pub matrix: &'static str,
    pub when: &'static str,
    pub density: SpectralDensity,
    pub ends: Eigenpairs<f32>,
    trace: TraceEstimate,
}

impl Spectrum {
    pub(crate) fn of(
        matrix: &'static str,
        when: &'static str,
        operator: &dyn Operator<f32>,
        density: &DensitySettings,
        ends: &EigenSettings,
    ) -> Self {
        Spectrum {
            matrix,
            when,
            density: spectral_density(operator, density),
            ends: extreme_eigenpairs(operator, ends),
            trace: hutch_plus_plus(operator, TRACE_PRODUCTS, density.seed),
        }
    }

    /// The extreme eigenvalues.
    pub(crate) fn eigenvalues(&self) -> impl Iterator<Item = f64> + '_ {
        self.ends.largest.iter().chain(&self.ends.smallest).map(|pair| pair.value)
    }
}

impl Display for Spectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[f64]| values.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(", ");
        let largest: Vec<f64> = self.ends.largest.iter().map(|pair| pair.value).collect();
        let smallest: Vec<f64> = self.ends.smallest.iter().map(|pair| pair.value).collect();
        let (top, bottom) =
            (largest.first().copied().unwrap_or(f64::NAN), smallest.first().copied().unwrap_or(f64::NAN));
        writeln!(f, "  {}, {}", self.matrix, self.when)?;
        writeln!(f, "    largest   {}", list(&largest))?;
        writeln!(f, "    smallest  {}", list(&smallest))?;
        writeln!(
            f,
            "    trace     {:.3} ± {:.3} ({} products)",
            self.trace.value, self.trace.standard_error, self.trace.products
        )?;
        let near = self.density.fraction(-DAMPING..DAMPING);
        writeln!(f, "    {:.1} % of the eigenvalues within ±{DAMPING}", 100.0 * near)?;
        writeln!(f, "    {:.2} % below that", 100.0 * self.density.fraction(f64::NEG_INFINITY..-DAMPING))?;
        if bottom + DAMPING > 0.0 {
            writeln!(f, "    condition {:.0} with {DAMPING} added", (top + DAMPING) / (bottom + DAMPING))
        } else {
            writeln!(f, "    indefinite: λ₁ / |λₙ| = {:.1}", top / bottom.abs())
        }
    }
}
