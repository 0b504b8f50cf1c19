//! Quantiles, between elements where they fall between two.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::{Decision, Piecewise, decision, piecewise};
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::select::gated;
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

/// Between which elements of a sorted row some quantiles are.
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

    /// The place of quantile `q` in a sorted row, from 0 to its length − 1.
    fn place<T: Float>(&self, row: &[T], q: f64) -> f64 {
        let numbers = row.partition_point(|x| !x.is_nan());
        if numbers < row.len() && (!self.ignore_nan || numbers == 0) {
            // The last element is NaN, and so is the result.
            return (row.len() - 1) as f64;
        }
        let place = q * (numbers - 1) as f64;
        match self.method {
            QuantileMethod::Linear | QuantileMethod::Midpoint => place,
            QuantileMethod::Lower => place.floor(),
            QuantileMethod::Higher => place.ceil(),
            QuantileMethod::Nearest => place.round_ties_even(),
        }
    }

    /// What `f` makes of every place, with as many as there are quantiles along the axis.
    fn each<T: Float, R: wengert_tensor::Element>(
        &self,
        sorted: &Tensor<T>,
        f: impl Fn(f64) -> R,
    ) -> Tensor<R> {
        let last = sorted.rank() - 1;
        let rows = sorted.transpose(self.axis, last);
        let shape = rows.shape().with(last, self.q.len());
        let elements = rows.to_vec();
        let of_row = |row| self.q.iter().map(move |&q| self.place(row, q));
        let places = elements.chunks(rows.shape()[last]).flat_map(of_row).map(f);
        Tensor::vector(&places.collect::<Vec<R>>()).reshape(shape).transpose(self.axis, last)
    }
}

/// The element below or above each quantile.
struct Neighbour {
    ranks: Ranks,
    above: bool,
}

impl<T: Float> Decision<T> for Neighbour {
    type Element = u32;
    fn name(&self) -> &str {
        "quantile_neighbour"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.ranks.describe(attributes);
        attributes.set("above", self.above);
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        self.ranks
            .each(inputs[0], |place| if self.above { place.ceil() as u32 } else { place.floor() as u32 })
    }
    rules_compiled_here!(Neighbour in DecisionOp);
}

/// The part of the element above, or of that below, in each quantile.
#[derive(Clone)]
struct Part {
    ranks: Ranks,
    above: bool,
}

impl<T: Float> Piecewise<T> for Part {
    fn name(&self) -> &str {
        "quantile_part"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.ranks.describe(attributes);
        attributes.set("above", self.above);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.ranks.each(inputs[0], |place| {
            let above = match self.ranks.method {
                QuantileMethod::Midpoint if place.fract() != 0.0 => 0.5,
                _ => place.fract(),
            };
            T::from_f64(if self.above { above } else { 1.0 - above })
        })
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].with(self.ranks.axis, self.ranks.q.len()))
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
        let sorted = self.sort(axis, false);
        let side = |above: bool| {
            let neighbour = decision(Neighbour { ranks: ranks.clone(), above }, &[&sorted], &[]);
            let part = piecewise(Part { ranks: ranks.clone(), above }, &[&sorted]);
            // An element without a part does not matter, even if it is infinite.
            gated(&sorted.gather(axis, neighbour), &part)
        };
        let found = (side(false) + side(true)).unsqueeze(axis + 1).movedim(&[axis as isize], &[0]);
        if keepdim { found } else { found.squeeze(axis + 1) }
    }
}
