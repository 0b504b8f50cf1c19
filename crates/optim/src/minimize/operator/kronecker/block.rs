//! One block of a Kronecker-factored matrix.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wengert_tensor::gemm::{MatrixRef, gemm};

use super::{view, view_mut};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::vector::{self, Float};

/// A ⊗ G for the weight W of a layer, stored row by row, `outputs` × `inputs`: its product with V, of W's shape, is G V A.
/// With a bias, that is a last column of W, and A has the dimension `inputs` + 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KroneckerBlock<T: Float> {
    pub(super) layout: Place,
    /// A.
    #[serde(with = "vector::serde")]
    pub(super) inputs: Vec<T>,
    /// G.
    #[serde(with = "vector::serde")]
    pub(super) outputs: Vec<T>,
}

/// Where a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    weight: usize,
    bias: Option<usize>,
    /// The dimension of G.
    pub(super) rows: usize,
    /// The dimension of A.
    pub(super) columns: usize,
}

/// Memory that products reuse.
pub(super) struct Scratch<T> {
    vector: Vec<T>,
    product: Vec<T>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Scratch { vector: Vec::new(), product: Vec::new() }
    }
}

impl<T: Float> KroneckerBlock<T> {
    /// The block whose weight starts at the variable `weight` and whose bias at `bias`, with the symmetric factors A, `inputs`,
    /// and G, `outputs`.
    ///
    /// # Panics
    /// If a factor is not square, or A does not leave room for a bias that there is.
    #[track_caller]
    pub fn new(weight: usize, bias: Option<usize>, inputs: Vec<T>, outputs: Vec<T>) -> Self {
        let [columns, rows] = [inputs.len().isqrt(), outputs.len().isqrt()];
        assert!(
            columns * columns == inputs.len() && rows * rows == outputs.len(),
            "kronecker: factors of {} and {} elements are not both square",
            inputs.len(),
            outputs.len()
        );
        assert!(bias.is_none() || columns > 0, "kronecker: an empty factor has no column for the bias");
        Self { layout: Place { weight, bias, rows, columns }, inputs, outputs }
    }

    /// Where the weight starts.
    pub fn weight(&self) -> usize {
        self.layout.weight
    }

    /// Where the bias starts.
    pub fn bias(&self) -> Option<usize> {
        self.layout.bias
    }

    /// A, row by row.
    pub fn inputs(&self) -> &[T] {
        &self.inputs
    }

    /// G, row by row.
    pub fn outputs(&self) -> &[T] {
        &self.outputs
    }

    /// Whether a block from a checkpoint has factors of the sizes that its place says.
    pub(super) fn check(&self) -> Result<(), MinimizeError> {
        Field("inputs").vector(&self.inputs, self.layout.columns.saturating_mul(self.layout.columns))?;
        Field("outputs").vector(&self.outputs, self.layout.rows.saturating_mul(self.layout.rows))
    }

    #[track_caller]
    pub(super) fn average(&mut self, decay: f64, newer: &Self) {
        assert!(
            self.layout == newer.layout,
            "average: a block at {:?}, the newer one at {:?}",
            self.layout,
            newer.layout
        );
        vector::axpby(1.0 - decay, &newer.inputs, decay, &mut self.inputs);
        vector::axpby(1.0 - decay, &newer.outputs, decay, &mut self.outputs);
    }

    pub(super) fn is_finite(&self) -> bool {
        vector::all_finite(&self.inputs) && vector::all_finite(&self.outputs)
    }

    pub(super) fn add_diagonal(&self, out: &mut [T]) {
        let Place { weight, bias, rows, columns } = self.layout;
        let inputs = self.layout.inputs();
        for row in 0..rows {
            let g = self.outputs[row * (rows + 1)];
            for column in 0..inputs {
                let at = weight + row * inputs + column;
                out[at] += g * self.inputs[column * (columns + 1)];
            }
            if let Some(bias) = bias {
                out[bias + row] += g * self.inputs[inputs * (columns + 1)];
            }
        }
    }
}

impl Place {
    /// The variables of the weight and of the bias; `None` if they are more than can be counted, or there is no column for
    /// the bias.
    pub(super) fn ranges(&self) -> Option<[Range<usize>; 2]> {
        let &Place { weight, bias, rows, columns } = self;
        let inputs = columns.checked_sub(usize::from(bias.is_some()))?;
        let end = weight.checked_add(rows.checked_mul(inputs)?)?;
        let bias = match bias {
            Some(start) => start..start.checked_add(rows)?,
            None => 0..0,
        };
        Some([weight..end, bias])
    }

    /// The columns without the bias.
    fn inputs(&self) -> usize {
        self.columns - usize::from(self.bias.is_some())
    }

    /// Zeros in the block's part of `out`.
    pub(super) fn clear<T: Float>(&self, out: &mut [T]) {
        out[self.weight..][..self.rows * self.inputs()].fill(T::ZERO);
        if let Some(bias) = self.bias {
            out[bias..][..self.rows].fill(T::ZERO);
        }
    }

    /// V, the block's part of `v`, as a matrix in the scratch memory.
    pub(super) fn gather<T: Float>(&self, v: &[T], scratch: &mut Scratch<T>) {
        let inputs = self.inputs();
        scratch.vector.clear();
        for row in 0..self.rows {
            scratch.vector.extend_from_slice(&v[self.weight + row * inputs..][..inputs]);
            scratch.vector.extend(self.bias.map(|bias| v[bias + row]));
        }
        scratch.product.resize(self.rows * self.columns, T::ZERO);
    }

    /// Adds the matrix in the scratch memory to the block's part of `out`.
    pub(super) fn scatter<T: Float>(&self, scratch: &Scratch<T>, out: &mut [T]) {
        let inputs = self.inputs();
        for (row, values) in scratch.vector.chunks_exact(self.columns.max(1)).enumerate() {
            vector::axpy(1.0, &values[..inputs], &mut out[self.weight + row * inputs..][..inputs]);
            if let Some(bias) = self.bias {
                out[bias + row] += values[inputs];
            }
        }
    }

    /// A square matrix of the dimension of G, and one of the dimension of A.
    pub(super) fn views<'a, T: Float>(
        &self,
        left: &'a [T],
        right: &'a [T],
    ) -> (MatrixRef<'a, T>, MatrixRef<'a, T>) {
        (view(left, [self.rows; 2]), view(right, [self.columns; 2]))
    }
}

impl<T: Float> Scratch<T> {
    /// V ← L V R.
    pub(super) fn multiply(&mut self, (left, right): (MatrixRef<'_, T>, MatrixRef<'_, T>)) {
        let shape = [left.shape()[0], right.shape()[0]];
        let Scratch { vector, product } = self;
        gemm(T::ONE, view(vector, shape), right, T::ZERO, view_mut(product, shape));
        gemm(T::ONE, left, view(product, shape), T::ZERO, view_mut(vector, shape));
    }

    /// V ← V ∘ D.
    pub(super) fn scale(&mut self, by: &[T]) {
        vector::multiply(by, &mut self.vector);
    }
}
