//! Drawing a figure on any backend.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::contour::Grid;
use crate::geometry::{Point, clip, dash, smooth_parts, thin};
use crate::palette::{FRAME, GRID, INK, contour, look, shade};
use crate::write::Drawing;
use crate::{Figure, Mark, Panel, Series, legend};

/// Units of the drawing in a pixel of the finished picture: the backends round to whole units.
pub(crate) const FINE: u32 = 3;

/// The name of the registered font, which SVG viewers resolve for themselves.
const FONT: &str = "sans-serif";

/// Distance between the nodes of a background's grid.
const CELL: f64 = 3.0 * FINE as f64;

pub(crate) type Area<B> = DrawingArea<B, Shift>;
pub(crate) type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Pixels as units.
pub(crate) fn units(pixels: f64) -> i32 {
    (pixels * f64::from(FINE)).round() as i32
}

/// A text style of this height in pixels.
pub(crate) fn text(pixels: f64, colour: RGBColor) -> TextStyle<'static> {
    (FONT, f64::from(FINE) * pixels).into_font().color(&colour)
}

impl Drawing for Figure<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, root: &Area<B>) -> Drawn<B> {
        figure(self, root)
    }
}

/// Draws the whole figure.
fn figure<B: DrawingBackend>(figure: &Figure<'_>, root: &Area<B>) -> Drawn<B> {
    root.fill(&WHITE)?;
    let left = units(16.0);
    root.draw(&Text::new(figure.title.as_str(), (left, units(14.0)), text(23.0, INK)))?;
    let mut top = 46.0;
    if !figure.note.is_empty() {
        root.draw(&Text::new(figure.note.as_str(), (left, units(42.0)), text(15.0, FRAME)))?;
        top = 66.0;
    }
    let (_, below) = root.split_vertically(units(top));
    let (width, _) = below.dim_in_pixel();
    let (charts, key) = below.split_horizontally(width as i32 - units(legend::width(figure, root)?));
    let columns = figure.columns.min(figure.panels.len()).max(1);
    let rows = figure.panels.len().div_ceil(columns);
    for (panel, area) in figure.panels.iter().zip(charts.split_evenly((rows, columns))) {
        draw_panel(panel, &area, root)?;
    }
    legend::draw(figure, &key)
}

/// The coordinate of a panel's axis: linear in places, with ticks where the axis has them.
struct Places {
    ends: (f64, f64),
    ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, &place: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (place - self.ends.0) / (self.ends.1 - self.ends.0);
        first + (part * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.ends.0..self.ends.1
    }
}

fn draw_panel<B: DrawingBackend>(panel: &Panel<'_>, area: &Area<B>, root: &Area<B>) -> Drawn<B> {
    let points = || panel.series.iter().flat_map(|s| s.points.iter());
    let x = panel.x.ends(points().map(|p| p.0));
    let y = panel.y.ends(points().map(|p| p.1));
    let mut builder = ChartBuilder::on(area);
    builder
        .margin(units(6.0))
        .margin_right(units(14.0))
        .x_label_area_size(units(46.0))
        .y_label_area_size(units(66.0));
    if !panel.title.is_empty() {
        builder.caption(&panel.title, text(17.0, INK));
    }
    let mut chart = builder.build_cartesian_2d(
        Places { ends: x, ticks: panel.x.ticks(x) },
        Places { ends: y, ticks: panel.y.ticks(y) },
    )?;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let low = (f64::from(across.start), f64::from(down.start));
    let high = (f64::from(across.end), f64::from(down.end));

    if panel.field.is_some() {
        background(panel, root, (x, y), (low, high))?;
    }
    let mut mesh = chart.configure_mesh();
    if panel.field.is_some() {
        mesh.disable_mesh();
    }
    mesh.x_labels(40)
        .y_labels(40)
        .x_desc(panel.x.label.as_str())
        .y_desc(panel.y.label.as_str())
        .x_label_formatter(&|&place| panel.x.text(place, x))
        .y_label_formatter(&|&place| panel.y.text(place, y))
        .bold_line_style(GRID.stroke_width(FINE))
        .light_line_style(TRANSPARENT)
        .axis_style(FRAME.stroke_width(FINE))
        .label_style(text(15.0, INK))
        .axis_desc_style(text(16.0, INK))
        .set_all_tick_mark_size(units(4.0))
        .draw()?;
    root.draw(&Rectangle::new([units_of(low), units_of(high)], FRAME.stroke_width(FINE)))?;

    let pixel = |p: &(f64, f64)| {
        let part = ((panel.x.place(p.0) - x.0) / (x.1 - x.0), (panel.y.place(p.1) - y.0) / (y.1 - y.0));
        (low.0 + part.0 * (high.0 - low.0), high.1 - part.1 * (high.1 - low.1))
    };
    for series in &panel.series {
        draw_series(series, root, pixel, (low, high))?;
    }
    Ok(())
}

fn draw_series<B: DrawingBackend>(
    series: &Series,
    root: &Area<B>,
    pixel: impl Fn(&(f64, f64)) -> Point,
    (low, high): (Point, Point),
) -> Drawn<B> {
    let inside = |p: &Point| p.0 >= low.0 && p.0 <= high.0 && p.1 >= low.1 && p.1 <= high.1;
    let points: Vec<Point> = series.points.iter().map(pixel).collect();
    if matches!(series.mark, Mark::Dots | Mark::Crosses) {
        return points.into_iter().filter(inside).try_for_each(|p| sample(series.mark, series.look, p, root));
    }
    if let (Mark::Path, Some(last)) = (series.mark, points.last().copied().filter(inside)) {
        let dot = Circle::new(units_of(last), units(4.5), look(series.look).0.filled());
        root.draw(&dot)?;
    }
    for part in clip(points, low, high) {
        stroke(&thin(&part, 0.7 * f64::from(FINE)), series.look, root)?;
    }
    Ok(())
}

/// A point as it is drawn, in the panel and in the legend.
pub(crate) fn sample<B: DrawingBackend>(
    mark: Mark,
    index: Option<usize>,
    at: Point,
    root: &Area<B>,
) -> Drawn<B> {
    let (colour, _) = look(index);
    match mark {
        Mark::Crosses => root.draw(&Cross::new(units_of(at), units(6.0), colour.stroke_width(2 * FINE))),
        _ => root.draw(&Circle::new(units_of(at), units(4.0), colour.filled())),
    }
}

/// A line as it is drawn, in the panel and in the legend.
pub(crate) fn stroke<B: DrawingBackend>(line: &[Point], index: Option<usize>, root: &Area<B>) -> Drawn<B> {
    let (colour, pattern) = look(index);
    let pattern: Vec<f64> = pattern.iter().map(|pixels| pixels * f64::from(FINE)).collect();
    for part in dash(line, &pattern).iter().flat_map(|part| smooth_parts(part)) {
        let part: Vec<(i32, i32)> = part.into_iter().map(units_of).collect();
        root.draw(&PathElement::new(part, colour.stroke_width(2 * FINE)))?;
    }
    Ok(())
}

/// Shades in cells, runs of one shade drawn as one rectangle, and the lines between them.
fn background<B: DrawingBackend>(
    panel: &Panel<'_>,
    root: &Area<B>,
    (x, y): ((f64, f64), (f64, f64)),
    (low, high): (Point, Point),
) -> Drawn<B> {
    let Some(field) = &panel.field else { return Ok(()) };
    let columns = ((high.0 - low.0) / CELL).ceil() as usize + 1;
    let rows = ((high.1 - low.1) / CELL).ceil() as usize + 1;
    let node = |c: f64, r: f64| ((low.0 + c * CELL).min(high.0), (low.1 + r * CELL).min(high.1));
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for r in 0..rows {
        for c in 0..columns {
            let (across, down) = (low.0 + c as f64 * CELL, low.1 + r as f64 * CELL);
            xs.push(x.0 + (across - low.0) / (high.0 - low.0) * (x.1 - x.0));
            ys.push(y.1 - (down - low.1) / (high.1 - low.1) * (y.1 - y.0));
        }
    }
    let grid = Grid { columns, values: (field.values)(&xs, &ys) };
    let count = field.levels.len() + 1;
    let band = |value: f64| field.levels.partition_point(|&level| level <= value);
    for (r, row) in grid.values.chunks(columns).enumerate() {
        let mut c = 0;
        while c < columns {
            let run = row[c..].iter().take_while(|&&v| band(v) == band(row[c])).count();
            // A node's cell lies around it.
            let (from, to) = (c as f64 - 0.5, (c + run) as f64 - 0.5);
            let corners = [node(from.max(0.0), (r as f64 - 0.5).max(0.0)), node(to, r as f64 + 0.5)];
            root.draw(&Rectangle::new(corners.map(units_of), shade(band(row[c]), count).filled()))?;
            c += run;
        }
    }
    for (i, &level) in field.levels.iter().enumerate() {
        for line in grid.lines(level) {
            let line = line.into_iter().map(|(c, r)| (low.0 + c * CELL, low.1 + r * CELL));
            for part in clip(line, low, high) {
                let part: Vec<(i32, i32)> = part.into_iter().map(units_of).collect();
                root.draw(&PathElement::new(part, contour(i + 1, count).stroke_width(FINE)))?;
            }
        }
    }
    Ok(())
}

fn units_of(point: Point) -> (i32, i32) {
    (point.0.round() as i32, point.1.round() as i32)
}

/// Text that begins at a point and is centred on its height.
pub(crate) fn beside(style: TextStyle<'static>) -> TextStyle<'static> {
    style.pos(Pos::new(HPos::Left, VPos::Center))
}
