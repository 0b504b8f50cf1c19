//! The solution over time and space, and at three times beside the exact one.

use std::path::{Path, PathBuf};

use wengert::prelude::*;
use wengert_plot::{Axis, Field, Figure, Mark, Panel, PlotError, Series};

use crate::network::Solution;

/// A time, places, and there the network's values and the exact ones.
pub(crate) type Curve = (f64, Vec<f64>, Vec<f64>, Vec<f64>);

pub(crate) fn draw(
    folder: &Path,
    network: &Solution,
    params: &Params<f64>,
    curves: &[Curve],
) -> Result<[PathBuf; 2], PlotError> {
    let values = |ts: &[f64], xs: &[f64]| {
        let places: Vec<f64> = ts.iter().zip(xs).flat_map(|(&t, &x)| [t, x]).collect();
        network.values_at(params, &places)
    };
    let levels = (-3..=3).map(|i| f64::from(i) / 4.0).collect();
    let field = Field { name: "u(t, x)".into(), values: Box::new(values), levels };
    let whole = Panel::new(Axis::new("t").range(0.0, 1.0), Axis::new("x").range(-1.0, 1.0))
        .titled("what the network learned")
        .over(field);
    let mut panel = Panel::new(Axis::new("x"), Axis::new("u")).titled("beside the exact solution");
    let mut exact = Vec::new();
    for (look, (t, xs, found, right)) in curves.iter().enumerate() {
        let points = xs.iter().copied().zip(found.iter().copied()).collect();
        panel = panel.with(Series::line(format!("t = {t}"), look, points));
        exact.extend(xs.iter().copied().zip(right.iter().copied()).step_by(8));
    }
    let panel = panel.with(Series::points("exact", Mark::Crosses, exact));
    Figure::new("Burgers' equation by a physics-informed network", vec![whole, panel])
        .columns(2)
        .size(1200, 520)
        .save(folder, "physics_informed")
}
