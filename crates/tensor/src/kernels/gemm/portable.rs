//! Products on CPUs without kernels of ours: the `matrixmultiply` crate, block by block.

use std::ops::Range;

use super::driver::Product;
use super::source::{Source, Strided};
use crate::array::element::{ElementKind, Float};
use crate::kernels::scratch::{Slot, with_scratch};

/// Rows and terms of a block of an operand that has to be copied before it is a matrix.
const BLOCK: usize = 256;

/// Computes a block of C.
///
/// # Safety
/// As for [`Product::run`]; the block must lie within C, and `k` must not be 0.
pub(super) unsafe fn block<T: Float, A: Source<T>, B: Source<T>>(
    product: &Product<'_, T, A, B>,
    rows: Range<usize>,
    columns: Range<usize>,
) {
    let (a, b) = (product.a.in_memory(), product.b.in_memory());
    // Copied operands are multiplied in blocks of bounded size, the others as they are.
    let depth = if a.is_some() && b.is_some() { product.k } else { BLOCK };
    let height = if a.is_some() { rows.len() } else { BLOCK };
    let width = if b.is_some() { columns.len() } else { BLOCK };
    for j in columns.clone().step_by(width) {
        let columns = j..columns.end.min(j + width);
        for start in (0..product.k).step_by(depth) {
            let terms = start..product.k.min(start + depth);
            let beta = if start == 0 { product.beta } else { T::ONE };
            // SAFETY: the ranges are parts of the operands'.
            unsafe {
                with_matrix(product.b, Slot::Right, terms.clone(), columns.clone(), |b| {
                    for i in rows.clone().step_by(height) {
                        let rows = i..rows.end.min(i + height);
                        with_matrix(product.a, Slot::Left, rows.clone(), terms.clone(), |a| {
                            let c = Strided {
                                start: product.c.at(rows.start, columns.start).cast_const(),
                                row: product.c.row,
                                column: product.c.column,
                            };
                            let sizes = [rows.len(), terms.len(), columns.len()];
                            multiply(sizes, product.alpha, a, b, beta, c);
                        });
                    }
                });
            }
        }
    }
}

/// Calls `work` with a block of an operand, copied if it is not in memory.
///
/// # Safety
/// The block must lie within the operand.
unsafe fn with_matrix<T: Float>(
    source: &impl Source<T>,
    slot: Slot,
    rows: Range<usize>,
    columns: Range<usize>,
    work: impl FnOnce(Strided<T>),
) {
    if let Some(matrix) = source.in_memory() {
        return work(Strided { start: matrix.at(rows.start, columns.start), ..matrix });
    }
    let width = columns.len();
    with_scratch(slot, rows.len() * width, |buffer| {
        // SAFETY: the buffer was made for the block.
        unsafe { source.copy(rows, columns, buffer, width) };
        work(Strided { start: buffer, row: width as isize, column: 1 });
    });
}

/// `C = alpha · A · B + beta · C` by `matrixmultiply`; `sizes` are m, k, n.
///
/// # Safety
/// The matrices must have all their elements, and C's must be writable and apart.
unsafe fn multiply<T: Float>(
    [m, k, n]: [usize; 3],
    alpha: T,
    a: Strided<T>,
    b: Strided<T>,
    beta: T,
    c: Strided<T>,
) {
    let (alpha, beta) = (alpha.to_f64(), beta.to_f64());
    // SAFETY: `T` is what the type test says, and the matrices are as the caller guarantees.
    unsafe {
        if T::KIND == ElementKind::F32 {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                alpha as f32,
                a.start.cast(),
                a.row,
                a.column,
                b.start.cast(),
                b.row,
                b.column,
                beta as f32,
                c.start.cast_mut().cast(),
                c.row,
                c.column,
            );
        } else {
            matrixmultiply::dgemm(
                m,
                k,
                n,
                alpha,
                a.start.cast(),
                a.row,
                a.column,
                b.start.cast(),
                b.row,
                b.column,
                beta,
                c.start.cast_mut().cast(),
                c.row,
                c.column,
            );
        }
    }
}
