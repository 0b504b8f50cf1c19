//! The IDX format: the n-dimensional arrays that MNIST and its relatives are published in.
//!
//! A file is two zero bytes, a code for the element type, the number of dimensions, one big-endian `u32` per
//! dimension, and then the elements in row-major order, big-endian; the whole may be compressed by gzip.
//! Source: <https://yann.lecun.com/exdb/mnist/> (section "The IDX file format").
//!
//! Nothing is allocated on the word of a header: memory grows with the data that is really there, and never
//! past the size that the header claims, which in turn may not exceed a limit.
//!
//! ```
//! use wengert_data::idx::Idx;
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("ids.idx1");
//! let ids = Idx::new(vec![3i32, 1, 4, 1, 5], [5])?;
//! ids.write(&path)?;
//! assert_eq!(Idx::<i32>::read(&path)?, ids);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod element;
mod error;
mod header;
mod read;
mod write;

pub use element::{ElementType, IdxElement};
pub use error::IdxError;
pub use header::Header;
pub use read::LIMIT;

use wengert_tensor::{Shape, ShapeError};

/// The contents of an IDX file: elements in row-major order, and the lengths of the dimensions.
///
/// Read by [`Idx::read`] or [`Idx::read_from`], written by [`Idx::write`] or [`Idx::write_to`].
#[derive(Clone, Debug, PartialEq)]
pub struct Idx<T> {
    data: Vec<T>,
    shape: Shape,
}

impl<T: IdxElement> Idx<T> {
    /// The elements of `data` in row-major order.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    pub fn new(data: Vec<T>, shape: impl Into<Shape>) -> Result<Self, ShapeError> {
        let shape = shape.into();
        if shape.checked_count() != Some(data.len()) {
            return Err(ShapeError { shape, elements: data.len() });
        }
        Ok(Idx { data, shape })
    }

    /// Lengths of the dimensions.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The elements in row-major order, without a copy.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }

    /// The array, if it has `dimensions` dimensions.
    ///
    /// # Errors
    /// [`IdxError::WrongDimensions`] if it has another number of them.
    ///
    /// ```
    /// use wengert_data::idx::Idx;
    /// let images = Idx::new(vec![0u8; 8], [2, 2, 2])?;
    /// assert!(images.clone().with_dimensions(3).is_ok() && images.with_dimensions(1).is_err());
    /// # Ok::<(), wengert_tensor::ShapeError>(())
    /// ```
    pub fn with_dimensions(self, dimensions: usize) -> Result<Self, IdxError> {
        match self.shape.len() {
            found if found == dimensions => Ok(self),
            found => Err(IdxError::WrongDimensions { expected: dimensions, found }),
        }
    }
}
