//! Tables of counts as shades.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::draw::{Area, Drawn, FINE, text, units};
use crate::palette::{FRAME, INK};
use crate::write::{self, Drawing};

/// The colour of a cell that has all of its row.
const FULL: RGBColor = RGBColor(0, 114, 178);

/// Counts of pairs, as those of a confusion matrix: a cell per pair, shaded by its share of its row.
///
/// ```
/// use wengert_plot::Matrix;
/// let counts = vec![vec![9.0, 1.0], vec![0.0, 12.0]];
/// let svg = Matrix::new("Cats and dogs", counts).labels(["cat", "dog"]).axes("true", "predicted").to_svg()?;
/// assert!(svg.contains("12") && svg.contains("predicted"));
/// # Ok::<(), wengert_plot::PlotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Matrix {
    title: String,
    note: String,
    labels: Vec<String>,
    axes: (String, String),
    counts: Vec<Vec<f64>>,
}

impl Matrix {
    /// A table of the counts, row by row, whose rows and columns are labelled 0, 1, …
    ///
    /// # Panics
    /// If the rows are not of one length.
    #[track_caller]
    pub fn new(title: impl Into<String>, counts: Vec<Vec<f64>>) -> Self {
        let columns = counts.first().map_or(0, Vec::len);
        for (i, row) in counts.iter().enumerate() {
            assert!(
                row.len() == columns,
                "Matrix::new: row {i} has {} counts, row 0 has {columns}",
                row.len()
            );
        }
        let labels = (0..counts.len().max(columns)).map(|i| i.to_string()).collect();
        Matrix {
            title: title.into(),
            note: String::new(),
            labels,
            axes: (String::new(), String::new()),
            counts,
        }
    }

    /// With a line of explanation under the title.
    ///
    /// ```
    /// use wengert_plot::Matrix;
    /// let matrix = Matrix::new("Digits", vec![vec![9.0, 1.0], vec![0.0, 12.0]]).note("21 of 22 are right");
    /// assert!(matrix.to_svg()?.contains("21 of 22 are right"));
    /// # Ok::<(), wengert_plot::PlotError>(())
    /// ```
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With these labels, from the first on, of rows and of columns.
    pub fn labels<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Self {
        for (own, label) in self.labels.iter_mut().zip(labels) {
            *own = label.into();
        }
        self
    }

    /// With these names of the rows and the columns.
    pub fn axes(mut self, rows: impl Into<String>, columns: impl Into<String>) -> Self {
        self.axes = (rows.into(), columns.into());
        self
    }

    fn columns(&self) -> usize {
        self.counts.first().map_or(0, Vec::len)
    }

    /// The side of a cell, in pixels.
    fn cell(&self) -> f64 {
        (560.0 / self.counts.len().max(self.columns()).max(1) as f64).floor().clamp(6.0, 64.0)
    }

    /// The height of the numbers in cells and of the labels, in pixels; nothing is written below 7.
    fn height(&self) -> f64 {
        (0.42 * self.cell()).min(15.0)
    }

    /// Where the cells begin, in pixels: right of the labels, which take some 0.55 of their height a letter.
    fn origin(&self) -> (f64, f64) {
        let longest = self.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let left = 44.0 + 0.55 * self.height() * longest as f64;
        (left, if self.note.is_empty() { 112.0 } else { 132.0 })
    }

    /// Whether labels of columns fit beside each other; else each stands a little lower than the one before.
    fn letters_per_cell(&self) -> usize {
        (self.cell() / (0.6 * self.height())).floor() as usize
    }
}

impl Drawing for Matrix {
    fn size(&self) -> (u32, u32) {
        let (left, top) = self.origin();
        let title = 16.0 + 11.5 * self.title.chars().count() as f64;
        let note = 16.0 + 7.5 * self.note.chars().count() as f64;
        let width = (left + self.cell() * self.columns() as f64 + 20.0).max(title).max(note).max(240.0);
        (width.ceil() as u32, (top + self.cell() * self.counts.len() as f64 + 20.0).ceil() as u32)
    }

    fn draw<B: DrawingBackend>(&self, root: &Area<B>) -> Drawn<B> {
        root.fill(&WHITE)?;
        let write = |words: &str, (x, y): (f64, f64), style: TextStyle<'static>| {
            root.draw(&Text::new(words.to_owned(), (units(x), units(y)), style))
        };
        write(&self.title, (16.0, 14.0), text(23.0, INK))?;
        write(&self.note, (16.0, 42.0), text(15.0, FRAME))?;
        let ((left, top), cell, height) = (self.origin(), self.cell(), self.height());
        let centred = |size: f64, colour| text(size, colour).pos(Pos::new(HPos::Center, VPos::Center));
        let right = |size: f64, colour| text(size, colour).pos(Pos::new(HPos::Right, VPos::Center));
        let (width, depth) = (cell * self.columns() as f64, cell * self.counts.len() as f64);
        write(&self.axes.1, (left + width / 2.0, top - 38.0), centred(15.0, FRAME))?;
        let turned =
            text(15.0, FRAME).pos(Pos::new(HPos::Center, VPos::Center)).transform(FontTransform::Rotate270);
        write(&self.axes.0, (18.0, top + depth / 2.0), turned)?;
        for (r, row) in self.counts.iter().enumerate() {
            let total: f64 = row.iter().filter(|count| count.is_finite()).sum();
            let y = top + r as f64 * cell;
            if height >= 5.0 {
                write(&self.labels[r], (left - 8.0, y + cell / 2.0), right(height, INK))?;
            }
            for (c, &count) in row.iter().enumerate() {
                let x = left + c as f64 * cell;
                let share = if total > 0.0 { (count / total).clamp(0.0, 1.0) } else { 0.0 };
                let corners = [(units(x), units(y)), (units(x + cell), units(y + cell))];
                root.draw(&Rectangle::new(corners, mixed(share).filled()))?;
                root.draw(&Rectangle::new(corners, RGBColor(200, 200, 200).stroke_width(1)))?;
                let words = count.to_string();
                let size = height.min(1.6 * cell / words.len() as f64);
                if count != 0.0 && size >= 7.0 {
                    let colour = if share > 0.55 { WHITE } else { INK };
                    write(&words, (x + cell / 2.0, y + cell / 2.0), centred(size, colour))?;
                }
            }
        }
        if height >= 5.0 {
            let room = self.letters_per_cell();
            for (c, label) in self.labels.iter().take(self.columns()).enumerate() {
                let short: String = if label.chars().count() > room {
                    label.chars().take(room.saturating_sub(1)).chain(['…']).collect()
                } else {
                    label.clone()
                };
                write(&short, (left + (c as f64 + 0.5) * cell, top - 14.0), centred(height, INK))?;
            }
        }
        let frame = [(units(left), units(top)), (units(left + width), units(top + depth))];
        root.draw(&Rectangle::new(frame, FRAME.stroke_width(FINE)))
    }
}

write::files!(Matrix);

/// White for nothing, blue for all. The root makes a share of one per cent visible.
fn mixed(share: f64) -> RGBColor {
    let part = share.sqrt();
    let mix = |full: u8| (255.0 + part * (f64::from(full) - 255.0)).round() as u8;
    RGBColor(mix(FULL.0), mix(FULL.1), mix(FULL.2))
}
