//! Other arrangements of axes and elements: moved axes, grids, windows, repetitions.

use std::borrow::Borrow;

use wengert_tensor::size::{self, check_positions};
use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::products::different_axes;
use crate::var::Var;

/// Which axis of a grid belongs to which vector: see [`Var::meshgrid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexing {
    /// Axis `i` to vector `i`, as in matrices.
    Ij,
    /// The first two exchanged, as for points of a picture, whose rows are y.
    Xy,
}

/// Each position of an axis as often as its count says.
pub(super) struct Repeated {
    pub(super) length: usize,
}

impl<T: Float> Decision<T> for Repeated {
    type Element = u32;
    fn name(&self) -> &str {
        "repeated_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("length", self.length);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let counts = given[0].index().to_vec();
        let total = counts.iter().map(|&n| n as usize).fold(0usize, usize::saturating_add);
        let mut positions = size::list("repeated_positions", total);
        for (i, &count) in (0..self.length as u32).zip(&counts) {
            positions.extend(std::iter::repeat_n(i, count as usize));
        }
        Tensor::vector(&positions)
    }
    rules_compiled_here!(Repeated in DecisionOp);
}

impl<T: Float> Var<T> {
    /// The axes `source` moved to the positions `destination`; the others keep their order.
    ///
    /// # Panics
    /// If there are not as many of both, or an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::<f64>::zeros([2, 3, 4]).movedim(&[0], &[-1]).shape(), &[3, 4, 2]);
    /// ```
    #[doc(alias = "moveaxis")]
    #[track_caller]
    pub fn movedim(&self, source: &[isize], destination: &[isize]) -> Var<T> {
        assert!(
            source.len() == destination.len(),
            "movedim: {source:?} and {destination:?} are not as many axes of shape {}",
            self.shape()
        );
        let from = different_axes("movedim", self.shape(), source);
        let to = different_axes("movedim", self.shape(), destination);
        let mut others = (0..self.rank()).filter(|axis| !from.contains(axis));
        let moved = |axis| match to.iter().position(|t| *t == axis) {
            Some(i) => from[i],
            None => others.next().expect("as many axes as there are"),
        };
        let order: Vec<usize> = (0..self.rank()).map(moved).collect();
        self.permute(&order[..])
    }

    /// Turned by `k` quarters in the plane of two axes, from the first towards the second.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.rot90(1, [0, 1]).value().to_vec(), [2.0, 4.0, 1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn rot90(&self, k: isize, axes: [isize; 2]) -> Var<T> {
        let axes = different_axes("rot90", self.shape(), &axes);
        let (from, to) = (axes[0], axes[1]);
        match k.rem_euclid(4) {
            0 => self.clone(),
            1 => self.flip(to).transpose(from, to),
            2 => self.flip(from).flip(to),
            _ => self.transpose(from, to).flip(to),
        }
    }

    /// All combinations of `r` elements of a vector, in the order of their positions: `[combinations, r]`. With `replacement`
    /// an element may come several times.
    ///
    /// # Panics
    /// If there is not one axis, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.combinations(2, false).value().to_vec(), [1.0, 2.0, 1.0, 3.0, 2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn combinations(&self, r: usize, replacement: bool) -> Var<T> {
        let shape = self.shape();
        assert!(shape.len() == 1, "combinations: shape {shape} is not that of a vector");
        let (n, step) = (shape[0], u32::from(!replacement));
        check_positions("combinations", n);
        // C(n, r), or C(n + r − 1, r).
        let choices = if replacement { (n + r).saturating_sub(1) } else { n };
        let count = (0..r).fold(1.0f64, |count, i| count * choices.saturating_sub(i) as f64 / (i + 1) as f64);
        assert!(
            count * r as f64 <= size::MAX_ELEMENTS as f64,
            "combinations: there are {count} of {r} of {n} elements"
        );
        let mut chosen: Vec<u32> = Vec::new();
        // The positions of one combination after the other.
        let mut at: Vec<u32> = (0..r as u32).map(|i| i * step).collect();
        // The largest that position i may have.
        let largest = |i: usize| n as i64 - 1 - i64::from(step) * (r - 1 - i) as i64;
        while at.iter().enumerate().all(|(i, &p)| i64::from(p) <= largest(i)) {
            chosen.extend(&at);
            let Some(i) = (0..r).rev().find(|&i| i64::from(at[i]) < largest(i)) else { break };
            let next = at[i] + 1;
            at.iter_mut().skip(i).enumerate().for_each(|(k, p)| *p = next + k as u32 * step);
        }
        let combinations = chosen.len().checked_div(r).unwrap_or(1);
        self.index_select(0, Tensor::vector(&chosen).reshape([combinations, r]))
    }

    /// The matrix with the powers 0 to n − 1 of a vector's elements as columns, the highest first unless `increasing`; of more
    /// axes for each vector along the last one.
    ///
    /// # Panics
    /// If there is no axis, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([2.0f64, 3.0]);
    /// assert_eq!(x.vander(3, true).value().to_vec(), [1.0, 2.0, 4.0, 1.0, 3.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn vander(&self, n: usize, increasing: bool) -> Var<T> {
        self.shape().axis("vander", -1);
        let shape: Shape = self.shape().iter().copied().chain([n]).collect();
        let shape = shape.checked("vander");
        if n == 0 {
            return Var::zeros(shape);
        }
        let power = |j: usize| self.powi(if increasing { j } else { n - 1 - j } as i32);
        Var::stack(&(0..n).map(power).collect::<Vec<_>>(), -1)
    }

    /// All windows of `size` positions of an axis, one every `step`: the axis becomes their number, and a last axis is added
    /// for the positions in each. What does not fill a window at the end is left out.
    ///
    /// # Panics
    /// If there is no such axis, it is shorter than `size` or longer than 2³², or `step` is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0, 4.0, 5.0]);
    /// assert_eq!(x.windows(0, 3, 2).value().to_vec(), [1.0, 2.0, 3.0, 3.0, 4.0, 5.0]);
    /// ```
    #[doc(alias = "unfold")]
    #[doc(alias = "sliding_window_view")]
    #[track_caller]
    pub fn windows(&self, axis: impl Into<Axis>, size: usize, step: usize) -> Var<T> {
        let axis = self.shape().axis("windows", axis);
        let length = self.shape()[axis];
        assert!(
            size <= length && step > 0,
            "windows: size {size} and step {step} for axis {axis} of shape {}: at most {length} and at least 1",
            self.shape()
        );
        check_positions("windows", length);
        let count = (length - size) / step + 1;
        let shape = Shape::from([count, size]).checked("windows");
        let index = Tensor::from_fn(shape, |i| (i[0] * step + i[1]) as u32);
        self.index_select(axis, index).movedim(&[axis as isize + 1], &[-1])
    }

    /// Each position of an axis `count` times in a row.
    ///
    /// # Panics
    /// If there is no such axis, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, 2.0]).repeat_interleave(2, 0).value().to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, count: usize, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("repeat_interleave", axis);
        let length = size::product("repeat_interleave", &[self.shape()[axis], count]);
        let apart = self.unsqueeze(axis + 1);
        let repeated = apart.shape().with(axis + 1, count).checked("repeat_interleave");
        apart.broadcast_to(repeated).reshape(self.shape().with(axis, length))
    }

    /// Each position of an axis as often in a row as `counts`, a vector with a number for each, says.
    ///
    /// # Panics
    /// If there is no such axis, there is not one count for each position, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.repeat_interleave_counts(Tensor::vector(&[2, 0, 1]), 0).value().to_vec(), [1.0, 1.0, 3.0]);
    /// ```
    #[doc(alias = "repeat_interleave")]
    #[track_caller]
    pub fn repeat_interleave_counts(&self, counts: impl Into<Index<T>>, axis: impl Into<Axis>) -> Var<T> {
        let (counts, axis) = (counts.into(), self.shape().axis("repeat_interleave_counts", axis));
        let length = self.shape()[axis];
        assert!(
            counts.shape()[..] == [length],
            "repeat_interleave_counts: counts of shape {} for axis {axis} of length {length} of shape {}",
            counts.shape(),
            self.shape()
        );
        check_positions("repeat_interleave_counts", length);
        self.index_select(axis, decision(Repeated { length }, &[], &[counts.given()]))
    }

    /// Along each axis of a grid the numbers of one vector: a variable of the grid's shape for each.
    ///
    /// # Panics
    /// If there is none, one is no vector (or number, which counts as a vector of one), or the grid has too many elements.
    ///
    /// ```
    /// use wengert_tape::{Indexing, Var};
    /// let (x, y) = (Var::from([1.0f64, 2.0, 3.0]), Var::from([10.0, 20.0]));
    /// let [a, b] = &Var::meshgrid(&[&x, &y], Indexing::Ij)[..] else { unreachable!() };
    /// assert_eq!((a.shape().to_vec(), b.value().at([2, 1])), (vec![3, 2], 20.0));
    /// ```
    #[track_caller]
    pub fn meshgrid(vectors: &[impl Borrow<Var<T>>], indexing: Indexing) -> Vec<Var<T>> {
        assert!(!vectors.is_empty(), "meshgrid: there are no vectors");
        let rank = vectors.len();
        let axis_of = |i: usize| match indexing {
            Indexing::Xy if rank > 1 && i < 2 => 1 - i,
            _ => i,
        };
        let mut grid = vec![1; rank];
        for (i, vector) in vectors.iter().map(Borrow::borrow).enumerate() {
            assert!(vector.rank() <= 1, "meshgrid: shape {} is not that of a vector", vector.shape());
            grid[axis_of(i)] = vector.len();
        }
        let grid = Shape::from(grid).checked("meshgrid");
        let spread = |(i, vector): (usize, &Var<T>)| {
            let mut shape = vec![1; rank];
            shape[axis_of(i)] = vector.len();
            vector.reshape(Shape::from(shape)).broadcast_to(&grid)
        };
        vectors.iter().map(Borrow::borrow).enumerate().map(spread).collect()
    }

    /// All tuples with one number of each vector, as rows, the last vector running fastest.
    ///
    /// # Panics
    /// As [`meshgrid`](Var::meshgrid).
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let pairs = Var::cartesian_prod(&[Var::from([1.0f64, 2.0]), Var::from([5.0, 6.0])]);
    /// assert_eq!(pairs.value().to_vec(), [1.0, 5.0, 1.0, 6.0, 2.0, 5.0, 2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cartesian_prod(vectors: &[impl Borrow<Var<T>>]) -> Var<T> {
        let grid: Vec<Var<T>> =
            Var::meshgrid(vectors, Indexing::Ij).iter().map(|x| x.reshape([x.len()])).collect();
        if let [only] = &grid[..] { only.clone() } else { Var::stack(&grid, 1) }
    }

    /// Matrices over the axes `first` and `second` of the result with the last axis on the diagonal `offset`, which counts
    /// from `first` to `second`, and 0 elsewhere; [`diag`](Var::diag) for the last two axes.
    ///
    /// # Panics
    /// If there is no axis, `first` and `second` are not two of the result's axes, or a matrix has more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // Two vectors become two matrices.
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).diag_embed(0, 1, 2);
    /// assert_eq!(x.value().to_vec(), [1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn diag_embed(&self, offset: isize, first: isize, second: isize) -> Var<T> {
        assert!(self.rank() > 0, "diag_embed: shape {} has no axis", self.shape());
        let one_more: Shape = self.shape().iter().copied().chain([1]).collect();
        different_axes("diag_embed", &one_more, &[first, second]);
        self.diag(offset).movedim(&[-2, -1], &[first, second])
    }
}
