//! From strokes to pixels.

use wengert_tensor::random::Generator;

use super::glyphs::{Point, spread};
use crate::image_set::SIDE;

/// Slants, turns, stretches and moves the strokes at random, and inks them into `image`.
pub(super) fn paint(strokes: &[Vec<Point>], random: &mut Generator, image: &mut [u8]) {
    let place = placement(random);
    let pen = Pen {
        half_width: (1.15 + 0.38 * spread(random)).clamp(0.55, 2.2),
        edge: 0.8 + 0.5 * random.uniform() as f32,
    };
    let ink = (0.8 + 0.2 * random.uniform() as f32) * 255.0;
    let mut coverage = [0.0f32; SIDE * SIDE];
    for stroke in strokes {
        let mut from = place(stroke[0]);
        for &point in &stroke[1..] {
            let to = place(point);
            pen.line(from, to, &mut coverage);
            from = to;
        }
    }
    // Ink is uneven and paper has spots, as in a scan.
    let mut noise = [0.0f32; SIDE * SIDE];
    random.fill_uniform(&mut noise, 0.0, 1.0);
    for ((pixel, &covered), &noise) in image.iter_mut().zip(&coverage).zip(&noise) {
        // The leading bits of the number make the grain, the ones after them a rare spot.
        let grain = 1.0 - 0.12 * noise;
        let rest = (noise * 256.0).fract() * 256.0;
        let spot = if rest < 1.0 { 90.0 * rest } else { 0.0 };
        *pixel = (covered * ink * grain).max(spot) as u8;
    }
}

/// The random map from a digit's box to pixels.
fn placement(random: &mut Generator) -> impl Fn(Point) -> Point + use<> {
    let slant = 0.12 + 0.22 * spread(random);
    // Half-angle formulas: a turn without a sine.
    let half = 0.055 * spread(random);
    let (cos, sin) = ((1.0 - half * half) / (1.0 + half * half), 2.0 * half / (1.0 + half * half));
    let height = 19.0 + 1.3 * spread(random);
    let width = height * (0.76 + 0.11 * spread(random));
    let centre = SIDE as f32 / 2.0 - 0.5;
    let (dx, dy) = (centre + 1.1 * spread(random), centre + 1.1 * spread(random));
    move |[x, y]| {
        // y points down, so a slant to the right moves the top, where y < 0, to the right.
        let (x, y) = (width * x - slant * height * y, height * y);
        [dx + cos * x - sin * y, dy + sin * x + cos * y]
    }
}

struct Pen {
    half_width: f32,
    /// Pixels over which the ink fades out at the rim.
    edge: f32,
}

impl Pen {
    /// Raises the coverage of the pixels near the line from `a` to `b`: 1 inside, fading over `edge` pixels.
    fn line(&self, a: Point, b: Point, coverage: &mut [f32; SIDE * SIDE]) {
        let reach = self.half_width + 0.5 * self.edge;
        let range = |p: f32, q: f32| {
            // A cast saturates, so what lies outside the image is cut off.
            let (low, high) = (p.min(q) - reach, p.max(q) + reach + 1.0);
            (low.max(0.0) as usize).min(SIDE)..(high.max(0.0) as usize).min(SIDE)
        };
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let scale = 1.0 / (dx * dx + dy * dy).max(1e-6);
        let columns = range(a[0], b[0]);
        for y in range(a[1], b[1]) {
            let py = y as f32 - a[1];
            for x in columns.clone() {
                let px = x as f32 - a[0];
                let along = ((px * dx + py * dy) * scale).clamp(0.0, 1.0);
                let (ex, ey) = (px - along * dx, py - along * dy);
                let distance = (ex * ex + ey * ey).sqrt();
                let covered = ((reach - distance) / self.edge).clamp(0.0, 1.0);
                let pixel = &mut coverage[y * SIDE + x];
                *pixel = pixel.max(covered);
            }
        }
    }
}
