//! Factorisations of small dense matrices, in `f64`, row by row in a slice.
//!
//! For hundreds of variables, not thousands: plain loops, O(n³).

mod cholesky;
mod eigen;
mod ldl;
mod qr;

pub use cholesky::Cholesky;
pub use eigen::symmetric_eigen;
pub use ldl::Ldl;
pub use qr::{Triangular, qr};

#[track_caller]
fn check_square(operation: &str, a: &[f64], n: usize) {
    assert!(a.len() == n * n, "{operation}: a matrix of {} elements is not {n} × {n}", a.len());
}

#[cfg(test)]
mod tests;
