//! Colours that colour-blind readers can tell apart.

use plotters::style::RGBColor;

/// Okabe and Ito, *Color universal design*, 2008, without the yellow, which is too pale for lines on white, and with
/// the black kept for points.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// Strokes and gaps, in pixels; when all colours are used they come again with the next of these.
const DASHES: [&[f64]; 4] = [&[], &[9.0, 4.0], &[2.0, 3.0], &[12.0, 3.0, 2.0, 3.0]];

/// The colour of points and text.
pub(crate) const INK: RGBColor = RGBColor(30, 30, 30);

/// The colour of the lines behind the data.
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);

/// The colour of the axes.
pub(crate) const FRAME: RGBColor = RGBColor(95, 95, 95);

/// Colour and dash of a series.
pub(crate) fn look(index: Option<usize>) -> (RGBColor, &'static [f64]) {
    match index {
        Some(i) => (COLOURS[i % COLOURS.len()], DASHES[i / COLOURS.len() % DASHES.len()]),
        None => (INK, DASHES[0]),
    }
}

/// The shade of band `index` of `count`: white where the function is low, warm grey where it is high.
pub(crate) fn shade(index: usize, count: usize) -> RGBColor {
    let part = index as f64 / count.max(2).saturating_sub(1) as f64;
    let mix = |low: f64, high: f64| (low + part * (high - low)).round() as u8;
    RGBColor(mix(255.0, 196.0), mix(255.0, 194.0), mix(255.0, 186.0))
}

/// The colour of the line where that band begins.
pub(crate) fn contour(index: usize, count: usize) -> RGBColor {
    let RGBColor(r, g, b) = shade(index, count);
    RGBColor(r - 38, g - 38, b - 38)
}
