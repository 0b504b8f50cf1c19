//! Conversion to and from the arrays and matrices of other crates, each with a feature of its crate's name.

#[cfg(feature = "ndarray")]
mod arrays;
#[cfg(feature = "faer")]
mod faer;
#[cfg(any(feature = "faer", feature = "nalgebra"))]
mod matrix;
#[cfg(feature = "nalgebra")]
mod nalgebra;
