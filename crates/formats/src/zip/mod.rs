//! Zip archives, read and written.
//!
//! The reader is our own: crates for any archive keep some hundred bytes for an entry of 46, and a file must not take more
//! than twice its size. Here the directory is kept as it is, with four bytes for each entry.

mod directory;
mod end;
mod sum;
mod writer;

pub(crate) use directory::Entry;
pub(crate) use sum::Summed;
pub(crate) use writer::{Pieces, ZipWriter};

use std::io::{Error, Read, Seek, SeekFrom};

use directory::Directory;

/// What the header in front of a record begins with, and how long it is without names.
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// The methods of compression that are known.
const STORED: u64 = 0;
const DEFLATED: u64 = 8;

/// Why an archive could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ZipError {
    #[error(transparent)]
    Io(#[from] Error),
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    #[error("the archive's record {0}")]
    Record(&'static str),
}

/// The directory of an archive.
pub(crate) struct Zip {
    directory: Directory,
    /// Where the directory begins, behind all records.
    end: u64,
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: u64,
    /// Its bytes in the file.
    pub(crate) stored: u64,
    /// Its bytes.
    pub(crate) length: u64,
    pub(crate) deflated: bool,
    /// The checksum of its bytes, CRC-32.
    pub(crate) sum: u32,
}

impl Zip {
    /// Of a whole file.
    pub(crate) fn of(file: &mut (impl Read + Seek)) -> Result<Self, ZipError> {
        let length = file.seek(SeekFrom::End(0))?;
        Self::read(file, length)
    }

    /// Of a file of this length.
    pub(crate) fn read(file: &mut (impl Read + Seek), length: u64) -> Result<Self, ZipError> {
        let place = end::find(file, length)?;
        file.seek(SeekFrom::Start(place.start))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(place.length as usize).map_err(Error::other)?;
        file.take(place.length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != place.length {
            return Err(ZipError::Damaged("it ends within its directory"));
        }
        Ok(Zip { directory: Directory::new(bytes, place.entries)?, end: place.start })
    }

    /// The entries in the order of their names.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.directory.entries()
    }

    pub(crate) fn find(&self, name: &str) -> Option<Entry<'_>> {
        self.directory.find(name)
    }

    /// Where the bytes of a record are: within the file, behind its header.
    pub(crate) fn place(&self, entry: &Entry<'_>, file: &mut (impl Read + Seek)) -> Result<Place, ZipError> {
        let wrong = |reason| Err(ZipError::Record(reason));
        if entry.flags & 1 != 0 {
            return wrong("is encrypted");
        }
        let Some((length, stored, at)) = entry.place() else { return wrong("has no size") };
        let deflated = entry.method == DEFLATED;
        if !deflated && (entry.method != STORED || length != stored) {
            return wrong("is compressed by a method that is not known");
        }
        if at.checked_add(LOCAL_LENGTH as u64).is_none_or(|end| end > self.end) {
            return wrong("lies outside of the file");
        }
        let mut local = [0; LOCAL_LENGTH];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut local)?;
        if local[..4] != LOCAL {
            return wrong("has no header where the directory says");
        }
        let two = |i: usize| u64::from(u16::from_le_bytes([local[i], local[i + 1]]));
        let start = at + LOCAL_LENGTH as u64 + two(26) + two(28);
        if start.checked_add(stored).is_none_or(|end| end > self.end) {
            return wrong("lies outside of the file");
        }
        Ok(Place { start, stored, length, deflated, sum: entry.sum })
    }
}
