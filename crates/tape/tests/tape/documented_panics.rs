//! The functions of a crate that say when they panic, and which of them tests call.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

/// The texts of all files in a file or folder.
fn texts(place: PathBuf) -> Vec<String> {
    if !place.is_dir() {
        return vec![read_to_string(&place).unwrap()];
    }
    read_dir(&place).unwrap().flat_map(|entry| texts(entry.unwrap().path())).collect()
}

/// The names of all functions in the crate at `folder` whose documentation has a section on panics.
pub(crate) fn documented_panics(folder: &str) -> Vec<String> {
    let mut names = Vec::new();
    for source in texts(Path::new(folder).join("src")) {
        for after in source.split("/// # Panics").skip(1) {
            // Behind the rest of the documentation, examples included.
            let mut code = after.lines().map(str::trim_start).skip(1).filter(|line| !line.starts_with("///"));
            let declared = code.find_map(|line| line.split_once("fn ")).expect("a function is documented").1;
            names.push(declared.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
        }
    }
    names
}

/// Those of the functions that are not called in these files and folders of the crate.
pub(crate) fn not_called_in(folder: &str, places: &[&str], names: &[String]) -> Vec<String> {
    let tests: String = places.iter().flat_map(|place| texts(Path::new(folder).join(place))).collect();
    names.iter().filter(|name| !tests.contains(&format!("{name}("))).cloned().collect()
}
