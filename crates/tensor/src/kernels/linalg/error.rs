use std::fmt::{self, Display, Formatter};

/// Why a matrix was not factored or not solved with. Rows are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinalgError {
    /// An element is infinite or NaN.
    NotFinite,
    /// What elimination left of the diagonal in this row is not positive beyond rounding.
    NotPositiveDefinite {
        /// The row.
        row: usize,
    },
    /// A pivot, in this row, is 0 or beside the largest nothing but rounding.
    Singular {
        /// The row, after any exchanges.
        row: usize,
    },
    /// The determinant, whose logarithm was asked for, is negative.
    NegativeDeterminant,
    /// The iteration for the eigenvalues or singular values did not end.
    NoConvergence,
}

impl Display for LinalgError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite => f.write_str("the matrix is not finite"),
            Self::NotPositiveDefinite { row } => write!(f, "the matrix is not positive definite (row {row})"),
            Self::Singular { row } => write!(f, "the matrix is singular (row {row})"),
            Self::NegativeDeterminant => f.write_str("the determinant is negative"),
            Self::NoConvergence => f.write_str("the eigenvalues or singular values did not converge"),
        }
    }
}

impl std::error::Error for LinalgError {}
