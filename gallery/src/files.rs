//! Writing files.

use std::io::{self, Write};
use std::path::Path;

use wengert::tensor::file::write_atomically;

/// Writes a file, in a folder that is made if it is missing, so that its name never stands for half of it.
///
/// # Errors
/// If that fails; an older file of the name is then still there.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_atomically(path, |file| file.write_all(bytes))
}
