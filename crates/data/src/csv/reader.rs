//! Reading tables.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use wengert_tensor::names::nearest;
use wengert_tensor::{Float, text};

use super::fields::{Fields, Next};
use super::rows::{Rows, number};
use super::texts::Texts;
use super::{CsvError, Table};
use crate::DataError;

/// Nearest names that an error shows.
const NEAREST: usize = 3;

/// A column of a table.
///
/// ```
/// use wengert_data::csv::{Column, CsvReader};
/// let file = "1;2;0\n3;4;1\n";
/// let table = CsvReader::new().header(false).delimiter(b';').target(Column::Position(-1)).read_from(file.as_bytes())?;
/// assert_eq!(table.features.to_vec(), [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), wengert_data::csv::CsvError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By the name that the header gives it.
    Name(String),
    /// By position from 0; negative positions count from the end, −1 being the last.
    Position(isize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Column::Name(name.into())
    }
}

impl From<isize> for Column {
    fn from(position: isize) -> Self {
        Column::Position(position)
    }
}

/// Reads tables of numbers from CSV files.
///
/// Fields may be quoted and have spaces around them; blank lines and a byte order mark are skipped; a compressed file
/// must be decompressed first. While it is read, a table takes the memory of its numbers twice at most, and a file
/// that is none takes less than that.
#[derive(Clone, Debug)]
pub struct CsvReader<T = f32> {
    header: bool,
    delimiter: u8,
    target: Option<Column>,
    limit: u64,
    element: PhantomData<T>,
}

impl Default for CsvReader {
    fn default() -> Self {
        Self::new()
    }
}

impl CsvReader {
    /// A reader of tables with a header, separated by commas, without target, of at most 4 GiB, into `f32`.
    pub fn new() -> Self {
        CsvReader { header: true, delimiter: b',', target: None, limit: 4 << 30, element: PhantomData }
    }
}

impl<T: Float + FromStr> CsvReader<T> {
    /// Into numbers of another precision: `f64`.
    ///
    /// ```
    /// use wengert_data::csv::CsvReader;
    /// let table = CsvReader::new().precision::<f64>().header(false).read_from("0.1,1e300".as_bytes())?;
    /// assert_eq!(table.features.to_vec(), [0.1, 1e300]);
    /// # Ok::<(), wengert_data::csv::CsvError>(())
    /// ```
    pub fn precision<U: Float + FromStr>(self) -> CsvReader<U> {
        let CsvReader { header, delimiter, target, limit, .. } = self;
        CsvReader { header, delimiter, target, limit, element: PhantomData }
    }

    /// Whether the first row has the columns' names.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The byte between fields: `b','`, `b';'` or `b'\t'`.
    ///
    /// # Panics
    /// If it is a quote or ends a line.
    #[track_caller]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        let free = !matches!(delimiter, b'"' | b'\n' | b'\r');
        assert!(free, "delimiter: {:?} has another meaning in a CSV file", char::from(delimiter));
        self.delimiter = delimiter;
        self
    }

    /// The column to predict, by name or position (−1 is the last); it is kept apart from the features.
    pub fn target(mut self, column: impl Into<Column>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// The number of bytes that a file may have.
    ///
    /// ```
    /// use wengert_data::csv::CsvReader;
    /// assert!(CsvReader::new().header(false).limit(4).read_from("1,2\n3,4\n".as_bytes()).is_err());
    /// ```
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`DataError::Csv`] with the path: every way in which a file can be wrong has its own [`CsvError`], with the
    /// line.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table<T>, DataError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => CsvError::NotFound,
            _ => CsvError::Io(e),
        });
        let table = file.and_then(|file| self.read_from(file));
        table.map_err(|source| DataError::Csv { path: path.into(), source: Box::new(source) })
    }

    /// Reads a table from bytes.
    ///
    /// # Errors
    /// Every way in which they can be wrong has its own [`CsvError`].
    pub fn read_from(&self, reader: impl Read) -> Result<Table<T>, CsvError> {
        let mut fields = Fields::new(reader, self.delimiter, self.limit)?;
        let first = fields.next_record()?.ok_or(CsvError::Empty)?;
        let mut texts = Texts::default();
        let named = |texts: &Texts, i: usize| {
            let name = if self.header { texts.iter().nth(i) } else { None };
            name.map_or_else(|| i.to_string(), text::shortened)
        };
        // The names, or where there are none, the first row: it says how many columns there are, and so where the
        // target is.
        let start = record(
            &mut fields,
            first,
            |i| i.to_string(),
            |i, field| {
                texts.push(if self.header {
                    std::str::from_utf8(field).map_err(|_| CsvError::Encoding { line: first })?
                } else {
                    number::<T>(field, first, || i.to_string())?.1
                });
                Ok(())
            },
        )?;
        let columns = start.fields;
        let mut rows = Rows::<T>::new(None);
        if self.header {
            start.taken?;
            rows.target = self.target.as_ref().map(|target| find(target, &texts)).transpose()?;
        } else {
            rows.target = self.target.as_ref().map(|target| position(target, columns)).transpose()?;
            start.taken?;
            for (i, value) in texts.iter().enumerate() {
                rows.push(value.as_bytes(), first, i, || i.to_string())?;
            }
        }
        let name = |i| named(&texts, i);
        while let Some(line) = fields.next_record()? {
            let row = record(&mut fields, line, name, |i, field| match i < columns {
                true => rows.push(field, line, i, || name(i)),
                false => Ok(()),
            })?;
            if row.fields != columns {
                // A missing or an additional delimiter explains what it makes of the numbers.
                return Err(CsvError::FieldCount { line, expected: columns, found: row.fields });
            }
            row.taken?;
        }
        let target = rows.target;
        let (features, target_values) = rows.finish(columns)?;
        let kept = |i: &usize| Some(*i) != target;
        let names = match self.header {
            true => texts.iter().enumerate().filter(|(i, _)| kept(i)).map(|(_, name)| name.into()).collect(),
            false => (0..columns).filter(kept).map(|i| i.to_string()).collect(),
        };
        Ok(Table { names, features, target: target_values })
    }
}

/// What was found of a record.
struct Record {
    /// The number of its fields.
    fields: usize,
    /// The first error that was made of them.
    taken: Result<(), CsvError>,
}

/// Gives `take` the fields of a record, with their positions, until it fails, and counts the others.
fn record(
    fields: &mut Fields<impl Read>,
    line: u64,
    name: impl Fn(usize) -> String,
    mut take: impl FnMut(usize, &[u8]) -> Result<(), CsvError>,
) -> Result<Record, CsvError> {
    let mut record = Record { fields: 0, taken: Ok(()) };
    loop {
        let next = fields.next()?;
        if let Next::Quotes = next {
            return Err(CsvError::Quotes { line, column: name(record.fields) });
        }
        if record.taken.is_ok() {
            record.taken = take(record.fields, fields.text());
        }
        record.fields += 1;
        if let Next::Record = next {
            return Ok(record);
        }
    }
}

/// The position of a column among those of these names.
fn find(target: &Column, names: &Texts) -> Result<usize, CsvError> {
    let Column::Name(name) = target else { return position(target, names.len()) };
    let mut found = names.iter().enumerate().filter(|(_, column)| column == name);
    match (found.next(), found.next()) {
        (Some((i, _)), None) => Ok(i),
        (None, _) => {
            let nearest = nearest(name, names.iter(), NEAREST).into_iter().map(text::shortened).collect();
            Err(CsvError::UnknownColumn { column: text::shortened(name), nearest, columns: names.len() })
        }
        _ => Err(CsvError::AmbiguousColumn { column: text::shortened(name) }),
    }
}

/// The position of a column among so many that have no names but their positions.
fn position(target: &Column, columns: usize) -> Result<usize, CsvError> {
    let (found, column) = match target {
        Column::Name(name) => {
            (name.parse().ok().filter(|i: &usize| i.to_string() == *name), text::shortened(name))
        }
        &Column::Position(position) => {
            let from_start = if position < 0 { position + columns as isize } else { position };
            (usize::try_from(from_start).ok(), position.to_string())
        }
    };
    let unknown = || CsvError::UnknownColumn { column, nearest: Vec::new(), columns };
    found.filter(|&i| i < columns).ok_or_else(unknown)
}
