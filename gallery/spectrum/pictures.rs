//! The densities.

use std::path::{Path, PathBuf};

use wengert_plot::{Axis, Figure, Mark, Panel, PlotError, Series};

use crate::report::Spectrum;

/// The least density that is drawn.
const FLOOR: f64 = 1e-6;

/// A panel for each time, in each a curve for every matrix and its extreme eigenvalues.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn draw(folder: &Path, spectra: &[Spectrum], data: &str) -> Result<[PathBuf; 2], PlotError> {
    let panels = spectra.chunk_by(|a, b| a.when == b.when).map(panel).collect();
    Figure::new("Eigenvalues of the curvature of a 784-32-10 network's loss", panels)
        .note(format!(
            "{data}. Stochastic Lanczos quadrature, each node spread by a hundredth of the range; marks: eigenvalues by Lanczos."
        ))
        .size(1300, 560)
        .save(folder, "spectrum")
}

fn panel(spectra: &[Spectrum]) -> Panel<'static> {
    let when = spectra.first().map_or("", |spectrum| spectrum.when);
    let y = Axis::log("density of the eigenvalues").range(0.3 * FLOOR, 100.0);
    let mut panel = Panel::new(Axis::new("eigenvalue"), y).titled(when);
    for (look, spectrum) in spectra.iter().enumerate() {
        let (x, y) = spectrum.density.on_grid(600, None);
        let points = x.into_iter().zip(y).map(|(x, y)| (x, y.max(FLOOR))).collect();
        panel = panel.with(Series::line(spectrum.matrix, look, points));
    }
    let marks = [(Mark::Crosses, 0.7 * FLOOR), (Mark::Dots, 0.45 * FLOOR)];
    for (spectrum, (mark, height)) in spectra.iter().zip(marks) {
        let points = spectrum.eigenvalues().map(|value| (value, height)).collect();
        panel = panel.with(Series::points(format!("extreme, {}", spectrum.matrix), mark, points));
    }
    panel
}
