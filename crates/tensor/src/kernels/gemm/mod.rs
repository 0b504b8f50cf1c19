//! Matrix products, `C = α·A·B + β·C`, for matrices of any strides.
//!
//! [`gemm`] takes checked views of slices. Underneath, a blocked driver copies ("packs") blocks of A and B into buffers
//! that suit the caches, and a micro-kernel for the CPU's instruction set multiplies them tile by tile; operands
//! that are small or lie well are read in place. The blocking is that of K. Goto and R. van de Geijn,
//! "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008. On CPUs with neither AVX-512 nor AVX2 the
//! `matrixmultiply` crate does the work.
//!
//! Each element of C is summed in an order that depends on k alone (for the product of a matrix and a vector also on
//! which of the matrix's strides is 1), so the number of threads does not change a bit of the result.

mod bf16;
mod blocks;
// Of these four, other processors use a part.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod dots;
mod driver;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod kernel;
mod panels;
mod portable;
mod rounding;
mod source;
mod together;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod vector;
mod vector_product;
mod view;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod windows;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

pub(crate) use bf16::{is_rounded, product};
pub use bf16::{with_bf16_products, with_full_products};
pub(crate) use dots::Dots;
pub(crate) use driver::{Output, PARALLEL_WORK, Product};
pub(crate) use panels::Panels;
pub(crate) use source::{Rows, Source, Strided, copy_run};
pub use view::{MatrixMut, MatrixRef};
pub(crate) use windows::Windows;

use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::parallel;
use crate::machine::simd::{self, Level};

/// `C = alpha · A · B + beta · C`, for single matrices or batches of them.
///
/// C is not read if `beta` is 0, so it may hold anything, even NaN; A and B are not read if `alpha` is 0 (so
/// that a NaN in them does not reach C). The result has the same bits for any number of threads.
///
/// # Panics
/// If the shapes do not fit (A `m × k`, B `k × n`, C `m × n`) or the batches differ.
///
/// ```
/// use wengert_tensor::gemm::{gemm, MatrixMut, MatrixRef};
///
/// let a = [1.0, 2.0, 3.0, 4.0];
/// let b = [5.0, 6.0, 7.0, 8.0];
/// let mut c = [f64::NAN; 4];
/// gemm(
///     1.0,
///     MatrixRef::new(&a, 0, [2, 2], [2, 1]),
///     MatrixRef::new(&b, 0, [2, 2], [2, 1]).transposed(),
///     0.0,
///     MatrixMut::new(&mut c, 0, [2, 2], [2, 1]),
/// );
/// assert_eq!(c, [17.0, 23.0, 39.0, 53.0]);
/// ```
#[track_caller]
pub fn gemm<T: Float>(alpha: T, a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, beta: T, c: MatrixMut<'_, T>) {
    check(&a, &b, &c);
    gemm_at(simd::level(), alpha, a, b, beta, c);
}

/// Panics unless the shapes and the batches fit.
#[track_caller]
fn check<T: Float>(a: &MatrixRef<'_, T>, b: &MatrixRef<'_, T>, c: &MatrixMut<'_, T>) {
    let ([m, k], [rows, n]) = (a.shape(), b.shape());
    assert!(k == rows, "gemm: inner dimensions differ: [{m}, {k}] × [{rows}, {n}] ({k} vs {rows})");
    assert!(c.shape() == [m, n], "gemm: the product has shape {:?}, the output {:?}", [m, n], c.shape());
    let [count, a_count, b_count] = [c.layout(), a.layout(), b.layout()].map(|layout| layout.extents[0]);
    assert!(a_count == count && b_count == count, "gemm: batches differ: {a_count} × {b_count} into {count}");
}

compiled_here! {
    /// [`gemm`] with the kernels of a level that the CPU has.
    fn gemm_at<T: Float>(
        level: Level,
        alpha: T,
        a: MatrixRef<'_, T>,
        b: MatrixRef<'_, T>,
        beta: T,
        c: MatrixMut<'_, T>,
    ) {
        check(&a, &b, &c);
        let mut c = c;
        let ([m, k], [_, n]) = (a.shape(), b.shape());
        // Without elements, the number of matrices and their distances are anything.
        if m == 0 || n == 0 {
            return;
        }
        let out = *c.layout();
        let c = Output { start: c.start(), row: out.strides[1], column: out.strides[2] };
        let count = out.extents[0];
        let matrix = |m: &MatrixRef<'_, T>, batch: usize| {
            let [step, row, column] = m.layout().strides;
            Strided { start: m.start().wrapping_offset(batch as isize * step), row, column }
        };
        let multiply = |batch: usize, threaded: bool| {
            let c = c.shifted(batch as isize * out.strides[0]);
            let (a, b) = (matrix(&a, batch), matrix(&b, batch));
            // SAFETY: the views were checked against their slices when they were made (`Layout::checked`), C is
            // borrowed mutably and so apart from A and B, its elements are distinct (`Layout::check_distinct`), and the
            // level comes from detection.
            unsafe { multiply(level, [m, n, k], alpha, a, b, beta, c, threaded) };
        };
        for_each_of_batch(count, [m, n, k], multiply);
    }
}

/// Calls `multiply(i, threaded)` for each product of a batch: many are shared out to the threads, of few each is.
fn for_each_of_batch(count: usize, [m, n, k]: [usize; 3], multiply: impl Fn(usize, bool) + Sync + Send) {
    let threads = parallel::threads();
    let large = m.saturating_mul(n).saturating_mul(k).saturating_mul(count) >= PARALLEL_WORK;
    if large && count >= threads && threads > 1 {
        parallel::for_each(count, true, |i| multiply(i, false));
    } else {
        (0..count).for_each(|i| multiply(i, true));
    }
}

/// One product of matrices in memory.
///
/// # Safety
/// As for [`Product::run`].
#[allow(clippy::too_many_arguments)]
unsafe fn multiply<T: Float>(
    level: Level,
    [m, n, k]: [usize; 3],
    alpha: T,
    a: Strided<T>,
    b: Strided<T>,
    beta: T,
    c: Output<T>,
    threaded: bool,
) {
    let product = |m, n, a, b, c| {
        let product = Product { m, n, k, alpha, a, b, beta, c };
        // SAFETY: passed on.
        unsafe { if threaded { product.run(level) } else { product.run_here(level) } }
    };
    if k > 0 && alpha != T::ZERO {
        let by_column = (n == 1).then_some((m, a, b, c));
        let flipped = Output { row: c.column, column: c.row, ..c };
        let by_row = (m == 1).then_some((n, b.transposed(), a.transposed(), flipped));
        if let Some((m, a, x, y)) = by_column.or(by_row)
            && vector_product::suits(&a, m, k)
        {
            // SAFETY: passed on.
            return unsafe { vector_product::multiply(m, k, alpha, a, x, beta, y, threaded) };
        }
    }
    if Dots::<T>::suits_large(m, n, k)
        && level != Level::Baseline
        && alpha == T::ONE
        && (beta == T::ZERO || beta == T::ONE)
        && [a.column, b.row, c.column, c.row] == [1, 1, 1, n as isize]
        && let (Ok(a_row), Ok(b_row)) = (a.row.try_into(), b.column.try_into())
    {
        let dots = Dots { m, n, k, a: a.start, a_row, b: b.start, b_row, add: beta == T::ONE, c: c.start };
        // SAFETY: passed on.
        return unsafe { dots.run_in_tasks(level, threaded) };
    }
    // Vectors run along the columns of C, which should be adjacent: else compute Cᵀ = Bᵀ·Aᵀ.
    if c.column != 1 && c.row == 1 {
        let c = Output { row: c.column, column: c.row, ..c };
        product(n, m, &b.transposed(), &a.transposed(), c);
    } else {
        product(m, n, &a, &b, c);
    }
}
