//! The results as text.

use std::fmt::Write;

use wengert::prelude::*;
use wengert_examples::pictures::side_by_side;

use crate::Run;

/// Digits that are shown.
const SHOWN: usize = 5;

/// Names of the columns.
pub(crate) const HEAD: &str =
    "method                          seconds   epochs  squared error  cross-entropy   (per test image)";

/// The end of a run.
pub(crate) fn line(run: &Run) -> String {
    run.points.last().map_or(String::new(), |last| {
        format!(
            "{:30} {:8.1} {:8.1} {:14.3} {:14.3}",
            run.name, last.seconds, last.epochs, last.score.squares, last.score.cross_entropy
        )
    })
}

/// The last squared error.
pub(crate) fn error(run: &Run) -> f64 {
    run.points.last().map_or(f64::INFINITY, |last| last.score.squares)
}

/// Some digits over their reconstructions.
pub(crate) fn reconstructions(run: &Run, digits: &Dataset) -> String {
    let Some((images, _)) = digits.batches(SHOWN).next() else { return String::new() };
    let made = run.params.infer(|cx| run.network.forward(cx, &images)).sigmoid();
    let mut text = String::new();
    for images in [images, made] {
        let pixels = images.value().to_vec();
        let row: Vec<(&str, &[f32])> = pixels.chunks_exact(784).map(|pixels| ("", pixels)).collect();
        text += &side_by_side(&row, 28, 28);
    }
    text
}

/// All points.
pub(crate) fn csv(runs: &[Run]) -> String {
    let mut text = String::from("method,seconds,epochs,squared_error,cross_entropy\n");
    for run in runs {
        for p in &run.points {
            let score = p.score;
            let _ = writeln!(
                text,
                "\"{}\",{},{},{},{}",
                run.name, p.seconds, p.epochs, score.squares, score.cross_entropy
            );
        }
    }
    text
}
