//! The text that language models learn from, unless they are told otherwise.

use std::path::{Path, PathBuf};

use wengert::data::DataError;
use wengert::data::text::Text;

/// What is in a file, or the guides and documentation of this repository, and what it is.
///
/// # Errors
/// If a file cannot be read.
pub fn load(file: Option<&Path>) -> Result<(Text, String), DataError> {
    match file {
        Some(path) => Ok((Text::read(path)?, path.display().to_string())),
        None => Ok((guides()?, "the guides and documentation of this repository".into())),
    }
}

/// The guides and the documentation of this repository, about 150 kB of English and Rust, in the order of their names.
///
/// # Errors
/// If a file cannot be read.
pub fn guides() -> Result<Text, DataError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["", "docs", "docs/guide"] {
        files.extend(pages(&root.join(folder))?);
    }
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend_from_slice(Text::read(file)?.bytes());
    }
    Ok(Text::from(bytes))
}

/// The pages in a folder.
fn pages(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read = |source| DataError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_enough_to_read() {
        let (text, name) = load(None).unwrap();
        assert!(text.bytes().len() > 100_000 && name.contains("guides"));
        assert!(String::from_utf8_lossy(text.bytes()).contains("# Architecture"));
        assert!(load(Some(Path::new("no such file"))).is_err());
    }
}
