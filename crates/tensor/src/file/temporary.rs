//! The temporary file beside the one that is being written.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The end of a temporary's name.
const SUFFIX: &str = ".wengert.tmp";
/// Longer names are replaced by a hash, as file systems allow 255 bytes with all that is added.
const LONGEST: usize = 180;

/// A file that is removed unless it gets its name, also by a panic. It is locked while it is in use, and the system
/// unlocks it when the process ends, however that happens: so one that nobody has locked is abandoned.
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) renamed: bool,
}

impl Temporary {
    /// A new file beside `target`, which only its owner may read if it is `private`.
    pub(super) fn beside(target: &Path, private: bool) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Some(name) = target.file_name() else {
            let path = crate::messages::text::path(target);
            return Err(Error::new(ErrorKind::InvalidInput, format!("`{path}` is not the name of a file")));
        };
        let start = start(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        // Elsewhere files have no such modes.
        #[cfg(not(unix))]
        let _ = private;
        loop {
            let mut unique = start.clone();
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            unique.push(format!("{}-{count}{SUFFIX}", std::process::id()));
            let path = target.with_file_name(unique);
            let file = match options.open(&path) {
                Ok(file) => file,
                // Of a process of the same number: killed, or on another machine.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            match file.try_lock() {
                // Somebody took it for abandoned before it was locked.
                Ok(()) if !is_at(&file, &path) => continue,
                Err(TryLockError::WouldBlock) => continue,
                // Where there are no locks nothing is ever taken for abandoned.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Temporary { path, file, renamed: false }),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The error that led here is the one to tell.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes what killed processes left of `target`. That some of it cannot be removed is no error.
pub(super) fn clear_abandoned(target: &Path) {
    let Some(name) = target.file_name() else { return };
    let start = start(name);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    clear_abandoned_in(folder, |temporary| is_temporary(temporary, &start));
}

/// Removes the temporaries in a folder whose names are asked for, unless they are in use.
fn clear_abandoned_in(folder: &Path, asked_for: impl Fn(&OsStr) -> bool) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !asked_for(&entry.file_name()) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &path) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Removes what killed processes left of files in a folder that [`write_atomically`](super::write_atomically) was to
/// write, of those whose names are `ours`; of names longer than 180 bytes nothing is found. For a folder of files that
/// may never be written again. That something cannot be removed is no error.
///
/// ```
/// use wengert_tensor::file::clear_abandoned_files;
/// let folder = std::env::temp_dir().join("wengert-abandoned");
/// std::fs::create_dir_all(&folder)?;
/// std::fs::write(folder.join("run-1.ckpt"), b"whole")?;
/// // What is no temporary stays.
/// clear_abandoned_files(&folder, |name| name.ends_with(".ckpt"));
/// assert!(folder.join("run-1.ckpt").exists());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn clear_abandoned_files(folder: &Path, ours: impl Fn(&str) -> bool) {
    clear_abandoned_in(folder, |temporary| temporary.to_str().and_then(target_of).is_some_and(&ours));
}

/// The name of the file that a temporary of this name was to become.
fn target_of(temporary: &str) -> Option<&str> {
    let (target, _) = temporary.strip_prefix('.')?.strip_suffix(SUFFIX)?.rsplit_once('.')?;
    is_temporary(temporary.as_ref(), &start(target.as_ref())).then_some(target)
}

/// What the names of all temporaries of a file begin with.
fn start(name: &OsStr) -> OsString {
    let mut start = OsString::from(".");
    if name.len() <= LONGEST {
        start.push(name);
    } else {
        let mut hash = DefaultHasher::new();
        name.hash(&mut hash);
        start.push(format!("{:016x}", hash.finish()));
    }
    start.push(".");
    start
}

/// Whether a name is made of that start, two numbers, and the suffix: the temporaries of `a.b` are none of `a`.
fn is_temporary(name: &OsStr, start: &OsStr) -> bool {
    let rest = name.as_encoded_bytes().strip_prefix(start.as_encoded_bytes());
    let Some(numbers) = rest.and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes())) else { return false };
    let mut parts = numbers.split(|&b| b == b'-');
    let number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    number(parts.next()) && number(parts.next()) && parts.next().is_none()
}

/// Whether the open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (open.dev(), open.ino()) == (named.dev(), named.ino())
    }
    #[cfg(not(unix))]
    {
        open.len() == named.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_temporaries_of_one_name_are_recognised() {
        let ours = |name: &str, of: &str| is_temporary(name.as_ref(), &start(of.as_ref()));
        assert!(ours(".a.12-0.wengert.tmp", "a"));
        assert!(ours(".a.b.12-0.wengert.tmp", "a.b"));
        assert_eq!(target_of(".a.12-0.wengert.tmp"), Some("a"));
        assert_eq!(target_of(".a.b.12-0.wengert.tmp"), Some("a.b"));
        for name in [
            ".a.b.12-0.wengert.tmp",
            ".a.12-0.tmp",
            "a.12-0.wengert.tmp",
            ".a.12.wengert.tmp",
            ".a.-0.wengert.tmp",
            ".a.12-0-1.wengert.tmp",
            ".a.x2-0.wengert.tmp",
            ".a..wengert.tmp",
            ".b.12-0.wengert.tmp",
            "a",
        ] {
            assert!(!ours(name, "a"), "{name}");
            assert_ne!(target_of(name), Some("a"), "{name}");
        }
        let long = "n".repeat(255);
        assert!(start(long.as_ref()).len() < 30);
        assert_ne!(start(long.as_ref()), start("m".repeat(255).as_ref()));
    }
}
