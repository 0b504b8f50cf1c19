//! What pairs of rows have, as a matrix of all and as a list of those that differ: (0, 1), (0, 2), …, (1, 2), ….

use wengert_tensor::{Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;
use crate::var::Var;

/// The symmetric matrix of a list, with zeros on the diagonal.
#[derive(Clone)]
struct Symmetric {
    rows: usize,
}

/// Of a square matrix the list of mᵢⱼ + mⱼᵢ: the transpose of [`Symmetric`].
#[derive(Clone)]
struct Condensed;

pub(super) fn symmetric<T: Float>(list: &Var<T>, rows: usize) -> Var<T> {
    list.linear(Symmetric { rows })
}

pub(super) fn condensed<T: Float>(matrix: &Var<T>) -> Var<T> {
    matrix.linear(Condensed)
}

impl<T: Float> LinearMap<T> for Symmetric {
    fn name(&self) -> &str {
        "symmetric"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("rows", self.rows);
    }
    fn forward(&self, list: &Tensor<T>) -> Tensor<T> {
        let (rows, list) = (self.rows, list.contiguous());
        Tensor::written_for("symmetric", [rows, rows], |out| {
            let mut rest = slice(&list);
            for i in 0..rows {
                let (row, others) = rest.split_at(rows - i - 1);
                rest = others;
                out[i * rows + i] = T::ZERO;
                out[i * rows + i + 1..][..row.len()].copy_from_slice(row);
                for (j, &x) in row.iter().enumerate() {
                    out[(i + 1 + j) * rows + i] = x;
                }
            }
        })
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        condensed(cotangent)
    }
    rules_compiled_here!(Symmetric in LinearOp);
}

impl<T: Float> LinearMap<T> for Condensed {
    fn name(&self) -> &str {
        "condensed"
    }
    fn forward(&self, matrix: &Tensor<T>) -> Tensor<T> {
        let rows = matrix.dim(0);
        let matrix = matrix.contiguous();
        let elements = slice(&matrix);
        Tensor::written_for("condensed", [rows * rows.saturating_sub(1) / 2], |out| {
            let pairs = (0..rows).flat_map(|i| (i + 1..rows).map(move |j| (i, j)));
            for (o, (i, j)) in out.iter_mut().zip(pairs) {
                *o = elements[i * rows + j] + elements[j * rows + i];
            }
        })
    }
    fn transpose(&self, cotangent: &Var<T>, matrix: &Shape) -> Var<T> {
        symmetric(cotangent, matrix[0])
    }
    rules_compiled_here!(Condensed in LinearOp);
}
