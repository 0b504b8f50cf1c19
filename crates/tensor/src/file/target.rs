//! What stands at the path that is to be written.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::AccessError;

/// Symbolic links that are followed: Linux's own limit.
const LINKS: usize = 40;

/// The place where the symbolic links end.
pub(super) struct Target {
    pub(super) path: PathBuf,
    /// The file that is there.
    pub(super) old: Option<Metadata>,
}

impl Target {
    /// # Errors
    /// If there is something else than a regular file, or one that may not be written.
    pub(super) fn of(path: &Path) -> Result<Self, AccessError> {
        let named_as_folder = path.as_os_str().as_encoded_bytes().last().is_some_and(|&b| b == b'/');
        let old = match std::fs::metadata(path) {
            Ok(old) if !old.is_file() => return Err(AccessError::NotAFile { kind: kind(old.file_type()) }),
            Ok(old) => Some(old),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if named_as_folder {
            return Err(AccessError::NotAFile { kind: "the name of a folder" });
        }
        let path = end_of_links(path)?;
        if old.is_some() {
            // Renaming asks for no leave to write to what it replaces; whoever took that leave away meant it.
            OpenOptions::new().write(true).open(&path)?;
        }
        Ok(Target { path, old })
    }
}

/// Where the links end, also if nothing is there.
fn end_of_links(path: &Path) -> Result<PathBuf, Error> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            // From the folder of the link, unless it is absolute.
            Ok(link) => path = path.parent().map_or(link.clone(), |folder| folder.join(&link)),
            // There is nothing, or no link.
            Err(_) => return Ok(path),
        }
    }
    Err(Error::other("too many levels of symbolic links"))
}

/// Gives the new file the mode of the old one, and its owner where that is allowed.
#[cfg(unix)]
pub(super) fn take_over(new: &File, old: &Metadata) -> Result<(), Error> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let now = new.metadata()?;
    if (now.uid(), now.gid()) != (old.uid(), old.gid()) {
        // Only the superuser may; others own what they save.
        let _ = fchown(new, Some(old.uid()), Some(old.gid()));
    }
    // After the owner, as a change of that takes bits away.
    if new.metadata()?.mode() == old.mode() { Ok(()) } else { new.set_permissions(old.permissions()) }
}

#[cfg(not(unix))]
pub(super) fn take_over(_: &File, _: &Metadata) -> Result<(), Error> {
    Ok(())
}

/// What it is, for a message.
pub(super) fn kind(of: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if of.is_fifo() {
            return "a FIFO";
        }
        if of.is_socket() {
            return "a socket";
        }
        if of.is_char_device() || of.is_block_device() {
            return "a device";
        }
    }
    if of.is_dir() { "a folder" } else { "something else" }
}
