//! Files that appear whole or not at all, for the crates that save something.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Lets `write` fill a temporary file beside `path`, syncs it to the disk, and renames it to `path`. Whoever opens
/// `path`, at any time and after any crash, finds the old contents or the new.
///
/// # Errors
/// What `write` returns, or that the file cannot be made; the temporary file is then removed, and `path` is as it was.
///
/// ```
/// use std::io::Write;
/// let path = std::env::temp_dir().join(format!("wengert-{}.txt", std::process::id()));
/// wengert_tensor::file::write_atomically(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_atomically<E: From<Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let (temporary, file) = create_beside(path)?;
    let mut writer = BufWriter::new(file);
    let written = write(&mut writer).and_then(|()| {
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        Ok(sync_folder(path)?)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// A new file in the folder of `path`, under a name that nobody else has.
fn create_beside(path: &Path) -> Result<(PathBuf, File), Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{} is not the name of a file", path.display()),
        ));
    };
    loop {
        let mut unique = std::ffi::OsString::from(".");
        unique.push(name);
        unique.push(format!(".{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let temporary = path.with_file_name(unique);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            // Left by a process of the same number that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes the renaming itself last. Only Unix can sync a folder.
fn sync_folder(path: &Path) -> Result<(), Error> {
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_no_other() {
        let folder = std::env::temp_dir().join(format!("wengert-file-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a");
        write_atomically(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |file| {
            file.write_all(b"half")?;
            Err(Error::other("no"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert!(write_atomically(&folder.join("missing/a"), |_| Ok::<(), Error>(())).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
