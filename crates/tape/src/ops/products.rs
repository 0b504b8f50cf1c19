//! Products over chosen axes, of Kronecker and of three-vectors, and traces.

use std::borrow::Borrow;

use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::{Axis, Float, Shape, size};

use crate::ops::einsum::{Labelled, contracted, reduced};
use crate::ops::kronecker;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The sum of products over pairs of axes: axis `axes[i]` runs with axis `other_axes[i]` of `other`. The result has the other
    /// axes of both, in their order. PyTorch's `dims=n` is `&[-n, …, -1]` with `&[0, …, n - 1]`; without axes it is the outer
    /// product of all elements.
    ///
    /// # Panics
    /// If the numbers of axes differ, an axis does not exist or is given twice, or the lengths of a pair differ.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::<f64>::ones([2, 3, 4]), Var::ones([4, 3, 5]));
    /// assert_eq!(a.tensordot(&b, &[1, 2], &[1, 0]).shape(), &[2, 5]);
    /// ```
    #[track_caller]
    pub fn tensordot(&self, other: &Var<T>, axes: &[isize], other_axes: &[isize]) -> Var<T> {
        assert!(
            axes.len() == other_axes.len(),
            "tensordot: {} axes of shape {} and {} of shape {}",
            axes.len(),
            self.shape(),
            other_axes.len(),
            other.shape()
        );
        let left = different_axes("tensordot", self.shape(), axes);
        let right = different_axes("tensordot", other.shape(), other_axes);
        for (&i, &j) in left.iter().zip(&right) {
            assert!(
                self.shape()[i] == other.shape()[j],
                "tensordot: axis {i} of shape {} and axis {j} of shape {} differ in length",
                self.shape(),
                other.shape()
            );
        }
        let rank = self.rank();
        let of_other = |j| right.iter().position(|r| *r == j).map_or(rank + j, |pair| left[pair]);
        let labels: Vec<usize> = (0..other.rank()).map(of_other).collect();
        let output: Vec<usize> = (0..rank)
            .filter(|i| !left.contains(i))
            .chain(labels.iter().copied().filter(|l| *l >= rank))
            .collect();
        let a = Labelled { value: self.clone(), labels: (0..rank).collect() };
        let b = Labelled { value: other.clone(), labels };
        contracted(a, b, &|label| output.contains(&label)).arranged(&output)
    }

    /// The sum of products over the last axis of both; of a variable without axes the product.
    ///
    /// # Panics
    /// If the last axes differ in length.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let products = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).inner(&Var::from([1.0, 1.0]));
    /// assert_eq!(products.value().to_vec(), [3.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn inner(&self, other: &Var<T>) -> Var<T> {
        if self.rank() == 0 || other.rank() == 0 {
            return self * other;
        }
        let (a, b) = (self.shape(), other.shape());
        assert!(a.last() == b.last(), "inner: the last axes of shapes {a} and {b} differ in length");
        self.tensordot(other, &[-1], &[-1])
    }

    /// The sums of products along an axis, which goes away, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (x, y) = (Var::from([[1.0f64, 2.0], [3.0, 4.0]]), Var::from([5.0, 6.0]));
    /// assert_eq!(x.vecdot(&y, -1).value().to_vec(), [17.0, 39.0]);
    /// ```
    #[track_caller]
    pub fn vecdot(&self, other: &Var<T>, axis: impl Into<Axis>) -> Var<T> {
        let axis = broadcast_or_panic("vecdot", self.shape(), other.shape()).axis("vecdot", axis);
        (self * other).sum_axes(axis, false)
    }

    /// The product of two or more matrices in the order that takes the fewest multiplications (of more than eight, by the rule
    /// of [`einsum`](Var::einsum)). The first may be a row and the last a column, as vectors.
    ///
    /// # Panics
    /// If there are no operands, one is no matrix, or neighbours do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b, x) = (Var::<f64>::ones([50, 40]), Var::ones([40, 30]), Var::ones([30]));
    /// assert_eq!(Var::multi_dot(&[a, b, x]).value().to_vec(), [1200.0; 50]);
    /// ```
    #[doc(alias = "chain_matmul")]
    #[track_caller]
    pub fn multi_dot(matrices: &[impl Borrow<Var<T>>]) -> Var<T> {
        let matrices: Vec<&Var<T>> = matrices.iter().map(Borrow::borrow).collect();
        let last = matrices.len().checked_sub(1).expect("multi_dot: there are no matrices");
        // Label i stands between matrix i − 1 and matrix i.
        let mut lengths = vec![0; last + 2];
        let (mut operands, mut output) = (Vec::new(), Vec::new());
        for (i, matrix) in matrices.iter().enumerate() {
            let shape = matrix.shape();
            let labels = match (shape.len(), i) {
                (2, _) => vec![i, i + 1],
                (1, 0) => vec![1],
                (1, i) if i == last => vec![i],
                _ => panic!("multi_dot: operand {i} of shape {shape} is no matrix"),
            };
            for (&label, &length) in labels.iter().zip(shape.iter()) {
                // What begins here, or is there already.
                let is_new = label != i || i == 0;
                assert!(
                    is_new || lengths[label] == length,
                    "multi_dot: operands {} and {i} of shapes {} and {shape} do not fit",
                    i.saturating_sub(1),
                    matrices[i.saturating_sub(1)].shape()
                );
                lengths[label] = length;
            }
            let ends = labels.iter().copied().filter(|&label| label == 0 || label == last + 1);
            output.extend(ends);
            operands.push(Labelled { value: (*matrix).clone(), labels });
        }
        reduced(operands, &output, &lengths).arranged(&output)
    }

    /// The Kronecker product: a copy of `other` times each element. The shape with fewer axes counts as one with leading
    /// axes of length 1.
    ///
    /// # Panics
    /// If the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let product = Var::from([1.0f64, 10.0]).kron(&Var::from([1.0, 2.0, 3.0]));
    /// assert_eq!(product.value().to_vec(), [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
    /// ```
    #[track_caller]
    pub fn kron(&self, other: &Var<T>) -> Var<T> {
        let rank = self.rank().max(other.rank());
        let padded = |x: &Var<T>| -> Shape {
            std::iter::repeat_n(1, rank - x.rank()).chain(x.shape().iter().copied()).collect()
        };
        let (a, b) = (padded(self), padded(other));
        let apart: Shape = a.iter().zip(b.iter()).flat_map(|(&m, &n)| [m, n]).collect();
        if !apart.fits() {
            size::too_many("kron", &format!("shape {} times shape {} has", self.shape(), other.shape()));
        }
        if rank == 0 {
            return self * other;
        }
        kronecker::kron(&self.reshape(a), &other.reshape(b))
    }

    /// The sums of the main diagonals of the last two axes.
    ///
    /// # Panics
    /// If there are fewer than two axes, or a matrix has more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([[1.0f64, 2.0], [3.0, 4.0]]).trace().item(), 5.0);
    /// ```
    #[track_caller]
    pub fn trace(&self) -> Var<T> {
        assert!(self.rank() >= 2, "trace: shape {} has fewer than two axes", self.shape());
        self.diagonal(0).sum_axes(-1, false)
    }

    /// The vector products of three-vectors along an axis, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or there is no such axis of length 3 in both.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (x, y) = (Var::from([1.0f64, 0.0, 0.0]), Var::from([0.0, 1.0, 0.0]));
    /// assert_eq!(x.cross(&y, -1).value().to_vec(), [0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn cross(&self, other: &Var<T>, axis: impl Into<Axis>) -> Var<T> {
        let shape = broadcast_or_panic("cross", self.shape(), other.shape());
        let axis = shape.axis("cross", axis);
        // Counted from the end, where the shapes are aligned.
        let from_end = shape.len() - axis;
        let length = |x: &Var<T>| x.rank().checked_sub(from_end).map_or(1, |axis| x.shape()[axis]);
        assert!(
            length(self) == 3 && length(other) == 3,
            "cross: axis {axis} of shapes {} and {} is not of length 3 in both",
            self.shape(),
            other.shape()
        );
        let (a, b) = (self.broadcast_to(&shape), other.broadcast_to(&shape));
        a.roll(-1, axis) * b.roll(-2, axis) - a.roll(-2, axis) * b.roll(-1, axis)
    }
}

/// The positions of axes, all different.
#[track_caller]
pub(super) fn different_axes(operation: &str, shape: &Shape, axes: &[isize]) -> Vec<usize> {
    let mut positions = Vec::with_capacity(axes.len());
    for &axis in axes {
        let position = shape.axis(operation, axis);
        assert!(!positions.contains(&position), "{operation}: axis {axis} of shape {shape} is given twice");
        positions.push(position);
    }
    positions
}
