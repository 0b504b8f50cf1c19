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

/// Asserts that every function of the crate at `folder` whose documentation has a section on panics is called in these of its files and
/// folders. They are more than `least`, and `known` is one of them.
#[track_caller]
pub(crate) fn assert_all_provoked(folder: &str, places: &[&str], least: usize, known: &str) {
    let names = documented_panics(folder);
    assert!(names.len() > least && names.iter().any(|name| name == known), "{names:?}");
    let missing = not_called_in(folder, places, &names);
    assert!(missing.is_empty(), "no misuse of {missing:?} is tried");
}

/// The names of all functions in the crate at `folder` whose documentation has a section on panics.
fn documented_panics(folder: &str) -> Vec<String> {
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
fn not_called_in(folder: &str, places: &[&str], names: &[String]) -> Vec<String> {
    let tests: String = places.iter().flat_map(|place| texts(Path::new(folder).join(place))).collect();
    names.iter().filter(|name| !tests.contains(&format!("{name}("))).cloned().collect()
}
