//! What can be wrong with a CSV file.

/// Why a file is not a table of numbers. Lines count from 1; names and fields are cut to a length that can be shown.
///
/// [`CsvReader::read`](super::CsvReader::read) gives it with the path, as a [`DataError`](crate::DataError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
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
    /// A field is not a number, or one that the table's type cannot hold: infinite, NaN or too large.
    #[error("line {line}, column {column}: {text:?} is not a finite number")]
    NotANumber {
        /// Where.
        line: u64,
        /// The column's name, or its position if there is no header.
        column: String,
        /// How the field starts.
        text: String,
    },
    /// A field starts with a quote, and not with its end ends the quotation: there is none, or something follows it.
    #[error("line {line}, column {column}: the quotes do not end where the field does")]
    Quotes {
        /// Where its row starts.
        line: u64,
        /// The column's name, or its position if there is no header.
        column: String,
    },
    /// No column has the name or position of the target.
    #[error("no column {column}: there are {columns}{}", like(nearest))]
    UnknownColumn {
        /// What was asked for.
        column: String,
        /// The names most like it.
        nearest: Vec<String>,
        /// The number of columns.
        columns: usize,
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
    /// The target is not a label: a whole number from 0 to `u32::MAX`.
    #[error("line {line}, column {column}: {text} is not a label, a whole number from 0 to {}", u32::MAX)]
    NotALabel {
        /// Where.
        line: u64,
        /// The column's name, or its position if there is no header.
        column: String,
        /// The target.
        text: String,
    },
    /// The table does not make a data set.
    #[error(transparent)]
    Data(#[from] crate::DataError),
}

/// What an error says of the names that are there.
fn like(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    format!(", among them {}", wengert_tensor::text::list(nearest, nearest.len()))
}
