//! Zip archives as PyTorch writes them: records that are stored, not compressed.
//!
//! The reader is our own: crates for any archive keep some hundred bytes for an entry of 46, and a file must not take more
//! than twice its size. Here the directory is kept as it is, with four bytes for each entry.

mod directory;
mod end;

use std::io::{Read, Seek, SeekFrom};

use super::error::Problem;
use directory::Directory;

/// What the header in front of a record begins with, and how long it is without names.
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;

/// The directory of an archive.
pub(super) struct Archive {
    directory: Directory,
    /// Where the directory begins, behind all records.
    end: u64,
    /// The folder that all records are in, with its slash.
    folder: String,
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) start: u64,
    pub(super) length: u64,
}

impl Archive {
    /// Of a file of this length.
    pub(super) fn read(file: &mut (impl Read + Seek), length: u64) -> Result<Self, Problem> {
        let place = end::find(file, length)?;
        file.seek(SeekFrom::Start(place.start))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(place.length as usize).map_err(std::io::Error::other)?;
        file.take(place.length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != place.length {
            return Err(Problem::Archive { reason: "it ends within its directory" });
        }
        let directory = Directory::new(bytes, place.entries)?;
        let folder = folder(&directory)?;
        Ok(Archive { directory, end: place.start, folder })
    }

    /// Whether there is a record of this name in the folder.
    pub(super) fn has(&self, name: &str) -> bool {
        self.directory.find(&format!("{}{name}", self.folder)).is_some()
    }

    /// Whether there is a record whose name in the folder begins so.
    pub(super) fn has_within(&self, folder: &str) -> bool {
        let start = format!("{}{folder}", self.folder);
        self.directory.entries().any(|entry| entry.name.starts_with(start.as_bytes()))
    }

    /// The record of this name in the folder.
    pub(super) fn record(&self, name: &str, file: &mut (impl Read + Seek)) -> Result<Record, Problem> {
        let name = format!("{}{name}", self.folder);
        let wrong = |reason| Problem::Record { record: name.clone(), reason };
        let entry = self.directory.find(&name).ok_or_else(|| wrong("is missing"))?;
        if entry.flags & 1 != 0 {
            return Err(wrong("is encrypted"));
        }
        let (size, stored, at) = entry.place().ok_or_else(|| wrong("has no size"))?;
        if entry.method != 0 || size != stored {
            return Err(wrong("is compressed, which PyTorch's never are"));
        }
        let outside = || wrong("lies outside of the file");
        if at.checked_add(LOCAL_LENGTH as u64).is_none_or(|end| end > self.end) {
            return Err(outside());
        }
        let mut local = [0; LOCAL_LENGTH];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut local)?;
        if local[..4] != LOCAL {
            return Err(wrong("has no header where the directory says"));
        }
        let two = |i: usize| u64::from(u16::from_le_bytes([local[i], local[i + 1]]));
        let start = at + LOCAL_LENGTH as u64 + two(26) + two(28);
        if start.checked_add(size).is_none_or(|end| end > self.end) {
            return Err(outside());
        }
        Ok(Record { start, length: size })
    }

    /// The bytes of a record of at most `limit` of them, if it is there.
    pub(super) fn short(
        &self,
        name: &str,
        limit: u64,
        file: &mut (impl Read + Seek),
    ) -> Result<Option<Vec<u8>>, Problem> {
        if !self.has(name) {
            return Ok(None);
        }
        let record = self.record(name, file)?;
        if record.length > limit {
            let record = format!("{}{name}", self.folder);
            return Err(Problem::Record { record, reason: "is longer than it can be" });
        }
        file.seek(SeekFrom::Start(record.start))?;
        let mut bytes = vec![0; record.length as usize];
        file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// The folder that the pickle is in.
fn folder(directory: &Directory) -> Result<String, Problem> {
    let mut folders = directory.entries().filter_map(|entry| {
        let folder = entry.name.strip_suffix(b"data.pkl")?.strip_suffix(b"/")?;
        (!folder.contains(&b'/')).then_some(folder)
    });
    let none = Problem::OtherKind {
        kind: "a zip archive without a record data.pkl",
        advice: "arrays of NumPy are read as npz, programs of torch.export not at all",
    };
    let folder = folders.next().ok_or(none)?;
    if folders.next().is_some() {
        return Err(Problem::Archive { reason: "it has more than one data.pkl" });
    }
    let folder = std::str::from_utf8(folder);
    let folder = folder.map_err(|_| Problem::Archive { reason: "the name of its folder is no text" })?;
    Ok(format!("{folder}/"))
}
