//! Checks of single fields of a checkpoint.

use std::fmt::Debug;

use super::error::MinimizeError;
use super::vector::Float;

/// `Debug`, for which 1e300 is not a number of 301 digits.
fn refused(field: &'static str, found: impl Debug, expected: String) -> MinimizeError {
    MinimizeError::Checkpoint { field, found: format!("{found:?}"), expected }
}

/// A field of a checkpoint, to be checked. Each check fails with [`MinimizeError::Checkpoint`].
pub(crate) struct Field(pub(crate) &'static str);

impl Field {
    /// The number of elements.
    pub(crate) fn length(&self, found: usize, expected: usize) -> Result<(), MinimizeError> {
        if found == expected {
            return Ok(());
        }
        Err(refused(self.0, format_args!("of {found} elements"), format!("of {expected}")))
    }

    /// A vector of so many finite elements.
    pub(crate) fn vector<T: Float>(&self, found: &[T], length: usize) -> Result<(), MinimizeError> {
        self.length(found.len(), length)?;
        self.all_finite(found)
    }

    /// A vector of so many finite elements, or of none.
    pub(crate) fn vector_or_empty<T: Float>(&self, found: &[T], length: usize) -> Result<(), MinimizeError> {
        if found.is_empty() { Ok(()) } else { self.vector(found, length) }
    }

    /// A square matrix of so many rows and finite elements, or nothing.
    pub(crate) fn matrix_or_empty<T: Float>(&self, found: &[T], rows: usize) -> Result<(), MinimizeError> {
        self.vector_or_empty(found, rows.saturating_mul(rows))
    }

    /// Only finite elements.
    pub(crate) fn all_finite<T: Float>(&self, found: &[T]) -> Result<(), MinimizeError> {
        match found.iter().find(|x| !x.is_finite()) {
            Some(x) => Err(refused(self.0, x.to_f64(), "finite".to_owned())),
            None => Ok(()),
        }
    }

    /// A condition on a number.
    pub(crate) fn holds(
        &self,
        found: impl Debug,
        expected: &'static str,
        holds: bool,
    ) -> Result<(), MinimizeError> {
        if holds { Ok(()) } else { Err(refused(self.0, found, expected.to_owned())) }
    }

    /// Finite and above 0.
    pub(crate) fn positive(&self, found: f64) -> Result<(), MinimizeError> {
        self.holds(found, "positive", found > 0.0 && found.is_finite())
    }

    /// Finite and at least 0.
    pub(crate) fn non_negative(&self, found: f64) -> Result<(), MinimizeError> {
        self.holds(found, "at least 0", found >= 0.0 && found.is_finite())
    }
}
