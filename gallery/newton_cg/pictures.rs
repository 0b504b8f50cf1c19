//! The curves.

use std::path::{Path, PathBuf};

use wengert_plot::{Axis, Figure, Panel, PlotError, Series};

use crate::run::{Point, Run};

/// Value above the least and gradient, against iterations, work and seconds.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn draw(folder: &Path, runs: &[Run], best: f64, digits: usize) -> Result<[PathBuf; 2], PlotError> {
    let iteration = || Axis::log("iteration, counted from 1 at the start");
    let work = || Axis::new("work (gradients over all digits)");
    let seconds = || Axis::new("time (s)");
    let value = || Axis::log("value − least value (nats)").range(1e-13, 10.0);
    let norm = || Axis::log("largest element of the gradient").range(1e-8, 1.0);
    let above = |p: &Point| p.value - best;
    let number = |i: usize, _: &Point| (i + 1) as f64;
    let panels = vec![
        panel(iteration(), value(), runs, number, above),
        panel(work(), value(), runs, |_, p| p.work, above),
        panel(seconds(), value(), runs, |_, p| p.seconds, above),
        panel(iteration(), norm(), runs, number, |p| p.norm),
        panel(work(), norm(), runs, |_, p| p.work, |p| p.norm),
        panel(seconds(), norm(), runs, |_, p| p.seconds, |p| p.norm),
    ];
    Figure::new("Softmax regression on handwritten digits", panels)
        .note(format!(
            "{digits} digits, mean cross-entropy plus 0.0005 times the squared norm of the parameters, start at 0, f64. Dots: end of a run."
        ))
        .columns(3)
        .size(1500, 800)
        .save(folder, "newton_cg")
}

fn panel(
    x: Axis,
    y: Axis,
    runs: &[Run],
    across: impl Fn(usize, &Point) -> f64,
    up: impl Fn(&Point) -> f64,
) -> Panel<'static> {
    runs.iter().enumerate().fold(Panel::new(x, y), |panel, (look, run)| {
        // A logarithmic axis has no place for a value that is the least to the last digit.
        let points = run.points.iter().enumerate().map(|(i, p)| (across(i, p), up(p)));
        let points = points.filter(|p| p.1 > 0.0).collect();
        panel.with(Series::path(run.name.clone(), look, points))
    })
}
