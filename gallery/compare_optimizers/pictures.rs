//! The curves and the table of all points.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use wengert_plot::{Axis, Figure, Panel, PlotError, Series};

use crate::train::{Progress, Run};

/// Loss and accuracy against epochs and against seconds.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn draw(folder: &Path, runs: &[Run], digits: &str) -> Result<[PathBuf; 2], PlotError> {
    let epochs = || Axis::new("epoch");
    let seconds = || Axis::log("training time (s)");
    let (loss, accuracy) = (|| Axis::log("training loss (nats)"), || Axis::nines("test accuracy (%)"));
    let percent = |p: &Progress| 100.0 * p.accuracy;
    let panels = vec![
        panel(epochs(), loss(), runs, |p| p.epoch, |p| p.loss),
        panel(seconds(), loss(), runs, |p| p.seconds, |p| p.loss),
        panel(epochs(), accuracy(), runs, |p| p.epoch, percent),
        panel(seconds(), accuracy(), runs, |p| p.seconds, percent),
    ];
    Figure::new("Optimisers on handwritten digits, 784-128-10 network", panels)
        .note(format!(
            "{digits}. Legend: learning rate, digits per step. Same seed and epochs; time without evaluation."
        ))
        .columns(2)
        .size(1200, 800)
        .save(folder, "compare_optimizers")
}

fn panel(
    x: Axis,
    y: Axis,
    runs: &[Run],
    across: impl Fn(&Progress) -> f64,
    up: impl Fn(&Progress) -> f64,
) -> Panel<'static> {
    runs.iter().enumerate().fold(Panel::new(x, y), |panel, (look, run)| {
        let points = run.points.iter().map(|p| (across(p), up(p))).collect();
        panel.with(Series::path(run.name.clone(), look, points))
    })
}

/// All points.
pub(crate) fn csv(runs: &[Run]) -> String {
    let mut text = String::from("optimiser,epoch,seconds,train_loss,test_accuracy\n");
    for run in runs {
        for p in &run.points {
            let _ = writeln!(text, "\"{}\",{},{},{},{}", run.name, p.epoch, p.seconds, p.loss, p.accuracy);
        }
    }
    text
}
