//! Grey pictures as text.

/// From white paper to black ink.
const INK: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// Pictures side by side, each under its caption. A character stands for two rows of pixels, since characters are
/// twice as high as wide. Pixels are grey values of any scale; the darkest ink is the largest of each picture.
///
/// # Panics
/// If a picture does not have `height · width` pixels.
pub fn side_by_side(pictures: &[(&str, &[f32])], height: usize, width: usize) -> String {
    let mut text = String::new();
    for (caption, _) in pictures {
        text += &format!("{caption:^width$} ");
    }
    text.truncate(text.trim_end().len());
    for row in (0..height).step_by(2) {
        text.push('\n');
        for (_, pixels) in pictures {
            assert_eq!(pixels.len(), height * width, "the size of a picture");
            let (low, high) = pixels.iter().fold((f32::MAX, f32::MIN), |(l, h), &p| (l.min(p), h.max(p)));
            let at = |row: usize, column: usize| {
                if row < height {
                    (pixels[row * width + column] - low) / (high - low).max(f32::MIN_POSITIVE)
                } else {
                    0.0
                }
            };
            for column in 0..width {
                let grey = 0.5 * (at(row, column) + at(row + 1, column));
                text.push(INK[((grey * INK.len() as f32) as usize).min(INK.len() - 1)]);
            }
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagonal() {
        let pixels = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0];
        assert_eq!(side_by_side(&[("3", &pixels)], 4, 2), "3\n@\n @\n");
    }
}
