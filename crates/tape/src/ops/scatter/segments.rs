//! Reductions of segments: of groups of positions of an axis.

use wengert_tensor::{Axis, Float, Shape, Tensor};

use super::extreme::extreme;
use super::places::Places;
use super::positions::check_range;
use super::product::products;
use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::op::rules_compiled_here;
use crate::ops::arrange::Repeated;
use crate::var::Var;

/// Which segment each position of an axis belongs to.
///
/// ```
/// use wengert_tape::{Segments, Var};
/// use wengert_tensor::Tensor;
/// let x = Var::from([1.0f64, 2.0, 3.0, 4.0]);
/// let same = [
///     Segments::ids(Tensor::vector(&[0, 0, 0, 2]), 3),
///     Segments::lengths(Tensor::vector(&[3, 0, 1])),
///     Segments::offsets(Tensor::vector(&[0, 3, 3, 4])),
/// ];
/// for segments in &same {
///     assert_eq!(x.segment_sum(segments, 0).value().to_vec(), [6.0, 0.0, 4.0]);
/// }
/// ```
#[derive(Clone)]
pub struct Segments<T: Float = f32> {
    ids: Index<T>,
    count: usize,
}

impl<T: Float> Segments<T> {
    /// By the number of each position's segment, in any order, of `count` segments.
    ///
    /// # Panics
    /// If the ids are no vector, or one is not below `count`.
    #[track_caller]
    pub fn ids(ids: impl Into<Index<T>>, count: usize) -> Self {
        let ids = ids.into();
        vector("Segments::ids", &ids);
        check_range("Segments::ids", ids.value(), 0, &count.into());
        Segments { ids, count }
    }

    /// By the lengths of segments that follow each other; a length of 0 is an empty segment.
    ///
    /// # Panics
    /// If the lengths are no vector, or add up to more than memory holds.
    #[track_caller]
    pub fn lengths(lengths: impl Into<Index<T>>) -> Self {
        let lengths = lengths.into();
        vector("Segments::lengths", &lengths);
        let count = lengths.len();
        Segments { ids: decision(Repeated { length: count }, &[], &[lengths.given()]), count }
    }

    /// By the positions at which segments that follow each other begin, and that where the last one ends.
    ///
    /// # Panics
    /// If the offsets are no vector, do not begin with 0, or fall.
    #[track_caller]
    pub fn offsets(offsets: impl Into<Index<T>>) -> Self {
        let offsets = offsets.into();
        vector("Segments::offsets", &offsets);
        let numbers = offsets.value().to_vec();
        let first = numbers.first();
        assert!(first == Some(&0), "Segments::offsets: the first of {offsets} must be 0");
        if let Some(pair) = numbers.windows(2).find(|pair| pair[0] > pair[1]) {
            panic!("Segments::offsets: {} is followed by {}", pair[0], pair[1]);
        }
        Segments::lengths(decision(Differences, &[], &[offsets.given()]))
    }
}

impl<T: Float> Segments<T> {
    /// Where the elements of a variable of this shape go, and the result's shape.
    #[track_caller]
    fn of(&self, operation: &str, shape: &Shape, axis: Axis) -> (Places, Shape) {
        let axis = shape.axis(operation, axis);
        assert!(
            self.ids.len() == shape[axis],
            "{operation}: segments of {} positions for axis {axis} of shape {shape}",
            self.ids.len()
        );
        (Places::Slices(axis), shape.with(axis, self.count).checked(operation))
    }
}

#[track_caller]
fn vector<T: Float>(operation: &str, index: &Index<T>) {
    assert!(index.shape().len() == 1, "{operation}: shape {} is not that of a vector", index.shape());
}

/// The distances between ascending numbers.
struct Differences;

impl<T: Float> Decision<T> for Differences {
    type Element = u32;
    fn name(&self) -> &str {
        "differences"
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let numbers = given[0].index().to_vec();
        Tensor::vector(&numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect::<Vec<u32>>())
    }
    rules_compiled_here!(Differences in DecisionOp);
}

impl<T: Float> Var<T> {
    /// The sums over the segments of an axis, which becomes that of the segments; 0 of an empty one.
    ///
    /// # Panics
    /// If there is no such axis, or the segments are of another length.
    #[doc(alias = "segment_reduce")]
    #[track_caller]
    pub fn segment_sum(&self, segments: &Segments<T>, axis: impl Into<Axis>) -> Var<T> {
        let (places, shape) = segments.of("segment_sum", self.shape(), axis.into());
        places.sum(self, segments.ids.given(), &shape)
    }

    /// The means over the segments of an axis; 0 of an empty one.
    ///
    /// # Panics
    /// As [`segment_sum`](Var::segment_sum).
    ///
    /// ```
    /// use wengert_tape::{Segments, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([1.0f64, 3.0, 8.0]);
    /// assert_eq!(x.segment_mean(&Segments::lengths(Tensor::vector(&[2u32, 1])), 0).value().to_vec(), [2.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn segment_mean(&self, segments: &Segments<T>, axis: impl Into<Axis>) -> Var<T> {
        let (places, shape) = segments.of("segment_mean", self.shape(), axis.into());
        let ids = segments.ids.given();
        // One column of counts serves for all.
        let one = Shape::from(vec![1; self.rank()]);
        let positions = Var::zeros(one.with(places.axis(), self.shape()[places.axis()]));
        let counts = places.counts(&positions, ids, &one.with(places.axis(), segments.count));
        places.sum(self, ids, &shape) / counts.clamp(1.0, f64::INFINITY)
    }

    /// The largest elements of the segments of an axis; −∞ of an empty one. Equal ones share the derivative evenly.
    ///
    /// # Panics
    /// As [`segment_sum`](Var::segment_sum).
    ///
    /// ```
    /// use wengert_tape::{Segments, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([1.0f64, 3.0, 8.0]);
    /// assert_eq!(x.segment_max(&Segments::lengths(Tensor::vector(&[2u32, 1])), 0).value().to_vec(), [3.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn segment_max(&self, segments: &Segments<T>, axis: impl Into<Axis>) -> Var<T> {
        let (places, shape) = segments.of("segment_max", self.shape(), axis.into());
        let start = Var::constant(Tensor::full(shape, T::from_f64(f64::NEG_INFINITY)));
        extreme(places, [true, false], &start, segments.ids.given(), self)
    }

    /// The smallest elements of the segments of an axis; ∞ of an empty one. Equal ones share the derivative evenly.
    ///
    /// # Panics
    /// As [`segment_sum`](Var::segment_sum).
    ///
    /// ```
    /// use wengert_tape::{Segments, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([1.0f64, 3.0, 8.0]);
    /// assert_eq!(x.segment_min(&Segments::lengths(Tensor::vector(&[2u32, 1])), 0).value().to_vec(), [1.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn segment_min(&self, segments: &Segments<T>, axis: impl Into<Axis>) -> Var<T> {
        let (places, shape) = segments.of("segment_min", self.shape(), axis.into());
        let start = Var::constant(Tensor::full(shape, T::from_f64(f64::INFINITY)));
        extreme(places, [false, false], &start, segments.ids.given(), self)
    }

    /// The products over the segments of an axis; 1 of an empty one. Exact derivatives of any order, also where elements
    /// are 0.
    ///
    /// # Panics
    /// As [`segment_sum`](Var::segment_sum).
    ///
    /// ```
    /// use wengert_tape::{Segments, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([2.0f64, 3.0, 8.0]);
    /// assert_eq!(x.segment_prod(&Segments::lengths(Tensor::vector(&[2u32, 1])), 0).value().to_vec(), [6.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn segment_prod(&self, segments: &Segments<T>, axis: impl Into<Axis>) -> Var<T> {
        let (places, shape) = segments.of("segment_prod", self.shape(), axis.into());
        products(places, self, segments.ids.given(), &shape)
    }
}
