//! What can be wrong with a CSV file.

/// Why a file is not a table of numbers. Lines count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// There is no such file.
    #[error("{}: no such file", path.display())]
    NotFound {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The operating system failed to read.
    #[error("reading failed: {0}")]
    Io(#[source] std::io::Error),
    /// The file has more bytes than the limit allows.
    #[error("the table is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// There is no row, apart from a header.
    #[error("the table has no row")]
    Empty,
    /// A row has more or fewer fields than the first.
    #[error("line {line}: {found} fields, not {expected}")]
    FieldCount {
        /// Where.
        line: u64,
        /// Fields of the first row.
        expected: usize,
        /// Fields of this row.
        found: usize,
    },
    /// A field is empty.
    #[error("line {line}, column {column}: no value")]
    Missing {
        /// Where.
        line: u64,
        /// The column's name, or its position if there is no header.
        column: String,
    },
    /// A field is not a number, or one that `f32` cannot hold: infinite, NaN or too large.
    #[error("line {line}, column {column}: {text:?} is not a finite number")]
    NotANumber {
        /// Where.
        line: u64,
        /// The column's name, or its position if there is no header.
        column: String,
        /// How the field starts.
        text: String,
    },
    /// No column has the name or position of the target.
    #[error("no column {column}: the columns are {}", columns.join(", "))]
    UnknownColumn {
        /// What was asked for.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// Several columns have the name of the target.
    #[error("several columns are named {column}")]
    AmbiguousColumn {
        /// The name.
        column: String,
    },
    /// The header is not UTF-8.
    #[error("line {line}: the header is not UTF-8")]
    Encoding {
        /// Where.
        line: u64,
    },
    /// A data set was asked for, but no target column was named.
    #[error("the table was read without a target column")]
    NoTarget,
    /// The target is not a label: a whole number from 0.
    #[error("row {row} of the table: {value} is not a label")]
    NotALabel {
        /// The row's position among the examples, from 0.
        row: usize,
        /// The target.
        value: f32,
    },
    /// The table does not make a data set.
    #[error(transparent)]
    Data(#[from] crate::DataError),
}
