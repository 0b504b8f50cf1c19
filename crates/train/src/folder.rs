//! Folders that are made where they are missing.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// Makes a folder, with those that it is in. That a file stands there is said in words: the system says that it exists.
pub(crate) fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::new(ErrorKind::NotADirectory, "it is a file, not a folder"),
        _ => error,
    })
}
