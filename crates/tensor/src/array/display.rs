//! How tensors print: as in NumPy, nested brackets with aligned columns.

use std::fmt;

use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// Tensors with more elements show only the ends of their axes.
const FULL: usize = 1000;
/// Positions shown at each end of an axis that is cut short.
const EDGE: usize = 3;
/// Digits after the point, unless the format says otherwise.
const PRECISION: usize = 4;

/// The elements, `{:.2}` with two digits after the point (four by default, or as many as are needed for fewer), in
/// scientific notation if their sizes differ too much for that. Beyond 1000 elements, three at each end of an axis are
/// shown; `{:#}` shows all.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let x = Tensor::from([[1.0f32, -2.5], [10.0, 0.125]]);
/// assert_eq!(x.to_string(), "[[ 1.   , -2.5  ],\n [10.   ,  0.125]]");
/// assert_eq!(format!("{x:.1}"), "[[ 1.0, -2.5],\n [10.0,  0.1]]");
/// ```
impl<T: Element> fmt::Display for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_elements(self, f, 0)
    }
}

/// As [`Display`](fmt::Display), with element type and shape.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let x = Tensor::from([[1.0f32, 2.0]]);
/// assert_eq!(format!("{x:?}"), "Tensor([[1., 2.]], shape [1, 2], f32)");
/// ```
impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tensor(")?;
        write_elements(self, f, "Tensor(".len())?;
        write!(f, ", shape {}, {})", self.shape(), T::NAME)
    }
}

fn write_elements<T: Element>(x: &Tensor<T>, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
    // Axes of length 0 leave as many brackets as those of length 1 would elements.
    let places = x.shape().iter().fold(1usize, |n, &d| n.saturating_mul(d.max(1)));
    let edge = if places > FULL && (!f.alternate() || x.is_empty()) { EDGE } else { usize::MAX / 2 };
    // A corner tensor of what is shown: formatting looks at nothing else.
    let shown = (0..x.rank()).fold(x.clone(), |x, axis| {
        let length = x.shape()[axis];
        if length <= 2 * edge {
            return x;
        }
        Tensor::cat(&[x.slice_axis(axis, ..edge), x.slice_axis(axis, length - edge..)], axis)
    });
    let values = shown.to_vec();
    let cells = Style::of(&values, f.precision()).cells(&values);
    let cut: Vec<bool> = x.shape().iter().map(|&d| d > 2 * edge).collect();
    Nested { lengths: shown.shape(), cut: &cut, edge }.write(f, &cells, indent)
}

/// The brackets around cells that are already formatted.
struct Nested<'a> {
    lengths: &'a [usize],
    /// Which axes are cut short, after `edge` positions.
    cut: &'a [bool],
    edge: usize,
}

impl Nested<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, cells: &[String], indent: usize) -> fmt::Result {
        let [length, lengths @ ..] = self.lengths else { return f.write_str(&cells[0]) };
        let inner = Nested { lengths, cut: &self.cut[1..], edge: self.edge };
        let size: usize = lengths.iter().product();
        // Rows of the last axis stand in one line; the others begin lines, with a blank one between matrices.
        let separator = match lengths.len() {
            0 => ", ".to_string(),
            n => format!(",{}{}", "\n".repeat(n), " ".repeat(indent + 1)),
        };
        f.write_str("[")?;
        for i in 0..*length {
            if i > 0 {
                f.write_str(&separator)?;
            }
            if i == self.edge && self.cut[0] {
                write!(f, "...{separator}")?;
            }
            inner.write(f, &cells[i * size..(i + 1) * size], indent + 1)?;
        }
        f.write_str("]")
    }
}

/// How the elements of one tensor are written.
enum Style {
    /// As they are: integers and truth values.
    Plain,
    /// With this many digits after the point, always or (if `trim`) as far as one element needs them.
    Fixed { digits: usize, trim: bool },
    /// In scientific notation, with this many digits after the point.
    Scientific { digits: usize },
}

impl Style {
    fn of<T: Element>(values: &[T], precision: Option<usize>) -> Style {
        if !matches!(T::NAME, "f32" | "f64") {
            return Style::Plain;
        }
        let digits = precision.unwrap_or(PRECISION);
        let sizes = || values.iter().map(|x| x.widen().abs()).filter(|x| x.is_finite() && *x > 0.0);
        let (largest, smallest) = (sizes().fold(0.0, f64::max), sizes().fold(f64::INFINITY, f64::min));
        // NumPy's rule.
        if largest >= 1e8 || (precision.is_none() && (smallest < 1e-4 || largest > 1000.0 * smallest)) {
            let integral = sizes().all(|x| x < 1e8 && x.fract() == 0.0);
            if !integral {
                return Style::Scientific { digits };
            }
        }
        Style::Fixed { digits, trim: precision.is_none() }
    }

    /// All cells, of equal width.
    fn cells<T: Element>(&self, values: &[T]) -> Vec<String> {
        let mut cells: Vec<String> = values
            .iter()
            .map(|x| match *self {
                Style::Plain => x.to_string(),
                Style::Fixed { digits, .. } => format!("{x:.digits$}"),
                Style::Scientific { digits } => scientific(x.widen(), digits),
            })
            .collect();
        if let Style::Fixed { trim: true, .. } = self {
            trim_zeros(&mut cells);
        }
        let width = cells.iter().map(String::len).max().unwrap_or(0);
        cells.iter().map(|c| format!("{c:>width$}")).collect()
    }
}

/// Replaces trailing zeros that all cells have in common by nothing, and those that only some have by spaces.
fn trim_zeros(cells: &mut [String]) {
    let decimals = |c: &str| c.find('.').map_or(0, |point| c.trim_end_matches('0').len() - point - 1);
    let digits = cells.iter().map(|c| decimals(c)).max().unwrap_or(0);
    for cell in cells {
        if let Some(point) = cell.find('.') {
            let end = point + 1 + decimals(cell);
            *cell = format!("{}{}", &cell[..end], " ".repeat(point + 1 + digits - end));
        }
    }
}

/// As C's `%e`: a sign and at least two digits in the exponent.
fn scientific(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
            format!("{mantissa}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_types() {
        assert_eq!(Tensor::scalar(1.5f32).to_string(), "1.5");
        assert_eq!(Tensor::<u32>::from([1, 20, 3]).to_string(), "[ 1, 20,  3]");
        assert_eq!(Tensor::from([true, false]).to_string(), "[ true, false]");
        assert_eq!(Tensor::<f64>::zeros([0]).to_string(), "[]");
        assert_eq!(Tensor::<f64>::zeros([2, 0]).to_string(), "[[],\n []]");
        let cube = Tensor::<f32>::arange(0.0, 8.0, 1.0).reshape([2, 2, 2]);
        assert_eq!(cube.to_string(), "[[[0., 1.],\n  [2., 3.]],\n\n [[4., 5.],\n  [6., 7.]]]");
        assert_eq!(
            format!("{:?}", cube.select(0, 0).t()),
            "Tensor([[0., 2.],\n        [1., 3.]], shape [2, 2], f32)"
        );
    }

    #[test]
    fn precision_and_scientific_notation() {
        let x = Tensor::from([1e-6f64, 1.0, -1e10]);
        assert_eq!(x.to_string(), "[ 1.0000e-06,  1.0000e+00, -1.0000e+10]");
        assert_eq!(format!("{x:.1}"), "[ 1.0e-06,  1.0e+00, -1.0e+10]");
        assert_eq!(format!("{:.2}", x.slice(..2)), "[0.00, 1.00]");
        assert_eq!(Tensor::from([1.0f32, f32::NAN, f32::NEG_INFINITY]).to_string(), "[  1.,  NaN, -inf]");
        assert_eq!(Tensor::from([1.0f64, 20000.0]).to_string(), "[    1., 20000.]");
        assert_eq!(Tensor::from([1.0f64 / 3.0, 2.0]).to_string(), "[0.3333, 2.    ]");
    }

    #[test]
    fn long_tensors_are_cut_short() {
        let x = Tensor::<f32>::arange(0.0, 1001.0, 1.0);
        assert_eq!(x.to_string(), "[   0.,    1.,    2., ...,  998.,  999., 1000.]");
        assert_eq!(format!("{x:#}").matches(',').count(), 1000);
        assert_eq!(x.slice(1..).to_string().matches(',').count(), 999);
        let wide = Tensor::<u32>::zeros([500, 4]).to_string();
        let row = "[0, 0, 0, 0]";
        assert_eq!(wide, format!("[{row},\n {row},\n {row},\n ...,\n {row},\n {row},\n {row}]"));
    }
}
