//! Products of a matrix and a vector, which are as fast as the matrix can be read.

use super::driver::Output;
use super::source::{Source, Strided};
use crate::array::element::Float;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Elements of the matrix that make a task.
const TASK: usize = 1 << 16;
/// Elements of the matrix below which a product stays on the calling thread.
const PARALLEL: usize = 1 << 18;
/// Independent partial sums of a dot product.
const LANES: usize = 32;
/// Sums kept in the L1 cache while columns are added to them.
const SUMS: usize = 1024;
/// Terms of a part of a dot product that is long enough to be shared by threads.
const PART: usize = 1 << 15;
/// Rows of products whose dot products are shared by threads if they are long.
const FEW_ROWS: usize = 4;

/// Whether [`multiply`] takes a matrix of these strides.
pub(super) fn suits<T>(a: &Strided<T>, m: usize, k: usize) -> bool {
    (a.column == 1 || a.row == 1) && m.saturating_mul(k) >= 256
}

/// `y = alpha · A · x + beta · y` with A `m × k`; x is a column of `x`, y of `y`.
///
/// Each sum has an order that depends on the shape and on which of A's strides is 1.
///
/// # Safety
/// A, x and y must have all their elements, y's must be apart from each other and from A and x, k must not be 0,
/// and [`suits`] must have said yes.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn multiply<T: Float>(
    m: usize,
    k: usize,
    alpha: T,
    a: Strided<T>,
    x: Strided<T>,
    beta: T,
    y: Output<T>,
    threaded: bool,
) {
    let threaded = threaded && m.saturating_mul(k) >= PARALLEL;
    if a.column != 1 {
        let tasks = m.div_ceil(SUMS);
        return parallel::for_each(tasks, threaded, |task| {
            let first = task * SUMS;
            let len = SUMS.min(m - first);
            let a = Strided { start: a.at(first, 0), ..a };
            // SAFETY: rows `first` and on of A and y, which no other task writes.
            let y = unsafe { Output { start: y.at(first, 0), ..y } };
            dispatch(AddColumns { len, k, alpha, a, x, beta, y });
        });
    }
    with_scratch(Slot::Right, if x.row == 1 { 0 } else { k }, |buffer: *mut T| {
        let x = if x.row == 1 {
            x.start
        } else {
            // SAFETY: the buffer has room for the column.
            unsafe { x.copy(0..k, 0..1, buffer, 1) };
            buffer.cast_const()
        };
        // SAFETY: the vector has `k` elements, each row of A too.
        let vector = unsafe { std::slice::from_raw_parts(x, k) };
        if m <= FEW_ROWS && k >= 2 * PART {
            for i in 0..m {
                // SAFETY: as above.
                let row = unsafe { std::slice::from_raw_parts(a.at(i, 0), k) };
                let part = |p: usize| {
                    let range = p * PART..k.min((p + 1) * PART);
                    dispatch(Dot { a: &row[range.clone()], x: &vector[range] })
                };
                let sum = parallel::reduce(k.div_ceil(PART), threaded, part, |x, y| x + y);
                // SAFETY: element i is in y.
                unsafe { finish(alpha, sum.unwrap_or(T::ZERO), beta, y.at(i, 0)) };
            }
            return;
        }
        let height = (TASK / k).max(1);
        parallel::for_each(m.div_ceil(height), threaded, |task| {
            let first = task * height;
            let a = Strided { start: a.at(first, 0), ..a };
            // SAFETY: rows `first` and on of A and y, which no other task writes.
            let y = unsafe { Output { start: y.at(first, 0), ..y } };
            dispatch(DotRows { len: height.min(m - first), alpha, a, x: vector, beta, y });
        });
    });
}

/// `y = alpha · sum + beta · y`, without reading y if beta is 0.
///
/// # Safety
/// `y` must be writable, and hold a number if beta is not 0.
#[inline(always)]
unsafe fn finish<T: Float>(alpha: T, sum: T, beta: T, y: *mut T) {
    // SAFETY: as the caller guarantees.
    unsafe { *y = if beta == T::ZERO { alpha * sum } else { alpha * sum + beta * *y } };
}

/// The dot product of two slices of one length.
struct Dot<'a, T> {
    a: &'a [T],
    x: &'a [T],
}

impl<T: Float> Kernel for Dot<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<I: Isa>(self) -> T {
        let (a, a_rest) = self.a.as_chunks::<LANES>();
        let (x, x_rest) = self.x.as_chunks::<LANES>();
        let mut lanes = [T::ZERO; LANES];
        for (a, x) in a.iter().zip(x) {
            for l in 0..LANES {
                lanes[l] = I::mul_add(a[l], x[l], lanes[l]);
            }
        }
        // Through memory, or the compiler groups the sums by what is added last, in pairs, instead of by vectors.
        let mut lanes = std::hint::black_box(lanes);
        for (l, (&a, &x)) in a_rest.iter().zip(x_rest).enumerate() {
            lanes[l] = I::mul_add(a, x, lanes[l]);
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for l in 0..width {
                lanes[l] += lanes[l + width];
            }
        }
        lanes[0]
    }
}

/// Some rows of a product with a matrix whose rows are adjacent elements.
struct DotRows<'a, T> {
    len: usize,
    alpha: T,
    a: Strided<T>,
    x: &'a [T],
    beta: T,
    y: Output<T>,
}

impl<T: Float> Kernel for DotRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for i in 0..self.len {
            // SAFETY: `multiply` was promised a matrix of at least `len` rows as long as `x`, and as long an output.
            unsafe {
                let a = std::slice::from_raw_parts(self.a.at(i, 0), self.x.len());
                let sum = Dot { a, x: self.x }.run::<I>();
                finish(self.alpha, sum, self.beta, self.y.at(i, 0));
            }
        }
    }
}

/// Up to [`SUMS`] rows of a product with a matrix whose columns are adjacent elements.
struct AddColumns<T> {
    len: usize,
    k: usize,
    alpha: T,
    a: Strided<T>,
    x: Strided<T>,
    beta: T,
    y: Output<T>,
}

impl<T: Float> Kernel for AddColumns<T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { len, k, alpha, a, x, beta, y } = self;
        let mut sums = [T::ZERO; SUMS];
        let sums = &mut sums[..len];
        // SAFETY: `multiply` was promised a matrix of at least `len` rows and `k` columns, and a vector of `k`.
        let (column, factor) =
            unsafe { (|p: usize| std::slice::from_raw_parts(a.at(0, p), len), |p: usize| *x.at(p, 0)) };
        let whole = k / 4 * 4;
        for p in (0..whole).step_by(4) {
            let [c0, c1, c2, c3] = [column(p), column(p + 1), column(p + 2), column(p + 3)];
            let [x0, x1, x2, x3] = [factor(p), factor(p + 1), factor(p + 2), factor(p + 3)];
            for i in 0..len {
                let sum = I::mul_add(c1[i], x1, I::mul_add(c0[i], x0, sums[i]));
                sums[i] = I::mul_add(c3[i], x3, I::mul_add(c2[i], x2, sum));
            }
        }
        for p in whole..k {
            let (column, x) = (column(p), factor(p));
            sums.iter_mut().zip(column).for_each(|(sum, &a)| *sum = I::mul_add(a, x, *sum));
        }
        for (i, &sum) in sums.iter().enumerate() {
            // SAFETY: `multiply` was promised an output of at least `len` rows.
            unsafe { finish(alpha, sum, beta, y.at(i, 0)) };
        }
    }
}
