//! Pictures of curves, paths and points ([`Figure`]), of tables of counts ([`Matrix`]) and of images ([`Sheet`]), written
//! as SVG and PNG. No fonts are needed, and no network.
//!
//! ```
//! use wengert_plot::{Axis, Figure, Panel, Series};
//! let curve: Vec<(f64, f64)> = (1..100).map(|t| (f64::from(t), 0.9f64.powi(t))).collect();
//! let panel = Panel::new(Axis::new("step"), Axis::log("loss")).with(Series::line("0.9ᵗ", 0, curve));
//! let svg = Figure::new("Geometric decay", vec![panel]).to_svg()?;
//! assert!(svg.starts_with("<svg"));
//! # Ok::<(), wengert_plot::PlotError>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod axis;
mod contour;
mod draw;
mod error;
mod geometry;
mod legend;
mod matrix;
mod palette;
mod sheet;
mod write;

pub use axis::Axis;
pub use error::PlotError;
pub use matrix::Matrix;
pub use sheet::{Sheet, Tile};

/// What a [`Series`] is drawn as.
///
/// ```
/// use wengert_plot::{Axis, Figure, Mark, Panel, Series};
/// let measured = vec![(1.0, 1.1), (2.0, 3.9), (3.0, 9.2)];
/// let panel = Panel::new(Axis::new("x"), Axis::new("y"))
///     .with(Series::line("x²", 0, (0..=30).map(|i| 0.1 * f64::from(i)).map(|x| (x, x * x)).collect()))
///     .with(Series::marks("measured", 1, Mark::Crosses, measured));
/// assert!(Figure::new("Fit", vec![panel]).to_svg()?.contains("measured"));
/// # Ok::<(), wengert_plot::PlotError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Points joined by lines.
    Line,
    /// As a line, with a dot at the last point.
    Path,
    /// Dots.
    Dots,
    /// Crosses.
    Crosses,
}

/// Points under one name in the legend.
#[derive(Clone, Debug)]
pub struct Series {
    name: String,
    /// Index of the colour and dash; black if there is none.
    look: Option<usize>,
    mark: Mark,
    points: Vec<(f64, f64)>,
}

impl Series {
    /// A curve. Series of the same `look` have the same colour and dash.
    pub fn line(name: impl Into<String>, look: usize, points: Vec<(f64, f64)>) -> Self {
        Series { name: name.into(), look: Some(look), mark: Mark::Line, points }
    }

    /// A curve with a dot where it ends.
    pub fn path(name: impl Into<String>, look: usize, points: Vec<(f64, f64)>) -> Self {
        Series { mark: Mark::Path, ..Self::line(name, look, points) }
    }

    /// Points in the colour of a look.
    pub fn marks(name: impl Into<String>, look: usize, mark: Mark, points: Vec<(f64, f64)>) -> Self {
        Series { mark, ..Self::line(name, look, points) }
    }

    /// Points in black.
    pub fn points(name: impl Into<String>, mark: Mark, points: Vec<(f64, f64)>) -> Self {
        Series { name: name.into(), look: None, mark, points }
    }
}

/// A function of two variables at many points, whose coordinates it takes.
pub type Values<'a> = Box<dyn Fn(&[f64], &[f64]) -> Vec<f64> + 'a>;

/// A function of two variables as shades with lines of equal value, behind the series.
///
/// ```
/// use wengert_plot::{Axis, Field, Figure, Panel, Series};
/// let bowl = Field {
///     name: "f".to_owned(),
///     values: Box::new(|x, y| x.iter().zip(y).map(|(x, y)| x * x + 4.0 * y * y).collect()),
///     levels: vec![0.1, 1.0, 4.0],
/// };
/// let path = (0..20).map(|t| 0.8f64.powi(t)).map(|r| (2.0 * r, r * r)).collect();
/// let panel = Panel::new(Axis::new("x").range(-2.0, 2.0), Axis::new("y").range(-1.0, 1.0))
///     .over(bowl)
///     .with(Series::path("descent", 0, path));
/// assert!(Figure::new("A bowl", vec![panel]).to_svg()?.contains("descent"));
/// # Ok::<(), wengert_plot::PlotError>(())
/// ```
pub struct Field<'a> {
    /// What the shades mean, above their key in the legend.
    pub name: String,
    /// The values at the points whose coordinates are given.
    pub values: Values<'a>,
    /// The values of the lines, rising.
    pub levels: Vec<f64>,
}

/// One pair of axes and what is drawn between them.
pub struct Panel<'a> {
    title: String,
    x: Axis,
    y: Axis,
    field: Option<Field<'a>>,
    series: Vec<Series>,
}

impl<'a> Panel<'a> {
    /// An empty panel. The axes reach as far as the data where they have no range of their own.
    pub fn new(x: Axis, y: Axis) -> Self {
        Panel { title: String::new(), x, y, field: None, series: Vec::new() }
    }

    /// With a title of its own, under the figure's.
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// With one series more.
    pub fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Over a background.
    pub fn over(mut self, field: Field<'a>) -> Self {
        self.field = Some(field);
        self
    }
}

/// Panels side by side and one legend for all, at their right, where it covers no data.
///
/// ```
/// use wengert_plot::{Axis, Figure, Panel, Series};
/// let panel = |rate: f64| {
///     let curve = (0..50).map(|t| (f64::from(t), (-rate * f64::from(t)).exp())).collect();
///     let axes = Panel::new(Axis::new("step"), Axis::log("loss"));
///     axes.titled(format!("rate {rate}")).with(Series::line("train", 0, curve))
/// };
/// let figure = Figure::new("Decay", [0.05, 0.1, 0.2, 0.4].map(panel).into())
///     .note("The faster, the steeper.")
///     .columns(2)
///     .size(700, 600);
/// let svg = figure.to_svg()?;
/// assert!(svg.starts_with("<svg width=\"700\" height=\"600\"") && svg.contains("rate 0.05"));
/// # Ok::<(), wengert_plot::PlotError>(())
/// ```
pub struct Figure<'a> {
    title: String,
    note: String,
    columns: usize,
    size: (u32, u32),
    panels: Vec<Panel<'a>>,
}

impl<'a> Figure<'a> {
    /// A figure of 960 × 600 pixels with all panels in a row.
    pub fn new(title: impl Into<String>, panels: Vec<Panel<'a>>) -> Self {
        Figure {
            title: title.into(),
            note: String::new(),
            columns: panels.len().max(1),
            size: (960, 600),
            panels,
        }
    }

    /// With a line of explanation under the title.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With at most so many panels in a row.
    ///
    /// # Panics
    /// If there are to be none.
    pub fn columns(mut self, columns: usize) -> Self {
        assert!(columns > 0, "Figure::columns: at least one column");
        self.columns = columns;
        self
    }

    /// Of this width and height, in pixels.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }
}

write::files!(Figure<'_>);

#[cfg(test)]
mod tests;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
