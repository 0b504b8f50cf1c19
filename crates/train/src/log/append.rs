//! A file that grows, and is cut where a run goes on.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use wengert_tensor::file::{AccessError, write_atomically};

use super::LogError;
use crate::folder::make_folder;

/// What waits for a disk to have room again, at most.
const WAITING: usize = 4 << 20;

/// A file that only this process writes to, at its end.
#[derive(Debug)]
pub(super) struct Append {
    path: PathBuf,
    file: File,
    /// What could not be written yet. It may begin in the middle of a line.
    waiting: Vec<u8>,
    /// The events of which something waits.
    late: u64,
    /// The events that are not in the file and do not wait.
    lost: u64,
    first: Option<Error>,
}

impl Append {
    /// Opens a log whose first line is `head`, or a file that is still empty.
    ///
    /// # Errors
    /// If the file cannot be opened, or is there and no such log.
    pub(super) fn open_log(path: &Path, head: &[u8]) -> Result<Self, LogError> {
        let file = Self::open(path)?;
        match file.begins_with(head)? {
            true => Ok(file),
            false => Err(LogError::Foreign { path: path.to_owned() }),
        }
    }

    /// Opens a file, in a folder that is made if it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let fail = |error: Error| LogError::File { path: path.to_owned(), error };
        if let Some(folder) = path.parent() {
            let fail = |error| LogError::File { path: folder.to_owned(), error };
            make_folder(folder).map_err(fail)?;
        }
        // A FIFO would wait for a reader.
        match wengert_tensor::file::open(path) {
            Err(AccessError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fail(error.into())),
            Ok(_) => {}
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(fail)?;
        Ok(Append { path: path.to_owned(), file, waiting: Vec::new(), late: 0, lost: 0, first: None })
    }

    /// Whether the file is empty or begins as a log does.
    fn begins_with(&self, head: &[u8]) -> Result<bool, LogError> {
        let mut found = Vec::new();
        let file = File::open(&self.path).map_err(|e| self.failed(e))?;
        file.take(head.len() as u64).read_to_end(&mut found).map_err(|e| self.failed(e))?;
        Ok(head.starts_with(&found))
    }

    /// Whether nothing is in the file.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.file.metadata().is_ok_and(|m| m.len() == 0)
    }

    /// Keeps of the file the whole records that are to be kept. `is_whole` says whether a record ends with the line that it
    /// has, or goes on. The file is cut at one stroke, or replaced by another.
    pub(super) fn keep(
        &mut self,
        is_whole: impl Fn(&[u8]) -> bool,
        mut keep: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), LogError> {
        self.waiting.clear();
        (self.late, self.lost, self.first) = (0, 0, None);
        let file = File::open(&self.path).map_err(|e| self.failed(e))?;
        let mut reader = BufReader::new(file);
        let (mut record, mut at) = (Vec::new(), 0u64);
        // Where the kept records are.
        let mut kept: Vec<(u64, u64)> = Vec::new();
        loop {
            record.clear();
            loop {
                let read = reader.read_until(b'\n', &mut record).map_err(|e| self.failed(e))?;
                if read == 0 || (record.ends_with(b"\n") && is_whole(&record)) {
                    break;
                }
            }
            if record.is_empty() {
                break;
            }
            let end = at + record.len() as u64;
            if record.ends_with(b"\n") && is_whole(&record) && keep(&record) {
                match kept.last_mut() {
                    Some(last) if last.1 == at => last.1 = end,
                    _ => kept.push((at, end)),
                }
            }
            at = end;
        }
        match kept[..] {
            [(0, end)] if end == at => Ok(()),
            [] => self.file.set_len(0).map_err(|e| self.failed(e)),
            [(0, end)] => self.file.set_len(end).map_err(|e| self.failed(e)),
            _ => self.replace(&kept).map_err(|e| self.failed(e)),
        }
    }

    /// Replaces the file by parts of it.
    fn replace(&mut self, parts: &[(u64, u64)]) -> Result<(), Error> {
        let mut old = File::open(&self.path)?;
        write_atomically(&self.path, |new| {
            for &(from, to) in parts {
                old.seek(SeekFrom::Start(from))?;
                std::io::copy(&mut (&mut old).take(to - from), new)?;
            }
            Ok::<(), Error>(())
        })?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        Ok(())
    }

    /// Writes one event, or lets it wait.
    pub(super) fn write(&mut self, event: &[u8]) {
        if self.waiting.len() + event.len() > WAITING && !self.waiting.is_empty() {
            self.flush();
        }
        if !self.waiting.is_empty() && self.waiting.len() + event.len() > WAITING {
            self.lost += 1;
            return;
        }
        self.waiting.extend_from_slice(event);
        self.late += 1;
        self.flush();
    }

    /// Writes what waits.
    fn flush(&mut self) {
        let mut done = 0;
        while done < self.waiting.len() {
            match self.file.write(&self.waiting[done..]) {
                Ok(0) => {
                    self.first.get_or_insert(ErrorKind::WriteZero.into());
                    break;
                }
                Ok(written) => done += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.first.get_or_insert(error);
                    break;
                }
            }
        }
        self.waiting.drain(..done);
        if self.waiting.is_empty() {
            self.late = 0;
        }
    }

    /// Tries a last time to write what waits, and lets the disk have it.
    pub(super) fn finish(&mut self) {
        self.flush();
        if let Err(error) = self.file.sync_data() {
            self.first.get_or_insert(error);
        }
    }

    /// What is not in the file, if anything.
    pub(super) fn error(&self) -> Option<LogError> {
        let events = self.lost + self.late;
        let first = self.first.as_ref().filter(|_| events > 0)?;
        Some(LogError::Lost { path: self.path.clone(), events, error: copy(first) })
    }

    fn failed(&self, error: Error) -> LogError {
        LogError::File { path: self.path.clone(), error }
    }
}

/// An error once more.
fn copy(error: &Error) -> Error {
    match error.raw_os_error() {
        Some(code) => Error::from_raw_os_error(code),
        None => Error::new(error.kind(), error.to_string()),
    }
}
