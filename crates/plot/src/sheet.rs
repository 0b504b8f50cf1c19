//! Images side by side.

use plotters::prelude::*;

use crate::draw::{Area, Drawn, text, units};
use crate::palette::{FRAME, INK};
use crate::write::{self, Drawing, Image};

/// An image with lines of text under it.
#[derive(Clone, Debug)]
pub struct Tile {
    caption: Vec<String>,
    size: (u32, u32),
    rgb: Vec<u8>,
}

impl Tile {
    /// An image of `width` × `height` pixels, row by row: a byte of grey or three of red, green and blue for each.
    ///
    /// # Panics
    /// If there are no pixels, or bytes for more or fewer.
    #[track_caller]
    pub fn new(width: u32, height: u32, bytes: &[u8]) -> Self {
        let pixels = width as usize * height as usize;
        assert!(
            pixels > 0 && (bytes.len() == pixels || bytes.len() == 3 * pixels),
            "Tile::new: {} bytes for {width} × {height} pixels",
            bytes.len()
        );
        let rgb = match bytes.len() == pixels {
            true => bytes.iter().flat_map(|&grey| [grey; 3]).collect(),
            false => bytes.to_vec(),
        };
        Tile { caption: Vec::new(), size: (width, height), rgb }
    }

    /// With these lines under it.
    pub fn caption(mut self, text: &str) -> Self {
        self.caption = text.lines().map(str::to_owned).collect();
        self
    }
}

/// Images side by side, each with its caption.
///
/// ```
/// use wengert_plot::{Sheet, Tile};
/// let grey: Vec<u8> = (0..16).map(|i| 16 * i).collect();
/// let svg = Sheet::new("Shades", vec![Tile::new(4, 4, &grey).caption("dark to light")]).to_svg()?;
/// assert!(svg.contains("<image") && svg.contains("dark to light"));
/// # Ok::<(), wengert_plot::PlotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sheet {
    title: String,
    note: String,
    columns: usize,
    tiles: Vec<Tile>,
}

/// Widths, in pixels, of an image at least, and of a letter of a caption.
const SIDE: u32 = 84;
const LETTER: f64 = 6.6;
const LINE: u32 = 17;
const GAP: u32 = 14;

impl Sheet {
    /// A sheet of these images, eight in a row.
    pub fn new(title: impl Into<String>, tiles: Vec<Tile>) -> Self {
        Sheet { title: title.into(), note: String::new(), columns: 8, tiles }
    }

    /// With a line of explanation under the title.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With at most so many images in a row.
    ///
    /// ```
    /// use wengert_plot::{Sheet, Tile};
    /// let shades = (0..6).map(|i| Tile::new(4, 4, &[40 * i; 16]).caption(&format!("shade {i}"))).collect();
    /// // Two rows of three.
    /// let svg = Sheet::new("Shades", shades).columns(3).note("from black on").to_svg()?;
    /// assert_eq!(svg.matches("<image").count(), 6);
    /// # assert!(svg.contains("from black on"));
    /// # Ok::<(), wengert_plot::PlotError>(())
    /// ```
    ///
    /// # Panics
    /// If there are to be none.
    #[track_caller]
    pub fn columns(mut self, columns: usize) -> Self {
        assert!(columns > 0, "Sheet::columns: at least one column");
        self.columns = columns;
        self
    }

    /// How large an image is drawn: a whole multiple of its pixels if it is small.
    fn drawn(tile: &Tile) -> (u32, u32) {
        let (width, height) = tile.size;
        let larger = width.max(height);
        if larger <= SIDE {
            let times = SIDE.div_ceil(larger);
            return (width * times, height * times);
        }
        let part = f64::from(larger.min(192)) / f64::from(larger);
        let scaled = |side: u32| ((f64::from(side) * part).round() as u32).max(1);
        (scaled(width), scaled(height))
    }

    /// Width of a column, height of a row's images, and height of a row.
    fn room(&self) -> (u32, u32, u32) {
        let (mut width, mut height, mut lines) = (SIDE, SIDE, 0);
        for tile in &self.tiles {
            let drawn = Self::drawn(tile);
            let letters = tile.caption.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            width = width.max(drawn.0).max((LETTER * letters as f64).ceil() as u32);
            height = height.max(drawn.1);
            lines = lines.max(tile.caption.len() as u32);
        }
        (width + GAP, height, height + 4 + LINE * lines + GAP)
    }

    fn top(&self) -> u32 {
        if self.note.is_empty() { 54 } else { 74 }
    }

    /// Each image with its corner, in pixels.
    fn places(&self) -> impl Iterator<Item = (&Tile, (u32, u32))> {
        let (width, _, height) = self.room();
        self.tiles.iter().enumerate().map(move |(i, tile)| {
            let (column, row) = ((i % self.columns) as u32, (i / self.columns) as u32);
            (tile, (16 + column * width, self.top() + row * height))
        })
    }
}

impl Drawing for Sheet {
    fn size(&self) -> (u32, u32) {
        let (width, _, height) = self.room();
        let columns = self.columns.min(self.tiles.len()) as u32;
        let rows = self.tiles.len().div_ceil(self.columns) as u32;
        let title = (16.0 + 11.5 * self.title.chars().count() as f64) as u32;
        let note = (16.0 + 7.5 * self.note.chars().count() as f64) as u32;
        ((32 + columns * width).max(title).max(note).max(160), self.top() + rows * height + 8)
    }

    fn draw<B: DrawingBackend>(&self, root: &Area<B>) -> Drawn<B> {
        root.fill(&WHITE)?;
        let write = |words: &str, (x, y): (u32, u32), style: TextStyle<'static>| {
            root.draw(&Text::new(words.to_owned(), (units(f64::from(x)), units(f64::from(y))), style))
        };
        write(&self.title, (16, 14), text(23.0, INK))?;
        write(&self.note, (16, 42), text(15.0, FRAME))?;
        let (_, height, _) = self.room();
        for (tile, (x, y)) in self.places() {
            for (i, line) in tile.caption.iter().enumerate() {
                let colour = if i == 0 { INK } else { FRAME };
                write(line, (x, y + height + 6 + LINE * i as u32), text(13.0, colour))?;
            }
        }
        Ok(())
    }

    fn images(&self) -> Vec<Image<'_>> {
        self.places()
            .map(|(tile, left_top)| Image {
                left_top,
                size: Self::drawn(tile),
                pixels: tile.size,
                rgb: &tile.rgb,
            })
            .collect()
    }
}

write::files!(Sheet);
