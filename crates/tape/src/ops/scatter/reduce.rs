//! Reductions of what comes to each place.

use wengert_tensor::{Axis, Float};

use super::corner::{corner, cropped, with_corner};
use super::extreme::extreme;
use super::places::Places;
use super::positions::check_alongside;
use super::product::products;
use crate::data::Index;
use crate::var::Var;

/// What [`Var::scatter_reduce`] makes of the elements that come to one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScatterReduce {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest; equal ones share the derivative evenly.
    Max,
    /// The smallest; equal ones share the derivative evenly.
    Min,
    /// Their product, with exact derivatives also where elements are 0.
    Prod,
}

impl<T: Float> Var<T> {
    /// Of each position along `axis` the elements of `source` that `index` brings there, as in
    /// [`scatter_add`](Var::scatter_add), reduced as `how` says: together with the element that is there if `include_self`,
    /// else without it. What nothing comes to keeps its element.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::{ScatterReduce, Var};
    /// use wengert_tensor::Tensor;
    /// let (x, source) = (Var::from([4.0f64, 5.0, 6.0]), Var::from([1.0, 2.0, 8.0]));
    /// let reduce = |how, include| x.scatter_reduce(0, Tensor::vector(&[0, 0, 1]), &source, how, include).value().to_vec();
    /// assert_eq!(reduce(ScatterReduce::Mean, false), [1.5, 8.0, 6.0]);
    /// assert_eq!(reduce(ScatterReduce::Max, true), [4.0, 8.0, 6.0]);
    /// ```
    #[doc(alias = "index_reduce")]
    #[track_caller]
    pub fn scatter_reduce(
        &self,
        axis: impl Into<Axis>,
        index: impl Into<Index<T>>,
        source: &Var<T>,
        how: ScatterReduce,
        include_self: bool,
    ) -> Var<T> {
        let (axis, index) = (self.shape().axis("scatter_reduce", axis), index.into());
        let source = &cropped(source, index.shape());
        let x = corner(self, axis, index.shape());
        let reduced = x.reduced(axis, &index, source, how, include_self);
        with_corner("scatter_reduce", self, axis, index.shape(), reduced)
    }

    /// The same, of an index with the other lengths of this variable.
    #[track_caller]
    fn reduced(
        &self,
        axis: usize,
        index: &Index<T>,
        source: &Var<T>,
        how: ScatterReduce,
        include_self: bool,
    ) -> Var<T> {
        let shape = self.shape();
        assert!(
            index.shape() == source.shape(),
            "scatter_reduce: source shape {} and index shape {} differ",
            source.shape(),
            index.shape()
        );
        check_alongside("scatter_reduce", index.value(), axis, shape);
        let (places, index) = (Places::Elements(axis), index.given());
        // Where something comes to, the element itself takes part only if it is included.
        let start = |value: f64| {
            if include_self { self.clone() } else { self.masked_fill(places.touched(index, shape), value) }
        };
        match how {
            ScatterReduce::Sum => start(0.0) + places.sum(source, index, shape),
            ScatterReduce::Mean => {
                let own = if include_self { 1.0 } else { 0.0 };
                let count = places.counts(source, index, shape) + own;
                (start(0.0) + places.sum(source, index, shape)) / count.clamp(1.0, f64::INFINITY)
            }
            ScatterReduce::Max => {
                extreme(places, [true, include_self], &start(f64::NEG_INFINITY), index, source)
            }
            ScatterReduce::Min => {
                extreme(places, [false, include_self], &start(f64::INFINITY), index, source)
            }
            ScatterReduce::Prod => start(1.0) * products(places, source, index, shape),
        }
    }
}
