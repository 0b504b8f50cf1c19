//! The legend, a column beside the panels.

use plotters::prelude::*;

use crate::axis::number;
use crate::draw::{Area, Drawn, FINE, beside, sample, stroke, text, units};
use crate::palette::{FRAME, INK, shade};
use crate::{Figure, Mark};

/// The width of a column of short names, in pixels.
const USUAL_WIDTH: f64 = 190.0;
/// Where the names begin.
const INDENT: f64 = 44.0;
const LINE: f64 = 22.0;

/// The width of the column, in pixels: wide enough for the longest name.
pub(crate) fn width<B: DrawingBackend>(
    figure: &Figure<'_>,
    area: &Area<B>,
) -> Result<f64, DrawingAreaErrorKind<B::ErrorType>> {
    let mut width = USUAL_WIDTH;
    for series in figure.panels.iter().flat_map(|p| &p.series) {
        let (name, _) = area.estimate_text_size(&series.name, &text(15.0, INK))?;
        width = width.max(INDENT + f64::from(name) / f64::from(FINE) + 12.0);
    }
    Ok(width)
}

/// Draws a line for each name among the series, and the key of the first background.
pub(crate) fn draw<B: DrawingBackend>(figure: &Figure<'_>, area: &Area<B>) -> Drawn<B> {
    let mut names: Vec<&str> = Vec::new();
    let mut top = 18.0;
    let write = |words: String, at: (f64, f64), colour| {
        area.draw(&Text::new(words, (units(at.0), units(at.1)), beside(text(15.0, colour))))
    };
    // Relative to the column; the samples are drawn in its coordinates too.
    let fine = |x: f64, y: f64| (x * f64::from(FINE), y * f64::from(FINE));
    for series in figure.panels.iter().flat_map(|p| &p.series) {
        if names.contains(&series.name.as_str()) {
            continue;
        }
        names.push(&series.name);
        match series.mark {
            Mark::Dots | Mark::Crosses => sample(series.mark, series.look, fine(20.0, top), area)?,
            Mark::Line | Mark::Path => stroke(&[fine(4.0, top), fine(36.0, top)], series.look, area)?,
        }
        write(series.name.clone(), (INDENT, top), INK)?;
        top += LINE;
    }
    let Some(field) = figure.panels.iter().find_map(|p| p.field.as_ref()) else { return Ok(()) };
    top += 14.0;
    write(field.name.clone(), (4.0, top), INK)?;
    top += LINE;
    let count = field.levels.len() + 1;
    for band in (0..count).rev() {
        let swatch = [(units(4.0), units(top - 9.0)), (units(36.0), units(top + 9.0))];
        area.draw(&Rectangle::new(swatch, shade(band, count).filled()))?;
        area.draw(&Rectangle::new(swatch, FRAME.stroke_width(1)))?;
        let words = match band {
            0 => format!("below {}", number(field.levels[0])),
            _ if band + 1 == count => format!("above {}", number(field.levels[band - 1])),
            _ => format!("{} to {}", number(field.levels[band - 1]), number(field.levels[band])),
        };
        write(words, (INDENT, top), INK)?;
        top += 18.0;
    }
    Ok(())
}
