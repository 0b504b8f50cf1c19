use std::fmt::{self, Display, Formatter};

use wengert_tensor::linalg::LinalgError;

/// A matrix that an operation could not factor, or not solve with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixError {
    operation: &'static str,
    matrix: usize,
    matrices: usize,
    cause: LinalgError,
}

impl MatrixError {
    pub(super) fn new(operation: &'static str, matrix: usize, matrices: usize, cause: LinalgError) -> Self {
        MatrixError { operation, matrix, matrices, cause }
    }

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Which matrix of the batch it was, counted from 0 in the order of the elements; the first if there are several.
    pub fn matrix(&self) -> usize {
        self.matrix
    }

    /// What was wrong with it.
    pub fn cause(&self) -> LinalgError {
        self.cause
    }
}

impl Display for MatrixError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.cause)?;
        if self.matrices > 1 {
            write!(f, "; matrix {} of {}, counted from 0", self.matrix, self.matrices)?;
        }
        Ok(())
    }
}

impl std::error::Error for MatrixError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
