//! Tables of numbers in CSV files.
//!
//! ```
//! use wengert_data::csv::CsvReader;
//!
//! let file = "size,rooms,price\n70,3,210\n55,2,180\n";
//! let table = CsvReader::new().target("price").read_from(file.as_bytes())?;
//! assert_eq!(table.names, ["size", "rooms"]);
//! assert_eq!(table.features.to_vec(), [70.0, 3.0, 55.0, 2.0]);
//! let data = table.into_regression()?;
//! assert_eq!(data.all().labels.to_vec(), [210.0, 180.0]);
//! # Ok::<(), wengert_data::csv::CsvError>(())
//! ```

mod error;
mod reader;
mod source;

pub use error::CsvError;
pub use reader::{Column, CsvReader};

use wengert_tensor::Tensor;

use crate::dataset::Dataset;

/// A table of numbers: what [`CsvReader`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The names of the feature columns; their positions in the file if it has no header.
    pub names: Vec<String>,
    /// All columns but the target, `[rows, columns]`.
    pub features: Tensor<f32>,
    /// The target column, `[rows]`, if one was named.
    pub target: Option<Tensor<f32>>,
}

impl Table {
    /// Examples with a number to predict.
    ///
    /// # Errors
    /// [`CsvError::NoTarget`] if no target column was named.
    pub fn into_regression(self) -> Result<Dataset<f32>, CsvError> {
        let target = self.target.ok_or(CsvError::NoTarget)?;
        Ok(Dataset::new(&self.features, &target)?)
    }

    /// Examples with a class to predict, below `classes`.
    ///
    /// # Errors
    /// [`CsvError::NoTarget`] if no target column was named, [`CsvError::NotALabel`] if a target is not a whole
    /// number from 0, [`DataError::LabelOutOfRange`](crate::DataError::LabelOutOfRange) if it is not below
    /// `classes`.
    ///
    /// ```
    /// use wengert_data::csv::CsvReader;
    /// let file = "0.1,0.2,1\n0.3,0.4,0\n";
    /// let table = CsvReader::new().header(false).target(-1).read_from(file.as_bytes())?;
    /// let data = table.into_classification(2)?;
    /// assert_eq!(data.all().labels.to_vec(), [1, 0]);
    /// # Ok::<(), wengert_data::csv::CsvError>(())
    /// ```
    pub fn into_classification(self, classes: usize) -> Result<Dataset, CsvError> {
        let target = self.target.ok_or(CsvError::NoTarget)?;
        let labels = target.to_vec().into_iter().enumerate().map(|(row, value)| {
            // A cast saturates and cuts off, so only labels survive it unchanged.
            let label = value as u32;
            if label as f32 == value && label < u32::MAX {
                Ok(label)
            } else {
                Err(CsvError::NotALabel { row, value })
            }
        });
        let labels = labels.collect::<Result<Vec<u32>, CsvError>>()?;
        Ok(Dataset::new(&self.features, &labels.into())?.with_classes(classes)?)
    }
}
