//! Diagonals and triangles of matrices.

use wengert_tensor::size::{self, check_positions};
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// The part of each matrix on and below, or on and above, a diagonal.
#[derive(Clone)]
struct Triangle {
    lower: bool,
    offset: isize,
}

impl<T: Float> LinearMap<T> for Triangle {
    fn name(&self) -> &str {
        if self.lower { "tril" } else { "triu" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("offset", self.offset);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        if self.lower { x.tril(self.offset) } else { x.triu(self.offset) }
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.clone())
    }
    rules_compiled_here!(Triangle in LinearOp);
}

/// How many rows below the corner of the matrix a diagonal begins, and how many columns right of it.
fn below_and_right(offset: isize) -> (usize, usize) {
    if offset < 0 { (offset.unsigned_abs(), 0) } else { (0, offset.unsigned_abs()) }
}

/// A diagonal's positions in flattened matrices of a shape, of at most 2³² elements each.
pub(super) fn positions(shape: &Shape, offset: isize) -> Tensor<u32> {
    let (rows, columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let (down, right) = below_and_right(offset);
    let length = rows.saturating_sub(down).min(columns.saturating_sub(right));
    let index: Vec<u32> = (0..length).map(|i| ((i + down) * columns + i + right) as u32).collect();
    Tensor::vector(&index)
}

impl<T: Float> Var<T> {
    /// The lower triangles of the last two axes, 0 above the diagonal `offset`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, offset: isize) -> Var<T> {
        self.linear(Triangle { lower: true, offset })
    }

    /// The upper triangles of the last two axes, 0 below the diagonal `offset`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, offset: isize) -> Var<T> {
        self.linear(Triangle { lower: false, offset })
    }

    /// The diagonals of the last two axes; `offset` counts to the right.
    ///
    /// # Panics
    /// If there are fewer than two axes, or a matrix has more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diagonal(0).value().to_vec(), [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1).value().to_vec(), [2.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize) -> Var<T> {
        assert!(self.rank() >= 2, "diagonal: shape {} has fewer than two axes", self.shape());
        let (rows, columns) = (self.shape()[self.rank() - 2], self.shape()[self.rank() - 1]);
        check_positions("diagonal", rows * columns);
        self.flatten(-2, -1).index_select(-1, positions(self.shape(), offset))
    }

    /// Matrices with the last axis on the diagonal `offset` and 0 elsewhere.
    ///
    /// # Panics
    /// If there is no axis, or a matrix has more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let matrix = Var::from([1.0f64, 2.0]).diag(0);
    /// assert_eq!(matrix.value().to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Var<T> {
        let last = self.shape().axis("diag", -1);
        let length = self.shape()[last];
        let side = length.saturating_add(offset.unsigned_abs());
        if !Shape::from([side, side]).fits() {
            size::too_many(
                "diag",
                &format!("matrices with shape {} on diagonal {offset} have", self.shape()),
            );
        }
        check_positions("diag", side * side);
        let (down, right) = below_and_right(offset);
        let index: Vec<u32> = (0..length).map(|i| ((i + down) * side + i + right) as u32).collect();
        let lead = &self.shape()[..last];
        let flat: Shape = lead.iter().copied().chain([side * side]).collect();
        let matrices: Shape = lead.iter().copied().chain([side, side]).collect();
        Var::zeros(flat).index_add(-1, Tensor::vector(&index), self).reshape(matrices)
    }
}
