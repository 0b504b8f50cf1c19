//! Factorisations of dense matrices, row by row in a slice, for `f32` and `f64`.
//!
//! [`Cholesky`], [`Lu`], [`Qr`] and [`solve_triangular`] are made of matrix products and serve thousands of rows; [`svd`] and
//! [`symmetric_eigen`] go through the matrix row by row as well and serve a thousand or two; the others are loops, O(n³), for
//! hundreds.
//! All of them give the same bits for any number of threads. A matrix that cannot be factored, or not be solved with, is a
//! [`LinalgError`]; slices whose length does not fit the size are a panic.

mod cholesky;
mod eigen;
mod error;
mod exponential;
mod ldl;
mod lower;
mod lu;
mod qr;
mod reflectors;
mod rows;
mod scales;
mod svd;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_range;
#[cfg(test)]
mod tests_of_solvers;
#[cfg(test)]
mod tests_of_spectra;
mod triangular;

pub use cholesky::Cholesky;
pub use eigen::symmetric_eigen;
pub use error::LinalgError;
pub use exponential::exponential;
pub use ldl::Ldl;
pub use lu::Lu;
#[doc(hidden)]
pub use lu::{solve_transposed_with, solve_with};
pub use qr::{Qr, Triangular, dependent_row};
#[doc(hidden)]
pub use scales::{Scales, exponent, solve_scaled, times_power};
pub use svd::{Svd, svd};
pub use triangular::{Triangle, solve_triangular};

#[track_caller]
fn check_square<T>(operation: &str, a: &[T], n: usize) {
    if n.checked_mul(n) != Some(a.len()) {
        panic!("{operation}: a matrix of {} elements is not {n} × {n}", a.len());
    }
}

#[track_caller]
fn check_right_hand_side<T>(operation: &str, b: &[T], n: usize) {
    assert!(b.len() == n, "{operation}: right-hand side of {}, matrix of {n} rows", b.len());
}

/// `b` is `n` rows of `columns`.
#[track_caller]
fn check_right_hand_sides<T>(operation: &str, b: &[T], n: usize, columns: usize) {
    let fits = n.checked_mul(columns) == Some(b.len());
    assert!(fits, "{operation}: right-hand sides of {} elements are not {n} rows of {columns}", b.len());
}
