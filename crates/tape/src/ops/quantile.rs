//! Quantiles, between elements where they fall between two.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::{Decision, Piecewise, decision, piecewise};
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::select::gated;
use crate::ops::slice;
use crate::var::Var;

/// What a quantile is that falls between two elements.
///
/// ```
/// use wengert_tape::{QuantileMethod, Var};
/// let x = Var::from([1.0f64, 2.0, 4.0, 8.0]);
/// let median = |method| x.quantiles(&[0.5], 0, method, false).item();
/// assert_eq!([QuantileMethod::Linear, QuantileMethod::Lower, QuantileMethod::Higher].map(median), [3.0, 2.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantileMethod {
    /// In between, in proportion.
    Linear,
    /// The lower element.
    Lower,
    /// The higher element.
    Higher,
    /// The mean of both.
    Midpoint,
    /// The nearer element; in the middle that of even number, counted from 0.
    Nearest,
}

/// Between which elements of a row, in ascending order, some quantiles are.
#[derive(Clone)]
struct Ranks {
    q: Vec<f64>,
    axis: usize,
    method: QuantileMethod,
    /// Of the elements that are not NaN, which come last. Else the result is NaN where there are any.
    ignore_nan: bool,
}

impl Ranks {
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("q", &format!("{:?}", self.q)[..]);
        attributes.set("axis", self.axis);
        attributes.set("method", &format!("{:?}", self.method)[..]);
        attributes.set("ignore_nan", self.ignore_nan);
    }

    /// The place of quantile `q` among elements, from 0 to their number − 1, of which so many are not NaN.
    fn place(&self, length: usize, numbers: usize, q: f64) -> f64 {
        if numbers < length && (!self.ignore_nan || numbers == 0) {
            // The last element is NaN, and so is the result.
            return (length - 1) as f64;
        }
        let place = q * (numbers - 1) as f64;
        match self.method {
            QuantileMethod::Linear | QuantileMethod::Midpoint => place,
            QuantileMethod::Lower => place.floor(),
            QuantileMethod::Higher => place.ceil(),
            QuantileMethod::Nearest => place.round_ties_even(),
        }
    }

    /// How much the element above counts of a quantile at this place.
    fn part_above(&self, place: f64) -> f64 {
        match self.method {
            QuantileMethod::Midpoint if place.fract() != 0.0 => 0.5,
            _ => place.fract(),
        }
    }
}

/// The elements below all quantiles, and behind them those above.
struct Neighbour(Ranks);

impl<T: Float> Decision<T> for Neighbour {
    type Element = u32;
    fn name(&self) -> &str {
        "quantile_neighbour"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let Ranks { q, axis, .. } = &self.0;
        let (length, count) = (inputs[0].dim(*axis as isize), q.len());
        let ranks = |numbers: usize, ranks: &mut [usize]| {
            let (below, above) = ranks.split_at_mut(count);
            for ((below, above), &q) in below.iter_mut().zip(above).zip(q) {
                let place = self.0.place(length, numbers, q);
                (*below, *above) = (place.floor() as usize, place.ceil() as usize);
            }
        };
        inputs[0].ranked(*axis, 2 * count, &ranks)
    }
    rules_compiled_here!(Neighbour in DecisionOp);
}

/// How much each of those elements counts.
#[derive(Clone)]
struct Part(Ranks);

impl<T: Float> Piecewise<T> for Part {
    fn name(&self) -> &str {
        "quantile_part"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let (axis, last) = (self.0.axis, inputs[0].rank() - 1);
        let rows = inputs[0].transpose(axis, last).contiguous();
        let (shape, length) = (rows.shape().with(last, 2 * self.0.q.len()), rows.dim(-1));
        let parts = Tensor::written_for("quantile", shape, |out| {
            if out.is_empty() {
                return;
            }
            for (row, out) in slice(&rows).chunks_exact(length).zip(out.chunks_exact_mut(2 * self.0.q.len()))
            {
                let numbers = row.iter().filter(|x| !x.is_nan()).count();
                let (below, above) = out.split_at_mut(self.0.q.len());
                for ((below, above), &q) in below.iter_mut().zip(above).zip(&self.0.q) {
                    let part = self.0.part_above(self.0.place(length, numbers, q));
                    (*below, *above) = (T::from_f64(1.0 - part), T::from_f64(part));
                }
            }
        });
        parts.transpose(axis, last)
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].with(self.0.axis, 2 * self.0.q.len()))
    }
    rules_compiled_here!(Part in PiecewiseOp);
}

impl<T: Float> Var<T> {
    /// The `q`-quantile along `axis`: the place q·(n − 1) in the order, in proportion between two elements. 0.5 is the median, of
    /// an even number the mean of the two in the middle. NaN if there is any. The axis stays with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If there is no such axis, it is empty or longer than 2³², or `q` is not from 0 to 1.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([4.0f64, 1.0, 3.0, 2.0]);
    /// assert_eq!([x.quantile(0.5, 0, false).item(), x.quantile(0.25, 0, false).item()], [2.5, 1.75]);
    /// ```
    #[track_caller]
    pub fn quantile(&self, q: f64, axis: impl Into<Axis>, keepdim: bool) -> Var<T> {
        self.quantiles(&[q], axis, QuantileMethod::Linear, keepdim).squeeze(0)
    }

    /// Several quantiles along `axis`, one behind the other along a new first axis.
    ///
    /// # Panics
    /// As [`quantile`](Var::quantile).
    ///
    /// ```
    /// use wengert_tape::{QuantileMethod, Var};
    /// let x = Var::from([4.0f64, 1.0, 3.0, 2.0, 5.0]);
    /// let quartiles = x.quantiles(&[0.25, 0.5, 0.75], 0, QuantileMethod::Linear, false);
    /// assert_eq!(quartiles.value().to_vec(), [2.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn quantiles(
        &self,
        q: &[f64],
        axis: impl Into<Axis>,
        method: QuantileMethod,
        keepdim: bool,
    ) -> Var<T> {
        let axis = self.shape().axis("quantile", axis);
        self.between_ranks("quantile", Ranks { q: q.to_vec(), axis, method, ignore_nan: false }, keepdim)
    }

    /// The [`quantile`](Var::quantile) of the elements that are not NaN; NaN if all are.
    ///
    /// # Panics
    /// As `quantile`.
    #[track_caller]
    pub fn nanquantile(&self, q: f64, axis: impl Into<Axis>, keepdim: bool) -> Var<T> {
        self.nanquantiles(&[q], axis, QuantileMethod::Linear, keepdim).squeeze(0)
    }

    /// Several [quantiles](Var::quantiles) of the elements that are not NaN.
    ///
    /// # Panics
    /// As `quantile`.
    ///
    /// ```
    /// use wengert_tape::{QuantileMethod, Var};
    /// let x = Var::from([4.0f64, f64::NAN, 2.0]);
    /// assert_eq!(x.nanquantiles(&[0.0, 1.0], 0, QuantileMethod::Linear, false).value().to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn nanquantiles(
        &self,
        q: &[f64],
        axis: impl Into<Axis>,
        method: QuantileMethod,
        keepdim: bool,
    ) -> Var<T> {
        let axis = self.shape().axis("nanquantile", axis);
        self.between_ranks("nanquantile", Ranks { q: q.to_vec(), axis, method, ignore_nan: true }, keepdim)
    }

    #[track_caller]
    fn between_ranks(&self, operation: &str, ranks: Ranks, keepdim: bool) -> Var<T> {
        let (axis, shape) = (ranks.axis, self.shape());
        assert!(shape[axis] > 0, "{operation}: there are no elements along axis {axis} of shape {shape}");
        check_positions(operation, shape[axis]);
        if let Some(wrong) = ranks.q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            panic!("{operation}: q = {wrong} is not from 0 to 1");
        }
        let count = ranks.q.len() as isize;
        let neighbours = decision(Neighbour(ranks.clone()), &[self], &[]);
        // An element without a part does not matter, even if it is infinite.
        let weighed = gated(&self.gather(axis, neighbours), &piecewise(Part(ranks), &[self]));
        let sums = weighed.slice_axis(axis, ..count) + weighed.slice_axis(axis, count..);
        let found = sums.unsqueeze(axis + 1).movedim(&[axis as isize], &[0]);
        if keepdim { found } else { found.squeeze(axis + 1) }
    }
}
