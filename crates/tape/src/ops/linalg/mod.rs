//! Linear algebra over the last two axes, matrix by matrix along the others: factorisations, systems and functions of
//! matrices, with rules of any order. What cannot be factored or solved with is a [`MatrixError`].
//!
//! A rule that has to solve with a matrix again is given the factors that the value was made with as a further input; it
//! depends on the matrix through the matrix alone, so the factors count as constants there.

mod adjugate;
mod cholesky;
mod cofactors;
mod determinant;
mod eigen;
mod error;
mod exponential;
mod factors;
mod far;
mod function;
mod inverse;
mod least_squares;
mod lu;
mod matrices;
mod norms;
mod pseudo_inverse;
mod qr;
mod solve;
mod svd;
mod triangular;

pub use error::MatrixError;
pub use lu::LuFactors;
pub use norms::MatrixNorm;
pub use svd::SvdFactors;
