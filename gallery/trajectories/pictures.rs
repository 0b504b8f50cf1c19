//! The pictures.

use std::path::Path as FilePath;

use wengert_plot::{Axis, Field, Figure, Mark, Panel, PlotError, Series};

use crate::functions::Function;
use crate::run::{End, Path};

const NAMES: [&str; 3] = ["x", "y", "z"];

/// Draws the paths and the values, and returns the number of files.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn draw(folder: &FilePath, function: &Function, paths: &[Path]) -> Result<usize, PlotError> {
    let planes: &[(usize, usize)] = if function.start.len() == 2 { &[(0, 1)] } else { &[(0, 1), (0, 2)] };
    let panels = planes.iter().map(|&(across, down)| plane(function, paths, across, down)).collect();
    let paths_drawn = Figure::new(function.title, panels)
        .note(function.note)
        .size(if planes.len() == 1 { 960 } else { 1200 }, if planes.len() == 1 { 700 } else { 600 })
        .save(folder, &format!("trajectories_{}_paths", function.name))?;
    let values_drawn = Figure::new(function.title, vec![values(function, paths)])
        .note("Value after each step, from the same start. A curve ends where the path converged or left the frame.")
        .save(folder, &format!("trajectories_{}_values", function.name))?;
    Ok(paths_drawn.len() + values_drawn.len())
}

/// The paths projected on the plane of two coordinates.
fn plane<'a>(function: &'a Function, paths: &[Path], across: usize, down: usize) -> Panel<'a> {
    let axis = |i: usize| Axis::new(NAMES[i]).range(function.frame[i].0, function.frame[i].1);
    let mut panel = Panel::new(axis(across), axis(down)).over(Field {
        name: "value of f".into(),
        values: Box::new(move |x, y| function.slice(across, down, x, y)),
        levels: function.levels.to_vec(),
    });
    for (look, path) in paths.iter().enumerate() {
        let points = path.places.iter().map(|p| (p.point[across], p.point[down])).collect();
        panel = panel.with(Series::path(legend(path), look, points));
    }
    let start = (function.start[across], function.start[down]);
    panel = panel.with(Series::points("start", Mark::Dots, vec![start]));
    let minima: Vec<(f64, f64)> = function.minima.iter().map(|m| (m[across], m[down])).collect();
    if minima.is_empty() { panel } else { panel.with(Series::points("minimum", Mark::Crosses, minima)) }
}

/// The values against the steps; all logarithmic where no value is negative.
fn values<'a>(function: &Function, paths: &[Path]) -> Panel<'a> {
    let bounded = !function.minima.is_empty();
    // What left the picture is worth a glance, not the whole axis.
    let (low, high) = (function.levels[0], 1.2 * function.value_and_gradient(function.start).0);
    let y = if bounded {
        Axis::log("value of f").range(1e-12, high.max(1.0))
    } else {
        Axis::new("value of f").range(1.2 * low, high)
    };
    paths.iter().enumerate().fold(
        Panel::new(Axis::log("step, counted from 1 at the start"), y),
        |panel, (look, path)| {
            let points = envelope(path);
            panel.with(Series::path(legend(path), look, points))
        },
    )
}

/// The name, and what happened if the path left the picture.
fn legend(path: &Path) -> String {
    match path.end {
        End::LeftPicture => format!("{} (left: step {})", path.optimizer, path.places.len() - 1),
        End::Converged | End::Budget => path.optimizer.to_owned(),
    }
}

/// The values against the steps: where many steps are drawn in one place, the lowest and the highest of them.
fn envelope(path: &Path) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> =
        path.places.iter().enumerate().map(|(step, p)| ((step + 1) as f64, p.value)).collect();
    let column = |point: &(f64, f64)| (150.0 * point.0.log10()) as u64;
    let mut kept = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let low = group.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(i, _)| i);
        let high = group.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(i, _)| i);
        kept.push(group[low.min(high)]);
        if low != high {
            kept.push(group[low.max(high)]);
        }
    }
    kept.extend(points.last());
    kept
}
