//! Linear maps of one axis: borders, resampling, the windows of a patch. Each position of the result is a weighted sum of
//! a few positions of the axis, the same for all positions of the other axes.

mod apply;
mod border;
mod interpolate;
mod maxima;
#[cfg(test)]
mod tests;
mod windows;

pub use apply::apply_axis_map;
pub use border::Border;
pub use interpolate::Interpolation;
pub use maxima::axis_maxima;
pub use windows::adaptive_window;

/// A sparse matrix of `outputs` rows and `inputs` columns, which is applied along an axis.
///
/// ```
/// use wengert_tensor::axis_map::{AxisMap, Border, apply_axis_map};
/// let map = AxisMap::border(3, 1, 2, Border::Reflect);
/// let mut out = [0.0; 6];
/// apply_axis_map(&map, 1, &[1.0, 2.0, 3.0], &mut out);
/// assert_eq!(out, [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AxisMap {
    inputs: usize,
    /// Where the terms of each row begin, and the end of the last.
    starts: Vec<usize>,
    /// Positions of the input with their weights.
    terms: Vec<(usize, f64)>,
}

impl AxisMap {
    /// The map whose row `o` has the terms that `row(o)` gives.
    fn from_rows<I: IntoIterator<Item = (usize, f64)>>(
        inputs: usize,
        outputs: usize,
        row: impl Fn(usize) -> I,
    ) -> Self {
        let (mut starts, mut terms) = (vec![0], Vec::new());
        for output in 0..outputs {
            terms.extend(row(output));
            starts.push(terms.len());
        }
        AxisMap { inputs, starts, terms }
    }

    /// Positions of the axis.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Positions of the result.
    pub fn outputs(&self) -> usize {
        self.starts.len() - 1
    }

    /// The positions, with their weights, whose sum is a position of the result.
    fn row(&self, output: usize) -> &[(usize, f64)] {
        &self.terms[self.starts[output]..self.starts[output + 1]]
    }

    /// The map that takes cotangents back.
    #[must_use]
    pub fn transposed(&self) -> AxisMap {
        let mut starts = vec![0; self.inputs + 1];
        for &(input, _) in &self.terms {
            starts[input + 1] += 1;
        }
        for input in 0..self.inputs {
            starts[input + 1] += starts[input];
        }
        let (mut next, mut terms) = (starts.clone(), vec![(0, 0.0); self.terms.len()]);
        for output in 0..self.outputs() {
            for &(input, weight) in self.row(output) {
                terms[next[input]] = (output, weight);
                next[input] += 1;
            }
        }
        AxisMap { inputs: self.outputs(), starts, terms }
    }
}
