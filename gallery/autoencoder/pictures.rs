//! The curves.

use std::path::{Path, PathBuf};

use wengert_plot::{Axis, Figure, Panel, PlotError, Series};

use crate::{Point, Run};

/// The squared error against seconds and against epochs.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn draw(folder: &Path, runs: &[Run], data: &str) -> Result<[PathBuf; 2], PlotError> {
    let error = || Axis::log("squared error per test image");
    let panels = vec![
        panel(Axis::new("training time (s)"), error(), runs, |p| p.seconds),
        panel(Axis::new("work (gradients over all digits)"), error(), runs, |p| p.epochs),
    ];
    Figure::new("Autoencoder of digits, 784-1000-500-250-30 and back", panels)
        .note(format!("{data}; sparse random start, no pretraining. Time without evaluation."))
        .size(1200, 500)
        .save(folder, "autoencoder")
}

fn panel(x: Axis, y: Axis, runs: &[Run], across: impl Fn(&Point) -> f64) -> Panel<'static> {
    runs.iter().enumerate().fold(Panel::new(x, y), |panel, (look, run)| {
        let points = run.points.iter().map(|p| (across(p), p.score.squares)).collect();
        panel.with(Series::path(run.name, look, points))
    })
}
