//! Pooling to a given size.

use std::ops::Range;

use wengert_tensor::axis_map::{AxisMap, adaptive_window, axis_maxima};
use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor};

use super::planes::PoolOptions;
use crate::class::{Decision, decision};
use crate::data::{Data, Discrete, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::along_axis::{AlongAxis, nothing};
use crate::ops::slice;
use crate::var::Var;

/// The positions along an axis of the largest elements in windows that cover it evenly.
#[derive(Clone)]
struct AxisMaxima {
    axis: usize,
    outputs: usize,
}

impl<T: Float> Decision<T> for AxisMaxima {
    type Element = u32;
    fn name(&self) -> &str {
        "adaptive_max_pool_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("to", self.outputs);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let x = x[0].contiguous();
        let length = x.shape()[self.axis];
        let inner = x.shape()[self.axis + 1..].iter().product();
        let windows: Vec<Range<usize>> =
            (0..self.outputs).map(|i| adaptive_window(length, self.outputs, i)).collect();
        Tensor::written_for("adaptive_max_pool", x.shape().with(self.axis, self.outputs), |out| {
            axis_maxima(&windows, length, inner, slice(&x), out);
        })
    }
    rules_compiled_here!(AxisMaxima in DecisionOp);
}

/// Positions in row-major order, from those along each axis, last axis first, which count in what the former axes left.
#[derive(Clone)]
struct Joined {
    sizes: Vec<usize>,
}

impl<T: Float> Decision<T> for Joined {
    type Element = u32;
    fn name(&self) -> &str {
        "joined_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("sizes", &self.sizes[..]);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let mut joined = given[0].index().clone();
        let mut stride = 1;
        for (i, along) in given.iter().enumerate().skip(1) {
            let axis = joined.rank() - 1 - i;
            stride *= self.sizes[self.sizes.len() - i];
            let chosen = joined.gather(axis, along.index()).contiguous();
            let along = along.index().contiguous();
            joined = Tensor::written_for("adaptive_max_pool", chosen.shape(), |out| {
                let pairs = slice(&chosen).iter().zip(slice(&along));
                out.iter_mut().zip(pairs).for_each(|(out, (&low, &high))| *out = low + high * stride as u32);
            });
        }
        joined
    }
    rules_compiled_here!(Joined in DecisionOp);
}

/// The shape with other lengths of the last axes. Panics if there are not `D + 2` axes, or an axis without elements is to
/// have some.
#[track_caller]
fn resized<const D: usize>(operation: &str, shape: &Shape, size: [usize; D]) -> Shape {
    assert!(shape.len() == D + 2, "{operation}: {shape} does not have {} axes", D + 2);
    let mut resized = shape.clone();
    for (axis, length) in size.into_iter().enumerate() {
        if shape[axis + 2] == 0 && length > 0 {
            panic!("{operation}: axis {} of shape {shape} has no elements to make {length} of", axis + 2);
        }
        resized = resized.with(axis + 2, length);
    }
    resized.checked(operation)
}

impl<T: Float> Var<T> {
    /// The last `D` axes of `[batch, channels, size…]` averaged to the given lengths: position i of an axis of n elements is
    /// the mean of those from ⌊i·n/length⌋ to ⌈(i + 1)·n/length⌉.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, or an axis without elements is to have some.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 3.0, 5.0, 7.0, 9.0]).reshape([1, 1, 5]);
    /// assert_eq!(x.adaptive_avg_pool([3]).value().to_vec(), [2.0, 5.0, 8.0]);
    /// ```
    #[doc(alias = "adaptive_avg_pool1d")]
    #[doc(alias = "adaptive_avg_pool2d")]
    #[doc(alias = "adaptive_avg_pool3d")]
    #[track_caller]
    pub fn adaptive_avg_pool<const D: usize>(&self, size: [usize; D]) -> Var<T> {
        const { assert!(D >= 1 && D <= 3, "pooling is over one, two or three axes") };
        let resized = resized("adaptive_avg_pool", self.shape(), size);
        if let Some(nothing) = nothing(self, &resized) {
            return nothing;
        }
        let lengths = |axis: usize| (self.shape()[axis + 2], resized[axis + 2]);
        if (0..D).all(|axis| lengths(axis).0 % lengths(axis).1 == 0) {
            // Windows side by side.
            let mut kernel = [0; D];
            (0..D).for_each(|axis| kernel[axis] = lengths(axis).0 / lengths(axis).1);
            return self.avg_pool(PoolOptions::new(kernel), true);
        }
        (0..D).filter(|&axis| lengths(axis).0 != lengths(axis).1).fold(self.clone(), |x, axis| {
            let (from, to) = lengths(axis);
            let names = ["adaptive_avg_pool", "adaptive_avg_pool_transposed"];
            x.linear(AlongAxis::new(names, axis + 2, AxisMap::adaptive_mean(from, to), Attributes::default()))
        })
    }

    /// The largest element of each of the windows that [`adaptive_avg_pool`](Var::adaptive_avg_pool) averages; NaN if there
    /// is one. The derivative goes to the first of equal elements.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, or an axis without elements is to have some.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 3.0, 5.0, 7.0, 9.0]).reshape([1, 1, 5]);
    /// assert_eq!(x.adaptive_max_pool([2]).value().to_vec(), [5.0, 9.0]);
    /// ```
    #[doc(alias = "adaptive_max_pool1d")]
    #[doc(alias = "adaptive_max_pool2d")]
    #[doc(alias = "adaptive_max_pool3d")]
    #[track_caller]
    pub fn adaptive_max_pool<const D: usize>(&self, size: [usize; D]) -> Var<T> {
        self.adaptive_maxima("adaptive_max_pool", size).0
    }

    /// [`adaptive_max_pool`](Var::adaptive_max_pool) with the positions of the largest elements, counted in row-major order
    /// over the last `D` axes.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, an axis without elements is to have some, or positions do not fit into `u32`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (largest, index) = Var::from([[[1.0f64, 4.0, 3.0, 2.0]]]).adaptive_max_pool_with_indices([2]);
    /// assert_eq!((largest.value().to_vec(), index.value().to_vec()), (vec![4.0, 3.0], vec![1, 2]));
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool_with_indices<const D: usize>(&self, size: [usize; D]) -> (Var<T>, Index<T>) {
        let (values, along) = self.adaptive_maxima("adaptive_max_pool_with_indices", size);
        if values.is_empty() {
            let none = Tensor::zeros(values.shape());
            return (values, Discrete::constant(none));
        }
        check_positions("adaptive_max_pool_with_indices", self.shape()[2..].iter().product());
        let given: Vec<_> = along.iter().map(Index::given).collect();
        (values, decision(Joined { sizes: self.shape()[2..].to_vec() }, &[], &given))
    }

    /// The maxima, and their positions along each axis, last axis first.
    #[track_caller]
    fn adaptive_maxima<const D: usize>(&self, operation: &str, size: [usize; D]) -> (Var<T>, Vec<Index<T>>) {
        let resized = resized(operation, self.shape(), size);
        if let Some(nothing) = nothing(self, &resized) {
            return (nothing, Vec::new());
        }
        let (mut x, mut along) = (self.clone(), Vec::new());
        for axis in (2..D + 2).rev() {
            check_positions(operation, self.shape()[axis]);
            let at: Index<T> = decision(AxisMaxima { axis, outputs: resized[axis] }, &[&x], &[]);
            x = x.gather(axis, &at);
            along.push(at);
        }
        (x, along)
    }
}
