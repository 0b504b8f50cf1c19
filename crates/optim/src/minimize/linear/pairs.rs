use crate::minimize::rounding;
use serde::{Deserialize, Serialize};

use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// The last few pairs (s, y = change of the gradient over s) and the inverse BFGS matrix they stand for, applied
/// by the two-loop recursion (Nocedal, 1980): the heart of L-BFGS, and a preconditioner.
///
/// ```
/// use wengert_optim::Operator;
/// use wengert_optim::linear::CurvaturePairs;
///
/// let mut pairs = CurvaturePairs::new(2, 5);
/// assert!(pairs.push(&[1.0, 0.0], &[4.0, 0.0])); // curvature 4 along the first axis
/// let mut out = [0.0; 2];
/// pairs.apply(&[4.0, 0.0], &mut out);
/// assert_eq!(out, [1.0, 0.0]); // H y = s
/// assert!(!pairs.push(&[0.0, 1.0], &[0.0, -1.0])); // negative curvature is refused
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CurvaturePairs<T: Float> {
    dimension: usize,
    capacity: usize,
    /// Steps and changes, `dimension` elements each, oldest first.
    #[serde(with = "vector::serde")]
    steps: Vec<T>,
    #[serde(with = "vector::serde")]
    changes: Vec<T>,
    /// sᵀy of each pair.
    products: Vec<f64>,
    /// The initial inverse matrix is this times the identity.
    scaling: f64,
}

impl<T: Float> CurvaturePairs<T> {
    /// No pairs yet, room for `capacity`.
    pub fn new(dimension: usize, capacity: usize) -> Self {
        Self {
            dimension,
            capacity,
            steps: Vec::new(),
            changes: Vec::new(),
            products: Vec::new(),
            scaling: 1.0,
        }
    }

    /// Whether pairs from a checkpoint can be gone on from.
    pub(crate) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        let Self { dimension: own, capacity, steps, changes, products, scaling } = self;
        Field("pairs.dimension").holds(own, "that of the problem", *own == dimension)?;
        Field("pairs.products").holds(products.len(), "at most capacity", products.len() <= *capacity)?;
        let elements = products.len().saturating_mul(dimension);
        Field("pairs.steps").vector(steps, elements)?;
        Field("pairs.changes").vector(changes, elements)?;
        products.iter().try_for_each(|&product| Field("pairs.products").positive(product))?;
        Field("pairs.scaling").positive(*scaling)
    }

    /// The number of pairs held.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether no pair is held.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// Forgets all pairs.
    ///
    /// ```
    /// use wengert_optim::linear::CurvaturePairs;
    /// let mut pairs = CurvaturePairs::new(1, 5);
    /// pairs.push(&[1.0], &[2.0]);
    /// pairs.clear();
    /// assert_eq!(pairs.len(), 0);
    /// ```
    pub fn clear(&mut self) {
        self.steps.clear();
        self.changes.clear();
        self.products.clear();
        self.scaling = 1.0;
    }

    /// sᵀy / yᵀy of the latest pair (1 without any): the scale of the inverse matrix.
    pub fn scaling(&self) -> f64 {
        self.scaling
    }

    /// Pair `i`, 0 the oldest.
    ///
    /// ```
    /// use wengert_optim::linear::CurvaturePairs;
    /// let mut pairs = CurvaturePairs::new(1, 1);
    /// pairs.push(&[1.0], &[2.0]);
    /// pairs.push(&[3.0], &[9.0]);
    /// // There is room for one: the older is forgotten.
    /// assert_eq!(pairs.pair(0), (&[3.0][..], &[9.0][..]));
    /// ```
    pub fn pair(&self, i: usize) -> (&[T], &[T]) {
        let range = i * self.dimension..(i + 1) * self.dimension;
        (&self.steps[range.clone()], &self.changes[range])
    }

    /// Adds a pair, forgetting the oldest beyond the capacity. Refuses it, and returns false, unless its curvature is
    /// positive relative to its lengths: sᵀy > ε ‖s‖ ‖y‖.
    pub fn push(&mut self, step: &[T], change: &[T]) -> bool {
        if self.capacity == 0 {
            return false;
        }
        let (product, size) = (dot(step, change), vector::norm(change));
        if !(product > rounding::of_product::<T>(vector::norm(step), size)
            && product.is_finite()
            && size > 0.0)
        {
            return false;
        }
        if self.len() == self.capacity {
            self.steps.drain(..self.dimension);
            self.changes.drain(..self.dimension);
            self.products.remove(0);
        }
        self.steps.extend_from_slice(step);
        self.changes.extend_from_slice(change);
        self.products.push(product);
        self.scaling = product / size / size;
        true
    }

    /// `v = H v`, the inverse BFGS matrix.
    ///
    /// ```
    /// use wengert_optim::linear::CurvaturePairs;
    /// let mut pairs = CurvaturePairs::new(2, 5);
    /// pairs.push(&[1.0, 0.0], &[4.0, 0.0]);
    /// let mut v = [4.0, 0.0];
    /// pairs.apply_in_place(&mut v);
    /// assert_eq!(v, [1.0, 0.0]);
    /// ```
    pub fn apply_in_place(&self, v: &mut [T]) {
        let mut alphas = vec![0.0; self.len()];
        for i in (0..self.len()).rev() {
            let (s, y) = self.pair(i);
            alphas[i] = dot(s, v) / self.products[i];
            axpy(-alphas[i], y, v);
        }
        scale(self.scaling, v);
        for (i, alpha) in alphas.iter().enumerate() {
            let (s, y) = self.pair(i);
            axpy(alpha - dot(y, v) / self.products[i], s, v);
        }
    }
}

impl<T: Float> Operator<T> for CurvaturePairs<T> {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        out.copy_from_slice(v);
        self.apply_in_place(out);
    }
}
