//! Reading tables.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use csv::{ByteRecord, ErrorKind as CsvErrorKind, ReaderBuilder, Trim};
use wengert_tensor::Tensor;

use super::source::Source;
use super::{CsvError, Table};

/// Characters of a bad field that an error shows.
const SHOWN: usize = 40;

/// A column of a table.
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
/// Fields may be quoted and have spaces around them; blank lines are skipped; a compressed file must be
/// decompressed first.
#[derive(Clone, Debug)]
pub struct CsvReader {
    header: bool,
    delimiter: u8,
    target: Option<Column>,
    limit: u64,
}

impl Default for CsvReader {
    fn default() -> Self {
        Self::new()
    }
}

impl CsvReader {
    /// A reader of tables with a header, separated by commas, without target, of at most 4 GiB.
    pub fn new() -> Self {
        CsvReader { header: true, delimiter: b',', target: None, limit: 4 << 30 }
    }

    /// Whether the first row has the columns' names.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The byte between fields: `b','`, `b';'` or `b'\t'`.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The column to predict, by name or position (−1 is the last); it is kept apart from the features.
    pub fn target(mut self, column: impl Into<Column>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// The number of bytes that a file may have.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Every way in which a file can be wrong has its own [`CsvError`], with the line.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, CsvError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => CsvError::NotFound { path: path.into() },
            _ => CsvError::Io(e),
        })?;
        self.read_from(file)
    }

    /// Reads a table from bytes.
    ///
    /// # Errors
    /// As [`CsvReader::read`].
    pub fn read_from(&self, reader: impl Read) -> Result<Table, CsvError> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(Trim::All)
            .from_reader(Source::new(reader, self.limit));
        let mut record = ByteRecord::new();
        // The line of the next record, or `None` if there is none.
        let mut next = |record: &mut ByteRecord| -> Result<Option<u64>, CsvError> {
            let there_is_one = reader.read_byte_record(record).map_err(|e| self.error(e))?;
            let start = record.position().map_or(0, |position| position.byte());
            Ok(there_is_one.then(|| reader.get_mut().line_from(start)))
        };
        let first = next(&mut record)?.ok_or(CsvError::Empty)?;
        let columns = self.columns(&record, first)?;
        let target = self.target.as_ref().map(|target| find(target, &columns)).transpose()?;
        let (mut features, mut targets) = (Vec::new(), Vec::new());
        let mut row = if self.header { next(&mut record)? } else { Some(first) };
        while let Some(line) = row {
            if record.len() != columns.len() {
                return Err(CsvError::FieldCount { line, expected: columns.len(), found: record.len() });
            }
            for (i, field) in record.iter().enumerate() {
                let value = number(field, line, &columns[i])?;
                if target == Some(i) { targets.push(value) } else { features.push(value) }
            }
            row = next(&mut record)?;
        }
        let width = columns.len() - usize::from(target.is_some());
        // Every row has a target or a feature, as there is no row without a field.
        let rows = if target.is_some() { targets.len() } else { features.len() / width };
        if rows == 0 {
            return Err(CsvError::Empty);
        }
        let mut names = columns;
        if let Some(target) = target {
            names.remove(target);
        }
        Ok(Table {
            names,
            features: Tensor::from_vec(features, [rows, width]).expect("all rows have as many fields"),
            target: target.map(|_| Tensor::from(targets)),
        })
    }

    /// The names of the columns: from the header, or their positions.
    fn columns(&self, first: &ByteRecord, line: u64) -> Result<Vec<String>, CsvError> {
        if !self.header {
            return Ok((0..first.len()).map(|i| i.to_string()).collect());
        }
        // Spreadsheets put a byte order mark before the first name.
        let names = first.iter().enumerate().map(|(i, name)| match i {
            0 => name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name),
            _ => name,
        });
        let names: Result<_, _> = names.map(|name| std::str::from_utf8(name).map(String::from)).collect();
        names.map_err(|_| CsvError::Encoding { line })
    }

    fn error(&self, error: csv::Error) -> CsvError {
        let text = error.to_string();
        match error.into_kind() {
            CsvErrorKind::Io(e) if e.kind() == ErrorKind::FileTooLarge => {
                CsvError::TooLarge { limit: self.limit }
            }
            CsvErrorKind::Io(e) => CsvError::Io(e),
            _ => CsvError::Io(std::io::Error::other(text)),
        }
    }
}

/// The position of a column among those that there are.
fn find(target: &Column, columns: &[String]) -> Result<usize, CsvError> {
    let unknown = |column: String| CsvError::UnknownColumn { column, columns: columns.to_vec() };
    match target {
        Column::Name(name) => {
            let mut found = columns.iter().enumerate().filter(|(_, column)| *column == name);
            match (found.next(), found.next()) {
                (Some((i, _)), None) => Ok(i),
                (None, _) => Err(unknown(name.clone())),
                _ => Err(CsvError::AmbiguousColumn { column: name.clone() }),
            }
        }
        &Column::Position(position) => {
            let from_start = if position < 0 { position + columns.len() as isize } else { position };
            let found = usize::try_from(from_start).ok().filter(|&i| i < columns.len());
            found.ok_or_else(|| unknown(position.to_string()))
        }
    }
}

fn number(field: &[u8], line: u64, column: &str) -> Result<f32, CsvError> {
    if field.is_empty() {
        return Err(CsvError::Missing { line, column: column.into() });
    }
    let value = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    value.filter(|value: &f32| value.is_finite()).ok_or_else(|| CsvError::NotANumber {
        line,
        column: column.into(),
        text: String::from_utf8_lossy(field).chars().take(SHOWN).collect(),
    })
}
