//! Factorisations of dense matrices, row by row in a slice, for `f32` and `f64`.
//!
//! [`Cholesky`] is made of matrix products and serves thousands of rows; the others are plain loops, O(n³), for hundreds.
//! All of them give the same bits for any number of threads. A matrix that cannot be factored, or not be solved with, is a
//! [`LinalgError`]; slices whose length does not fit the size are a panic.

mod cholesky;
mod eigen;
mod error;
mod ldl;
mod lower;
mod qr;
#[cfg(test)]
mod tests;

pub use cholesky::Cholesky;
pub use eigen::symmetric_eigen;
pub use error::LinalgError;
pub use ldl::Ldl;
pub use qr::{Qr, Triangular};

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
