//! Where the neighbours of a place are.

use wengert_tensor::{Float, Tensor};

use super::GridPadding;
use crate::class::Decision;
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;

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
    fn each<T: Float, R: Copy + Default>(
        &self,
        low: &Tensor<T>,
        found: impl Fn(Option<usize>) -> R,
    ) -> Vec<R> {
        let [batch, axes, outputs] = [0, 1, 2].map(|axis| low.shape()[axis]);
        let combinations = self.taps.pow(axes as u32);
        let places = low.to_vec();
        let mut all = Vec::with_capacity(batch * combinations * outputs);
        for example in places.chunks(axes * outputs.max(1)).take(batch) {
            for combination in 0..combinations {
                for p in 0..outputs {
                    let (mut number, mut weight) = (Some(0), combinations);
                    for axis in 0..axes {
                        weight /= self.taps;
                        let tap = combination / weight % self.taps;
                        let here = self.along(axis, example[axis * outputs + p].to_f64(), tap);
                        number = number.zip(here).map(|(n, here)| n * self.sizes[axis] + here);
                    }
                    all.push(found(number));
                }
            }
        }
        all
    }

    fn described(&self, attributes: &mut Attributes) {
        attributes.set("sizes", &format!("{:?}", self.sizes)[..]);
        attributes.set("taps", self.taps);
        attributes.set("padding", self.padding.name());
        attributes.set("align_corners", self.align_corners);
    }

    fn shape(&self, low: &wengert_tensor::Shape) -> [usize; 3] {
        [low[0], self.taps.pow(low[1] as u32), low[2]]
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
        let numbers = self.0.each(x[0], |number| number.unwrap_or(0) as u32);
        Tensor::vector(&numbers).reshape(self.0.shape(x[0].shape()))
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
        let inside = self.0.each(x[0], |number| number.is_some());
        Tensor::vector(&inside).reshape(self.0.shape(x[0].shape()))
    }
    rules_compiled_here!(Inside in DecisionOp);
}
