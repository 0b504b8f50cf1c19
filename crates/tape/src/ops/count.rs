//! What is counted and looked up: indices, or numbers that jump.

use wengert_tensor::size::{check_positions, list};
use wengert_tensor::{Axes, Float, Shape, Tensor};

use crate::class::{Decision, Piecewise, decision, piecewise};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// How many elements of sorted rows come before each of other rows.
struct Search {
    right: bool,
}

impl<T: Float> Decision<T> for Search {
    type Element = u32;
    fn name(&self) -> &str {
        "searchsorted"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("right", self.right);
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let (rows, values) = (inputs[0].to_vec(), inputs[1].to_vec());
        let length = inputs[0].shape()[inputs[0].rank() - 1];
        // Values of one row; a vector is the row of all.
        let count =
            if inputs[0].rank() == 1 { values.len() } else { inputs[1].shape()[inputs[1].rank() - 1] };
        // NaN is larger than every number.
        let before = |x: T, v: T| {
            x < v || (v.is_nan() && !x.is_nan()) || (self.right && (x == v || (x.is_nan() && v.is_nan())))
        };
        let place = |(i, &v): (usize, &T)| {
            let row = &rows[i / count * length..][..length];
            row.partition_point(|&x| before(x, v)) as u32
        };
        Tensor::vector(&values.iter().enumerate().map(place).collect::<Vec<u32>>()).reshape(inputs[1].shape())
    }
    rules_compiled_here!(Search in DecisionOp);
}

/// How often each number stands in an index.
struct Bincount {
    minlength: usize,
}

impl<T: Float> Decision<T> for Bincount {
    type Element = u32;
    fn name(&self) -> &str {
        "bincount"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("minlength", self.minlength);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let index = given[0].index().to_vec();
        let length = index.iter().map(|&i| i as usize + 1).fold(self.minlength, usize::max);
        let mut counts = list("bincount", length);
        counts.resize(length, 0u32);
        index.into_iter().for_each(|i| counts[i as usize] += 1);
        Tensor::vector(&counts)
    }
    rules_compiled_here!(Bincount in DecisionOp);
}

/// How many elements are in each of some equal ranges.
#[derive(Clone)]
struct Histogram {
    bins: usize,
    range: [f64; 2],
}

impl<T: Float> Piecewise<T> for Histogram {
    fn name(&self) -> &str {
        "histc"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("bins", self.bins);
        attributes.set("min", self.range[0]);
        attributes.set("max", self.range[1]);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let numbers: Vec<f64> = inputs[0].to_vec().into_iter().map(T::to_f64).collect();
        let [mut low, mut high] = self.range;
        if low == high && !numbers.is_empty() {
            [low, high] = [f64::INFINITY, f64::NEG_INFINITY];
            numbers.iter().for_each(|&x| (low, high) = (low.min(x), high.max(x)));
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        let mut counts = list("histc", self.bins);
        counts.resize(self.bins, 0u64);
        for x in numbers.into_iter().filter(|x| (low..=high).contains(x)) {
            let bin = ((x - low) / (high - low) * self.bins as f64) as usize;
            counts[bin.min(self.bins - 1)] += 1;
        }
        Tensor::vector(&counts.into_iter().map(|n| T::from_f64(n as f64)).collect::<Vec<T>>())
    }
    fn output_shape(&self, _: &[&Shape]) -> Option<Shape> {
        Some(self.bins.into())
    }
    rules_compiled_here!(Histogram in PiecewiseOp);
}

/// How many elements over some axes are not 0.
struct CountNonzero {
    axes: Axes,
    keepdim: bool,
}

impl<T: Float> Decision<T> for CountNonzero {
    type Element = u32;
    fn name(&self) -> &str {
        "count_nonzero"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
        attributes.set("keepdim", self.keepdim);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        inputs[0].not_equal(0.0).count_nonzero(self.axes.clone(), self.keepdim)
    }
    rules_compiled_here!(CountNonzero in DecisionOp);
}

impl<T: Float> Var<T> {
    /// Where each of `values` would have to be inserted to keep the order of the last axis, which is ascending: the number of
    /// elements that are less, or if `right` less or equal. A vector is searched for values of any shape; else there is a
    /// row of values for each row. NaN counts as larger than every number.
    ///
    /// # Panics
    /// If there is no axis, the leading axes differ, or a row is longer than 2³².
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (sorted, values) = (Var::from([1.0f64, 3.0, 5.0]), Var::from([3.0, 6.0]));
    /// assert_eq!(sorted.searchsorted(&values, false).value().to_vec(), [1, 3]);
    /// assert_eq!(sorted.searchsorted(&values, true).value().to_vec(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn searchsorted(&self, values: &Var<T>, right: bool) -> Index<T> {
        let (rows, of) = (self.shape(), values.shape());
        let fits = match rows.len() {
            0 => false,
            1 => true,
            rank => of.len() == rank && of[..rank - 1] == rows[..rank - 1],
        };
        assert!(fits, "searchsorted: rows of shape {rows} for values of shape {of}");
        check_positions("searchsorted", rows[rows.len() - 1]);
        decision(Search { right }, &[self, values], &[])
    }

    /// Which of the ranges between ascending `boundaries` each element is in: see [`searchsorted`](Var::searchsorted).
    ///
    /// # Panics
    /// If the boundaries are no vector.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let ages = Var::from([5.0f64, 18.0, 70.0]);
    /// assert_eq!(ages.bucketize(&Var::from([18.0, 65.0]), true).value().to_vec(), [0, 1, 2]);
    /// ```
    #[doc(alias = "digitize")]
    #[track_caller]
    pub fn bucketize(&self, boundaries: &Var<T>, right: bool) -> Index<T> {
        assert!(
            boundaries.rank() == 1,
            "bucketize: boundaries of shape {} are no vector",
            boundaries.shape()
        );
        boundaries.searchsorted(self, right)
    }

    /// How many elements are in each of `bins` equal ranges from `min` to `max`, the last of which has its upper end; others are
    /// not counted. If `min` and `max` are equal, from the smallest to the largest element. The derivative is 0.
    ///
    /// # Panics
    /// If there are no bins, `min` is larger than `max`, or a limit is infinite or NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([0.0f64, 1.0, 2.0, 2.0, 9.0]).histc(4, 0.0, 4.0).value().to_vec(), [1.0, 1.0, 2.0, 0.0]);
    /// ```
    #[doc(alias = "histogram")]
    #[track_caller]
    pub fn histc(&self, bins: usize, min: f64, max: f64) -> Var<T> {
        assert!(bins > 0, "histc: there are no bins");
        assert!(min <= max && (max - min).is_finite(), "histc: {min} to {max} is no range");
        if min == max {
            let wild = self.value().to_vec().into_iter().map(T::to_f64).find(|x| !x.is_finite());
            assert!(
                wild.is_none(),
                "histc: the range of elements of which one is {} is not finite",
                wild.unwrap_or(0.0)
            );
        }
        Shape::from(bins).checked("histc");
        piecewise(Histogram { bins, range: [min, max] }, &[self])
    }

    /// How many elements over some axes are not 0, as NaN is not; the axes stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn count_nonzero(&self, axes: impl Into<Axes>, keepdim: bool) -> Index<T> {
        decision(CountNonzero { axes: axes.into(), keepdim }, &[self], &[])
    }
}

impl<T: Float> Index<T> {
    /// How often each number from 0 to the largest stands in the index, and for all below `minlength`.
    /// [`segment_sum`](Var::segment_sum) adds up weights instead.
    ///
    /// # Panics
    /// If there is no memory for the counts.
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::Tensor;
    /// let labels = Index::<f64>::constant(Tensor::vector(&[1, 3, 1]));
    /// assert_eq!(labels.bincount(0).value().to_vec(), [0, 2, 0, 1]);
    /// ```
    #[track_caller]
    pub fn bincount(&self, minlength: usize) -> Index<T> {
        decision(Bincount { minlength }, &[], &[self.given()])
    }
}
