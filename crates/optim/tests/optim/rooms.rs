//! The two rooms of the crate know nothing of each other.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn nothing_is_imported_from_one_room_to_the_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, other) in [("first", "minimize"), ("minimize", "first")] {
        let mut found = Vec::new();
        files(&source.join(room), &mut found);
        assert!(found.len() > 40, "{room}: {} files", found.len());
        for path in found {
            let text = fs::read_to_string(&path).unwrap();
            // Examples in the documentation use what users use.
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let across: Vec<&str> = code.filter(|line| line.contains(&format!("crate::{other}"))).collect();
            assert!(across.is_empty(), "{}: {across:?}", path.display());
        }
    }
}
