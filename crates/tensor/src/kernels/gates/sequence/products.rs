//! The product of each step: rows of a state with weights that stay the same.

use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, Output, Panels, Product, Strided, gemm};
use crate::machine::simd::{self, Level};

/// Rows from which weights are worth packing: before, a product reads them once.
const WORTH_PACKING: usize = 4;

/// The right operand of all products.
pub(super) struct Weights<'a, T> {
    matrix: MatrixRef<'a, T>,
    packed: Option<(Level, &'a Panels<'a, T>)>,
}

/// Some columns of a matrix whose rows are of `width` elements.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, T> {
    pub(super) data: &'a [T],
    pub(super) width: usize,
    pub(super) first: usize,
}

impl<'a, T: Float> Columns<'a, T> {
    /// All columns.
    pub(super) fn all(data: &'a [T], width: usize) -> Self {
        Columns { data, width, first: 0 }
    }

    /// The columns of one row, `length` of them.
    #[inline(always)]
    pub(super) fn row(&self, row: usize, length: usize) -> &'a [T] {
        &self.data[row * self.width + self.first..][..length]
    }
}

/// Calls `work` with the weights `[rows, columns]` in `data`, or if they are stored `transposed`, `[columns, rows]`; packed if the
/// batch is worth it. That depends on the batch alone, since a product with one row has other bits than one with several.
pub(super) fn with_weights<T: Float, R>(
    data: &[T],
    [rows, columns]: [usize; 2],
    transposed: bool,
    batch: usize,
    work: impl FnOnce(&Weights<'_, T>) -> R,
) -> R {
    let matrix = match transposed {
        true => MatrixRef::row_major(data, [columns, rows]).transposed(),
        false => MatrixRef::row_major(data, [rows, columns]),
    };
    if batch < WORTH_PACKING {
        return work(&Weights { matrix, packed: None });
    }
    let [row, column] = if transposed { [1, rows as isize] } else { [columns as isize, 1] };
    let level = simd::level();
    let lying = Strided { start: data.as_ptr(), row, column };
    // SAFETY: `row_major` has checked that all elements are in `data`.
    unsafe {
        Panels::with(level, lying, [rows, columns], |panels| {
            work(&Weights { matrix, packed: Some((level, panels)) })
        })
    }
}

impl<T: Float> Weights<'_, T> {
    /// `out ← x · weights + beta · out` for rows of `out`, on several threads if `threaded`.
    pub(super) fn multiply(&self, x: Columns<'_, T>, beta: T, out: &mut [T], threaded: bool) {
        let [k, n] = self.matrix.shape();
        let rows = out.len() / n;
        let x_ref = MatrixRef::new(x.data, x.first, [rows, k], [x.width as isize, 1]);
        let Some((level, panels)) = self.packed else {
            return gemm(T::ONE, x_ref, self.matrix, beta, MatrixMut::row_major(out, [rows, n]));
        };
        let a = Strided { start: x.data.as_ptr().wrapping_add(x.first), row: x.width as isize, column: 1 };
        let c = Output { start: out.as_mut_ptr(), row: n as isize, column: 1 };
        let product = Product { m: rows, n, k, alpha: T::ONE, a: &a, b: panels, beta, c };
        // SAFETY: `x_ref` was checked to lie within its slice, `out` has `rows · n` elements, is borrowed mutably and so apart
        // from both operands; the panels are `[k, n]`, packed at this level, which comes from detection.
        unsafe { if threaded { product.run(level) } else { product.run_here(level) } }
    }
}
