//! Figures as files.

use std::fmt::Debug;
use std::io;
use std::sync::Once;

use plotters::prelude::*;
use plotters::style::register_font;

use super::Figure;
use super::draw::{self, FINE};

/// The picture as SVG, which keeps the fine units inside and has the figure's size outside.
pub(super) fn svg(figure: &Figure<'_>) -> io::Result<String> {
    fonts();
    let (width, height) = figure.size;
    let (fine_width, fine_height) = (FINE * width, FINE * height);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
        draw::figure(figure, &root).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    let fine = format!("<svg width=\"{fine_width}\" height=\"{fine_height}\"");
    Ok(text.replacen(&fine, &format!("<svg width=\"{width}\" height=\"{height}\""), 1))
}

/// The picture as PNG: drawn in fine units, of which each pixel is the mean.
pub(super) fn png(figure: &Figure<'_>) -> io::Result<Vec<u8>> {
    fonts();
    let (width, height) = figure.size;
    let (fine_width, fine_height) = (FINE * width, FINE * height);
    let mut fine = vec![0; (3 * fine_width * fine_height) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut fine, (fine_width, fine_height)).into_drawing_area();
        draw::figure(figure, &root).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&shrink(&fine, fine_width as usize, FINE as usize))?;
    writer.finish()?;
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

fn failed(error: impl Debug) -> io::Error {
    io::Error::other(format!("drawing: {error:?}"))
}
