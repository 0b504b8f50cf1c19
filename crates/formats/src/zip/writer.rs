//! Writing archives whose records begin at multiples of 64 bytes, so that they can be mapped.

use std::io::{Error, ErrorKind, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{DEFLATED, STORED};

const ALIGNMENT: u64 = 64;
/// What stands in the place of a number that has 64 bits.
const LARGE: u32 = u32::MAX;
const MANY: u16 = u16::MAX;
/// Versions of the format: of archives, and of those with such numbers.
const VERSION: u16 = 20;
const LARGE_VERSION: u16 = 45;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// The first of January 1980, the earliest there is.
const DATE: u16 = 1 << 5 | 1;
/// Bytes of a record's header without name and additional fields, and of the head of such a field.
const HEADER: u64 = 30;
const FIELD: u64 = 4;

/// What writes an archive.
pub(crate) struct ZipWriter<'a, W> {
    out: &'a mut W,
    /// What all names begin with.
    folder: &'static str,
    at: u64,
    directory: Vec<u8>,
    records: u64,
}

impl<'a, W: Write> ZipWriter<'a, W> {
    pub(crate) fn new(out: &'a mut W, folder: &'static str) -> Self {
        ZipWriter { out, folder, at: 0, directory: Vec::new(), records: 0 }
    }

    /// Adds a record of these bytes.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.add_pieces(name, &|take| take(bytes))
    }

    /// Adds a record of the pieces that `bytes` shows, the same each time: once for their number and checksum, and once to be
    /// written.
    pub(crate) fn add_pieces(&mut self, name: &str, bytes: &Pieces<'_>) -> Result<(), Error> {
        let about = self.about(name, bytes)?;
        self.record(&about, bytes)
    }

    /// Adds a compressed record, whose compressed bytes are held in memory until they are written.
    pub(crate) fn add_deflated(&mut self, name: &str, bytes: &Pieces<'_>) -> Result<(), Error> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        bytes(&mut |piece| encoder.write_all(piece))?;
        let deflated = encoder.finish()?;
        let about =
            About { stored: deflated.len() as u64, method: DEFLATED as u16, ..self.about(name, bytes)? };
        self.record(&about, &|take| take(&deflated))
    }

    fn about(&self, name: &str, bytes: &Pieces<'_>) -> Result<About, Error> {
        let (mut length, mut sum) = (0, crc32fast::Hasher::new());
        bytes(&mut |piece| {
            length += piece.len() as u64;
            sum.update(piece);
            Ok(())
        })?;
        let name = format!("{}{name}", self.folder);
        Ok(About { name, length, stored: length, sum: sum.finalize(), method: STORED as u16 })
    }

    fn record(&mut self, record: &About, bytes: &Pieces<'_>) -> Result<(), Error> {
        let About { name, length, stored, .. } = record;
        let (length, stored) = (*length, *stored);
        let start = self.at;
        let is_large = length.max(stored) >= u64::from(LARGE);
        let mut fields = Vec::new();
        if is_large {
            // Both, in the order of this format.
            field(&mut fields, &[length, stored]);
        }
        // The field that fills up is PyTorch's own.
        let before = start + HEADER + name.len() as u64 + fields.len() as u64 + FIELD;
        let filled = before.next_multiple_of(ALIGNMENT) - before;
        fields.extend(b"FB");
        fields.extend((filled as u16).to_le_bytes());
        fields.extend(std::iter::repeat_n(b'Z', filled as usize));
        let mut header = b"PK\x03\x04".to_vec();
        record.write(&mut header, is_large, fields.len())?;
        header.extend(name.as_bytes());
        header.extend(fields);
        self.write(&header)?;
        bytes(&mut |piece| self.write(piece))?;

        // In the directory.
        let mut fields = Vec::new();
        let mut large = if is_large { vec![length, stored] } else { Vec::new() };
        large.extend(Some(start).filter(|&start| start >= u64::from(LARGE)));
        if !large.is_empty() {
            field(&mut fields, &large);
        }
        let version = if large.is_empty() { VERSION } else { LARGE_VERSION };
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(version.to_le_bytes());
        record.write(&mut self.directory, is_large, fields.len())?;
        // Neither a comment, nor a disk, nor attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(short(start).to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(fields);
        self.records += 1;
        Ok(())
    }

    /// Writes the directory.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let (start, length) = (self.at, self.directory.len() as u64);
        let directory = std::mem::take(&mut self.directory);
        self.write(&directory)?;
        let mut end = Vec::new();
        if self.records >= u64::from(MANY) || start.max(length) >= u64::from(LARGE) {
            end.extend(b"PK\x06\x06");
            end.extend(44u64.to_le_bytes());
            end.extend([LARGE_VERSION, LARGE_VERSION].map(u16::to_le_bytes).as_flattened());
            end.extend([0; 8]);
            end.extend([self.records, self.records, length, start].map(u64::to_le_bytes).as_flattened());
            end.extend(b"PK\x06\x07\0\0\0\0");
            end.extend((start + length).to_le_bytes());
            end.extend(1u32.to_le_bytes());
        }
        let records = u16::try_from(self.records).unwrap_or(MANY);
        end.extend(b"PK\x05\x06\0\0\0\0");
        end.extend([records, records].map(u16::to_le_bytes).as_flattened());
        end.extend([short(length), short(start)].map(u32::to_le_bytes).as_flattened());
        end.extend([0; 2]);
        self.write(&end)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Shows bytes to a function, piece by piece, until it fails.
pub(crate) type Pieces<'a> = dyn Fn(&mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> + 'a;

/// What a record's header and its entry in the directory both have.
struct About {
    name: String,
    length: u64,
    stored: u64,
    sum: u32,
    method: u16,
}

impl About {
    fn write(&self, to: &mut Vec<u8>, is_large: bool, fields: usize) -> Result<(), Error> {
        let name_length = u16::try_from(self.name.len());
        let name_length = name_length.map_err(|_| Error::new(ErrorKind::InvalidInput, "too long a name"))?;
        let version = if is_large { LARGE_VERSION } else { VERSION };
        // At midnight.
        to.extend([version, UTF8, self.method, 0, DATE].map(u16::to_le_bytes).as_flattened());
        let sizes = if is_large { [LARGE; 2] } else { [short(self.stored), short(self.length)] };
        to.extend([self.sum, sizes[0], sizes[1]].map(u32::to_le_bytes).as_flattened());
        to.extend([name_length, fields as u16].map(u16::to_le_bytes).as_flattened());
        Ok(())
    }
}

/// The number, or what says that it is in a field.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(LARGE)
}

/// An additional field of numbers of 64 bits.
fn field(to: &mut Vec<u8>, numbers: &[u64]) {
    to.extend([1, 8 * numbers.len() as u16].map(u16::to_le_bytes).as_flattened());
    numbers.iter().for_each(|number| to.extend(number.to_le_bytes()));
}
