//! Files as memory, with the feature `mmap`.

use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use super::{AccessError, open};

/// A file's bytes, which the system reads where they are looked at and forgets where it needs the memory: see [`map`].
///
/// ```
/// use wengert_tensor::file::{Mapped, map};
/// let path = std::env::temp_dir().join("wengert-mapped-bytes");
/// std::fs::write(&path, [1u8, 2, 3])?;
/// let bytes: Mapped = map(&path).unwrap();
/// assert_eq!(bytes[1..], [2, 3]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Mapped(Mmap);

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The bytes of a file, of any size, without reading them first.
///
/// The file must stay as it is as long as they are in use: if another process changes it meanwhile, the bytes change, and if it
/// is cut short, the process is ended by a signal (SIGBUS) where it reads on. Files that
/// [`write_atomically`](super::write_atomically) replaces are safe, as the old one stays until it is closed.
///
/// ```
/// let path = std::env::temp_dir().join("wengert-mapped");
/// std::fs::write(&path, b"bytes")?;
/// assert_eq!(*wengert_tensor::file::map(&path).unwrap(), *b"bytes");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`AccessError::NotAFile`] if `path` leads to something else than a regular file, [`AccessError::Io`] if it cannot be opened or
/// mapped.
pub fn map(path: &Path) -> Result<Mapped, AccessError> {
    let file = open(path)?;
    // SAFETY: the map is private to reading, and its bytes are only handed out as `&[u8]`, in which any byte is valid. That
    // nobody changes the file beneath it no program can enforce, as for every map; what callers must see to, and what happens
    // otherwise, is documented above.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Mapped(map))
}
