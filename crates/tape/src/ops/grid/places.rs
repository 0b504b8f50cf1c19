//! Where the neighbours of a place are.

use wengert_tensor::{Element, Float, Tensor};

use super::GridPadding;
use crate::class::Decision;
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;

/// The neighbours along each axis of places whose lowest integers are the input, `[batch, axes, outputs]`.
#[derive(Clone)]
pub(super) struct Neighbours {
    /// Lengths of the axes.
    pub(super) sizes: Vec<usize>,
    /// How many neighbours there are along an axis, and how far the first is from the lowest integer.
    pub(super) taps: usize,
    pub(super) first: isize,
    /// What becomes of neighbours outside.
    pub(super) padding: GridPadding,
    pub(super) align_corners: bool,
}

impl Neighbours {
    /// The neighbour number `tap` along an axis of what is at `low`, or `None` outside of a border of zeros. A place that is
    /// no number has some neighbour, so that it makes no number of the sum.
    fn along(&self, axis: usize, low: f64, tap: usize) -> Option<usize> {
        let last = self.sizes[axis] as f64 - 1.0;
        if low.is_nan() {
            return Some(0);
        }
        let at = low + (self.first + tap as isize) as f64;
        let at = match self.padding {
            GridPadding::Zeros if at < 0.0 || at > last => return None,
            GridPadding::Zeros => at,
            GridPadding::Border => at.clamp(0.0, last),
            GridPadding::Reflection => reflected(at, self.sizes[axis], self.align_corners).clamp(0.0, last),
        };
        Some(if at.is_nan() { 0 } else { at as usize })
    }

    /// For each combination of neighbours, the last axis fastest, and each place what `found` makes of the element's number.
    fn each<T: Float, R: Element>(&self, low: &Tensor<T>, found: impl Fn(Option<usize>) -> R) -> Tensor<R> {
        let [batch, axes, outputs] = [0, 1, 2].map(|axis| low.shape()[axis]);
        let combinations = self.taps.pow(axes as u32);
        let low = low.contiguous();
        // Of one example the neighbours along each axis, by tap, each once, and the numbers of one combination.
        let mut along = vec![None; axes * self.taps * outputs];
        let mut numbers = vec![None; outputs];
        Tensor::written_for("neighbours", [batch, combinations, outputs], |all| {
            if all.is_empty() {
                return;
            }
            let examples =
                slice(&low).chunks_exact(axes * outputs).zip(all.chunks_exact_mut(combinations * outputs));
            for (example, all) in examples {
                for (row, here) in along.chunks_exact_mut(outputs).enumerate() {
                    let (axis, tap) = (row / self.taps, row % self.taps);
                    for (here, low) in here.iter_mut().zip(&example[axis * outputs..]) {
                        *here = self.along(axis, low.to_f64(), tap);
                    }
                }
                for (combination, all) in all.chunks_exact_mut(outputs).enumerate() {
                    numbers.fill(Some(0));
                    let mut weight = combinations;
                    for axis in 0..axes {
                        weight /= self.taps;
                        let row = axis * self.taps + combination / weight % self.taps;
                        for (number, here) in numbers.iter_mut().zip(&along[row * outputs..]) {
                            *number = number.zip(*here).map(|(n, here)| n * self.sizes[axis] + here);
                        }
                    }
                    all.iter_mut().zip(&numbers).for_each(|(o, &number)| *o = found(number));
                }
            }
        })
    }

    fn described(&self, attributes: &mut Attributes) {
        attributes.set("sizes", &format!("{:?}", self.sizes)[..]);
        attributes.set("taps", self.taps);
        attributes.set("padding", self.padding.name());
        attributes.set("align_corners", self.align_corners);
    }
}

/// x mirrored at both ends until it is between them. With `align_corners` the ends are the centres of the first and the last
/// element, else their outer edges.
fn reflected(x: f64, size: usize, align_corners: bool) -> f64 {
    let (low, span) = ends(size, align_corners);
    if span == 0.0 {
        return 0.0;
    }
    let from = (x - low).abs();
    let flips = (from / span).floor();
    let rest = from - flips * span;
    low + if flips % 2.0 == 0.0 { rest } else { span - rest }
}

/// The lower end of what is mirrored, and how long it is.
pub(super) fn ends(size: usize, align_corners: bool) -> (f64, f64) {
    if align_corners { (0.0, size as f64 - 1.0) } else { (-0.5, size as f64) }
}

/// The numbers of the neighbours, 0 for those outside.
pub(super) struct Numbers(pub(super) Neighbours);

impl<T: Float> Decision<T> for Numbers {
    type Element = u32;
    fn name(&self) -> &str {
        "neighbours"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.described(attributes);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        self.0.each(x[0], |number| number.unwrap_or(0) as u32)
    }
    rules_compiled_here!(Numbers in DecisionOp);
}

/// Which neighbours are there.
pub(super) struct Inside(pub(super) Neighbours);

impl<T: Float> Decision<T> for Inside {
    type Element = bool;
    fn name(&self) -> &str {
        "neighbours_inside"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.described(attributes);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        self.0.each(x[0], |number| number.is_some())
    }
    rules_compiled_here!(Inside in DecisionOp);
}
