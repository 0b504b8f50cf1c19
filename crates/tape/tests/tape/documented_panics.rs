//! The functions of a crate that say when they panic.

use std::fs::{read_dir, read_to_string};
use std::path::Path;

/// The names of all functions in the crate at `folder` whose documentation has a section on panics.
pub(crate) fn documented_panics(folder: &str) -> Vec<String> {
    let mut sources = vec![Path::new(folder).join("src")];
    let mut names = Vec::new();
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = read_to_string(&path).unwrap();
        for after in source.split("/// # Panics").skip(1) {
            let declared = after.split("fn ").nth(1).expect("a function is documented");
            names.push(declared.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
        }
    }
    names
}
