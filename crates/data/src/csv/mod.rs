//! Tables of numbers in CSV files.
//!
//! ```
//! use wengert_data::csv::CsvReader;
//!
//! let file = "size,rooms,price\n70,3,210\n55,2,180\n";
//! let table = CsvReader::new().target("price").read_from(file.as_bytes())?;
//! assert_eq!(table.names, ["size", "rooms"]);
//! assert_eq!(table.features.to_vec(), [70.0, 3.0, 55.0, 2.0]);
//! let (features, prices) = table.into_regression()?.all();
//! assert_eq!(prices.value().to_vec(), [210.0, 180.0]);
//! # Ok::<(), wengert_data::csv::CsvError>(())
//! ```

mod error;
mod fields;
mod label;
mod reader;
mod rows;
mod texts;

pub use error::CsvError;
pub use reader::{Column, CsvReader};

use wengert_tensor::{Float, Tensor};

use crate::dataset::{Dataset, Supervised};
use crate::features::Features;
use crate::source::IntoVars;

/// A table of numbers: what [`CsvReader`] gives.
///
/// ```
/// use wengert_data::csv::{CsvReader, Table};
/// let table: Table = CsvReader::new().read_from("a,b\n1,2\n3,4\n".as_bytes())?;
/// assert_eq!((table.names.len(), table.features.shape()), (2, &[2, 2].into()));
/// # Ok::<(), wengert_data::csv::CsvError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T: Float = f32> {
    /// The names of the feature columns; their positions in the file if it has no header.
    pub names: Vec<String>,
    /// All columns but the target, `[rows, columns]`.
    pub features: Tensor<T>,
    target: Option<Target>,
}

/// The target column.
#[derive(Clone, Debug, PartialEq)]
struct Target {
    values: Tensor<f64>,
    /// The first value that is no label, if there is one.
    bad_label: Option<BadLabel>,
}

/// A target that is no label, and where it stands.
#[derive(Clone, Debug, PartialEq)]
struct BadLabel {
    line: u64,
    column: String,
    text: String,
}

impl<T: Float> Table<T>
where
    Tensor<T>: IntoVars,
{
    /// The target column, `[rows]`, if one was named.
    pub fn target(&self) -> Option<&Tensor<f64>> {
        self.target.as_ref().map(|target| &target.values)
    }

    /// Examples with a number to predict, `[1]` for each, as a layer with one output gives it; in the type of the features.
    ///
    /// # Errors
    /// [`CsvError::NoTarget`] if no target column was named.
    pub fn into_regression(self) -> Result<Supervised<T, T>, CsvError> {
        let target = self.target.ok_or(CsvError::NoTarget)?.values.cast();
        Ok(Dataset::new((Features::new(&self.features), target.unsqueeze(1)))?)
    }

    /// Examples with a class to predict, below `classes`. Labels are whole numbers, taken exactly; `3.0` is one.
    ///
    /// # Errors
    /// [`CsvError::NoTarget`] if no target column was named, [`CsvError::NotALabel`] if a target is not a whole
    /// number from 0 to `u32::MAX`, [`DataError::LabelOutOfRange`](crate::DataError::LabelOutOfRange) if it is not
    /// below `classes`.
    ///
    /// ```
    /// use wengert_data::csv::CsvReader;
    /// let file = "0.1,0.2,1\n0.3,0.4,0\n";
    /// let table = CsvReader::new().header(false).target(-1).read_from(file.as_bytes())?;
    /// let data = table.into_classification(2)?;
    /// let (features, labels) = data.all();
    /// assert_eq!(labels.to_vec(), [1, 0]);
    /// # Ok::<(), wengert_data::csv::CsvError>(())
    /// ```
    pub fn into_classification(self, classes: usize) -> Result<Supervised<T>, CsvError> {
        let target = self.target.ok_or(CsvError::NoTarget)?;
        if let Some(BadLabel { line, column, text }) = target.bad_label {
            return Err(CsvError::NotALabel { line, column, text });
        }
        // Exact: all are whole numbers of 32 bits.
        let labels: Vec<u32> = target.values.iter().map(|label| label as u32).collect();
        Ok(Dataset::new((Features::new(&self.features), Tensor::from(labels)))?.with_classes(classes)?)
    }
}
