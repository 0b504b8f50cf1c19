//! Zip archives as PyTorch writes them: records that are stored, not compressed, in a folder.

use std::io::{Read, Seek, SeekFrom};

use super::error::Problem;
use crate::zip::{Zip, ZipError};

/// The directory of an archive.
pub(super) struct Archive {
    zip: Zip,
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
        let zip = Zip::read(file, length).map_err(|error| problem(error, ""))?;
        let folder = folder(&zip)?;
        Ok(Archive { zip, folder })
    }

    /// Whether there is a record of this name in the folder.
    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.find(&format!("{}{name}", self.folder)).is_some()
    }

    /// Whether there is a record whose name in the folder begins so.
    pub(super) fn has_within(&self, folder: &str) -> bool {
        let start = format!("{}{folder}", self.folder);
        self.zip.entries().any(|entry| entry.name.starts_with(start.as_bytes()))
    }

    /// The record of this name in the folder.
    pub(super) fn record(&self, name: &str, file: &mut (impl Read + Seek)) -> Result<Record, Problem> {
        let name = format!("{}{name}", self.folder);
        let wrong = |reason| Problem::Record { record: name.clone(), reason };
        let entry = self.zip.find(&name).ok_or_else(|| wrong("is missing"))?;
        let place = self.zip.place(&entry, file).map_err(|error| problem(error, &name))?;
        if place.deflated {
            return Err(wrong("is compressed, which PyTorch's never are"));
        }
        Ok(Record { start: place.start, length: place.length })
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
fn folder(zip: &Zip) -> Result<String, Problem> {
    let mut folders = zip.entries().filter_map(|entry| {
        let folder = entry.name.strip_suffix(b"data.pkl")?.strip_suffix(b"/")?;
        (!folder.contains(&b'/')).then_some(folder)
    });
    let none = Problem::OtherKind {
        kind: "a zip archive without a record data.pkl".into(),
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

fn problem(error: ZipError, record: &str) -> Problem {
    match error {
        ZipError::Io(error) => Problem::Io(error),
        ZipError::Damaged(reason) => Problem::Archive { reason },
        ZipError::Record(reason) => Problem::Record { record: record.to_owned(), reason },
    }
}
