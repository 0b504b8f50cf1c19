//! Zip archives as PyTorch writes them: records that are stored, not compressed, in a folder.

use std::io::{BufRead, Read, Seek, SeekFrom};

use wengert_nn::tensor_file::read_pieces;

use super::error::Problem;
use crate::zip::{Summed, Zip, ZipError};

/// The directory of an archive.
pub(super) struct Archive {
    zip: Zip,
    /// The folder that all records are in, with its slash.
    folder: String,
    /// Whether it was written with checksums.
    summed: bool,
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) start: u64,
    pub(super) length: u64,
    /// The checksum of its bytes, CRC-32, if it has one.
    pub(super) sum: Option<u32>,
}

/// What is said of a record whose bytes are not those that were written.
const CHANGED: &str = "does not have its checksum";

impl Record {
    /// Compares the checksum, with a pass over the bytes.
    pub(super) fn check(
        &self,
        file: &mut (impl BufRead + Seek + ?Sized),
        name: impl FnOnce() -> String,
    ) -> Result<(), Problem> {
        if self.sum.is_none() {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Summed::new(file);
        read_pieces(&mut bytes, self.length, &mut |_| Ok(()))?;
        self.compare(bytes.finish(), name)
    }

    /// Compares the checksum with that of all of its bytes.
    pub(super) fn compare(&self, found: u32, name: impl FnOnce() -> String) -> Result<(), Problem> {
        match self.sum {
            Some(sum) if sum != found => Err(Problem::Record { record: name(), reason: CHANGED }),
            _ => Ok(()),
        }
    }
}

impl Archive {
    /// Of the directory of a file. PyTorch can be told to write 0 for all checksums, and compares none itself.
    pub(super) fn new(zip: Result<Zip, ZipError>) -> Result<Self, Problem> {
        let zip = zip.map_err(|error| problem(error, ""))?;
        let (folder, summed) = (folder(&zip)?, zip.entries().any(|entry| entry.sum != 0));
        Ok(Archive { zip, folder, summed })
    }

    /// The whole name of a record in the folder.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// Whether there is a record of this name in the folder.
    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.find(&self.name(name)).is_some()
    }

    /// Whether there is a record whose name in the folder begins so.
    pub(super) fn has_within(&self, folder: &str) -> bool {
        let start = self.name(folder);
        self.zip.entries().any(|entry| entry.name.starts_with(start.as_bytes()))
    }

    /// The record of this name in the folder.
    pub(super) fn record(&self, name: &str, file: &mut (impl Read + Seek)) -> Result<Record, Problem> {
        let name = self.name(name);
        let wrong = |reason| Problem::Record { record: name.clone(), reason };
        let entry = self.zip.find(&name).ok_or_else(|| wrong("is missing"))?;
        let place = self.zip.place(&entry, file).map_err(|error| problem(error, &name))?;
        if place.deflated {
            return Err(wrong("is compressed, which PyTorch's never are"));
        }
        let sum = self.summed.then_some(place.sum);
        Ok(Record { start: place.start, length: place.length, sum })
    }

    /// The bytes of a record of at most `limit` of them, if it is there.
    pub(super) fn short(
        &self,
        name: &str,
        limit: u64,
        file: &mut (impl BufRead + Seek),
    ) -> Result<Option<Vec<u8>>, Problem> {
        if !self.has(name) {
            return Ok(None);
        }
        let record = self.record(name, file)?;
        if record.length > limit {
            let record = self.name(name);
            return Err(Problem::Record { record, reason: "is longer than it can be" });
        }
        record.check(file, || self.name(name))?;
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
