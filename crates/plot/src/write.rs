//! Drawings as files.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plotters::prelude::*;
use plotters::style::register_font;
use wengert_tensor::file::write_atomically;

use crate::PlotError;
use crate::draw::{Area, Drawn, FINE};

/// What can be drawn on any backend.
pub(crate) trait Drawing {
    /// Width and height, in pixels.
    fn size(&self) -> (u32, u32);

    /// Draws it, in fine units.
    fn draw<B: DrawingBackend>(&self, root: &Area<B>) -> Drawn<B>;

    /// Images that lie on it.
    fn images(&self) -> Vec<Image<'_>> {
        Vec::new()
    }
}

/// An image on a drawing, stretched to a rectangle without smoothing.
pub(crate) struct Image<'a> {
    /// Of the rectangle, in pixels of the drawing.
    pub(crate) left_top: (u32, u32),
    pub(crate) size: (u32, u32),
    /// Of the image.
    pub(crate) pixels: (u32, u32),
    /// Red, green and blue, row by row.
    pub(crate) rgb: &'a [u8],
}

/// The methods of a drawing that make files of it.
macro_rules! files {
    ($kind:ty) => {
        impl $kind {
            /// The picture as SVG.
            ///
            /// # Errors
            /// If it cannot be drawn.
            pub fn to_svg(&self) -> Result<String, $crate::PlotError> {
                $crate::write::svg(self)
            }

            /// The picture as PNG.
            ///
            /// # Errors
            /// If it cannot be drawn.
            pub fn to_png(&self) -> Result<Vec<u8>, $crate::PlotError> {
                $crate::write::png(self)
            }

            /// Writes the picture to a file whose name ends in `.svg` or `.png`, in a folder that is made if it is missing.
            ///
            /// # Errors
            /// If the name ends otherwise, or the file cannot be written; an older one is then still there.
            pub fn write(&self, path: impl AsRef<std::path::Path>) -> Result<(), $crate::PlotError> {
                $crate::write::write(self, path.as_ref())
            }

            /// Writes `NAME.svg` and `NAME.png` into `folder`, which is made if it is missing, and returns their paths.
            ///
            /// ```
            /// use wengert_plot::{Sheet, Tile};
            /// # let temporary = tempfile::tempdir()?;
            /// # let folder = temporary.path().join("pictures");
            /// let sheet = Sheet::new("Shades", vec![Tile::new(2, 1, &[0, 255])]);
            /// let [svg, png] = sheet.save(&folder, "shades")?;
            /// assert!(svg.ends_with("shades.svg") && std::fs::read(png)?.starts_with(b"\x89PNG"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// If a file cannot be written.
            pub fn save(
                &self,
                folder: impl AsRef<std::path::Path>,
                name: &str,
            ) -> Result<[std::path::PathBuf; 2], $crate::PlotError> {
                $crate::write::save(self, folder.as_ref(), name)
            }
        }
    };
}
pub(crate) use files;

pub(crate) fn write(drawing: &impl Drawing, path: &Path) -> Result<(), PlotError> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    match extension.as_deref() {
        Some("svg") => write_file(path, svg(drawing)?.as_bytes()),
        Some("png") => write_file(path, &png(drawing)?),
        _ => Err(PlotError::Extension { path: path.to_owned() }),
    }
}

pub(crate) fn save(drawing: &impl Drawing, folder: &Path, name: &str) -> Result<[PathBuf; 2], PlotError> {
    let (svg_path, png_path) = (folder.join(format!("{name}.svg")), folder.join(format!("{name}.png")));
    write_file(&svg_path, svg(drawing)?.as_bytes())?;
    write_file(&png_path, &png(drawing)?)?;
    Ok([svg_path, png_path])
}

/// Writes a file, in a folder that is made if it is missing, so that its name never stands for half of it.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    path.parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| write_atomically(path, |file| file.write_all(bytes)))
        .map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

/// The picture as SVG, which keeps the fine units inside and has the drawing's size outside.
pub(crate) fn svg(drawing: &impl Drawing) -> Result<String, PlotError> {
    fonts();
    let (width, height) = drawing.size();
    let (fine_width, fine_height) = (FINE * width, FINE * height);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
        drawing.draw(&root).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    let fine = format!("<svg width=\"{fine_width}\" height=\"{fine_height}\"");
    let mut text = text.replacen(&fine, &format!("<svg width=\"{width}\" height=\"{height}\""), 1);
    let images = drawing.images();
    if !images.is_empty() {
        text.truncate(text.rfind("</svg>").unwrap_or(text.len()));
        for image in images {
            let [x, y, w, h] =
                [image.left_top.0, image.left_top.1, image.size.0, image.size.1].map(|v| v * FINE);
            let data = STANDARD.encode(encoded(image.rgb, image.pixels)?);
            let _ = writeln!(
                text,
                "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>"
            );
        }
        text.push_str("</svg>\n");
    }
    Ok(text)
}

/// The picture as PNG: drawn in fine units, of which each pixel is the mean.
pub(crate) fn png(drawing: &impl Drawing) -> Result<Vec<u8>, PlotError> {
    fonts();
    let (width, height) = drawing.size();
    let (fine_width, fine_height) = (FINE * width, FINE * height);
    let mut fine = vec![0; (3 * fine_width * fine_height) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut fine, (fine_width, fine_height)).into_drawing_area();
        drawing.draw(&root).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    for image in drawing.images() {
        lay(&image, &mut fine, fine_width as usize);
    }
    encoded(&shrink(&fine, fine_width as usize, FINE as usize), (width, height))
}

/// Copies an image onto a drawing of fine units.
fn lay(image: &Image<'_>, fine: &mut [u8], fine_width: usize) {
    let [left, top, width, height] = [image.left_top.0, image.left_top.1, image.size.0, image.size.1]
        .map(|pixels| (pixels * FINE) as usize);
    let (columns, rows) = (image.pixels.0 as usize, image.pixels.1 as usize);
    for y in 0..height {
        for x in 0..width {
            let from = 3 * (y * rows / height * columns + x * columns / width);
            let to = 3 * ((top + y) * fine_width + left + x);
            if let Some(pixel) = fine.get_mut(to..to + 3) {
                pixel.copy_from_slice(&image.rgb[from..from + 3]);
            }
        }
    }
}

/// Pixels as a PNG file.
fn encoded(rgb: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, PlotError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(rgb).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

/// The means of squares of `factor` × `factor` pixels of red, green and blue.
fn shrink(fine: &[u8], fine_width: usize, factor: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(fine.len() / (factor * factor));
    let area = (factor * factor) as u32;
    for rows in fine.chunks_exact(3 * fine_width * factor) {
        for column in 0..fine_width / factor {
            for channel in 0..3 {
                let sum: u32 = (0..factor * factor)
                    .map(|i| (i / factor * fine_width + column * factor + i % factor) * 3 + channel)
                    .map(|i| u32::from(rows[i]))
                    .sum();
                pixels.push(((sum + area / 2) / area) as u8);
            }
        }
    }
    pixels
}

/// Registers a font that comes with the program, so that machines without fonts draw text too.
fn fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        let registered = register_font("sans-serif", FontStyle::Normal, font);
        assert!(registered.is_ok(), "the font can be read");
    });
}

fn failed(error: impl Debug) -> PlotError {
    PlotError::Drawing(format!("{error:?}"))
}
