//! Files that are written whole or not at all: the one place where the crates write files.

mod error;
#[cfg(feature = "mmap")]
mod map;
mod target;
mod temporary;

pub use error::AccessError;
#[cfg(feature = "mmap")]
pub use map::{Mapped, map};
pub use temporary::clear_abandoned_files;

use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use target::{Target, kind, take_over};
use temporary::{Temporary, clear_abandoned};

/// Lets `write` fill a temporary file beside `path`, syncs it to the disk, and renames it to `path`. Whoever opens
/// `path`, at any time and after any crash, finds the old contents or the new; of several writers at once, one wins.
///
/// Symbolic links are followed: what they lead to is replaced, and they stay. A file that is there keeps its mode, and
/// its owner where the process may give it away (hard links and extended attributes are not kept); a new one has the
/// mode that the process gives to new files. Temporary files that killed processes left of this path are removed;
/// those of processes that run are not.
///
/// # Errors
/// What `write` returns; [`AccessError::NotAFile`] if `path` leads to a folder, a device, a FIFO or a socket;
/// [`AccessError::Io`] if the file is write-protected or cannot be made. The temporary file is then removed, and `path`
/// is as it was.
///
/// ```
/// use std::io::Write;
/// let path = std::env::temp_dir().join(format!("wengert-{}.txt", std::process::id()));
/// wengert_tensor::file::write_atomically(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_atomically<E: From<AccessError>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
) -> Result<(), E> {
    let target = Target::of(path)?;
    // First, as the disk may be full of them.
    clear_abandoned(&target.path);
    let mut temporary = Temporary::beside(&target.path, target.old.is_some()).map_err(AccessError::from)?;
    let mut writer = BufWriter::new(&temporary.file);
    write(&mut writer)?;
    writer.flush().map_err(AccessError::from)?;
    drop(writer);
    put(&temporary.file, &temporary.path, &target)?;
    temporary.renamed = true;
    Ok(())
}

/// Makes the temporary file of [`write_atomically`], and removes it again: whether the folder can be written to.
///
/// # Errors
/// Those of the system.
///
/// ```
/// use wengert_tensor::file::check_writable;
/// // Better told before the work than after it.
/// assert!(check_writable(&std::env::temp_dir().join("wengert-result")).is_ok());
/// assert!(check_writable("no/such/folder/result".as_ref()).is_err());
/// ```
pub fn check_writable(path: &Path) -> Result<(), Error> {
    Temporary::beside(path, false).map(drop)
}

/// Opens a regular file to read it at any place: a FIFO would wait for a writer, and a device has no end.
///
/// # Errors
/// [`AccessError::NotAFile`] if `path` leads to something else, [`AccessError::Io`] if it cannot be opened.
///
/// ```
/// use wengert_tensor::file::open;
/// let path = std::env::temp_dir().join("wengert-open");
/// std::fs::write(&path, b"data")?;
/// assert_eq!(open(&path).unwrap().metadata()?.len(), 4);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn open(path: &Path) -> Result<File, AccessError> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(AccessError::NotAFile { kind: kind(found.file_type()) });
    }
    Ok(File::open(path)?)
}

/// Syncs the file that was written under the name `from`, and renames it to `path` by the rules of
/// [`write_atomically`].
///
/// # Errors
/// [`AccessError::NotAFile`] if `path` leads to something else than a regular file, [`AccessError::Io`] if it is
/// write-protected, or on another file system.
///
/// ```
/// use wengert_tensor::file::move_into_place;
/// let folder = std::env::temp_dir();
/// let (part, whole) = (folder.join("wengert-part"), folder.join("wengert-whole"));
/// std::fs::write(&part, b"all of it")?;
/// move_into_place(&std::fs::File::open(&part)?, &part, &whole).unwrap();
/// assert!(!part.exists() && std::fs::read(&whole)? == b"all of it");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn move_into_place(file: &File, from: &Path, path: &Path) -> Result<(), AccessError> {
    put(file, from, &Target::of(path)?)
}

fn put(file: &File, from: &Path, target: &Target) -> Result<(), AccessError> {
    if let Some(old) = &target.old {
        take_over(file, old)?;
    }
    file.sync_all()?;
    std::fs::rename(from, &target.path)?;
    Ok(sync_folder(&target.path)?)
}

/// Makes the renaming itself last. Only Unix can sync a folder, and not each of its file systems.
fn sync_folder(path: &Path) -> Result<(), Error> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder may be writable and not readable.
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(error),
        _ => Ok(()),
    }
}
