//! What has arrived of a file.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wengert_tensor::file::move_into_place;

/// A `.part` file, locked against other processes.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Part {
    /// Opens the part of the file `name`, or starts one; waits while another process has it.
    pub(super) fn open(folder: &Path, name: &str) -> std::io::Result<Self> {
        let path = folder.join(format!("{name}.part"));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if !file.metadata()?.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, format!("{name}.part is not a regular file")));
        }
        // Some network file systems have no locks; then two processes at once may spoil each other's download,
        // which the checksum finds.
        let _ = file.lock();
        let bytes = file.seek(SeekFrom::End(0))?;
        Ok(Part { file, path, bytes })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that have arrived.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets what has arrived.
    pub(super) fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.bytes = self.file.seek(SeekFrom::Start(0))?;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The SHA-256 of what has arrived, in lower-case hexadecimal.
    pub(super) fn sha256(&mut self) -> std::io::Result<String> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.file.read(&mut buffer)? {
                0 => break,
                n => hash.update(&buffer[..n]),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Gives the finished file its name. The lock is held until that is done, so that whoever waits for it finds
    /// the file.
    pub(super) fn finish(self, path: &Path) -> std::io::Result<()> {
        Ok(move_into_place(&self.file, &self.path, path)?)
    }

    /// Removes the part, which nobody needs any more once the file is there.
    pub(super) fn discard(self) {
        // It is already gone if this process waited for the one that finished the file.
        let _ = std::fs::remove_file(&self.path);
    }
}
