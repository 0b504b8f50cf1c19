//! Every name in the dictionary of `docs/guide/from-pytorch.md` is one that the crates export.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

fn texts(place: PathBuf) -> Vec<String> {
    if !place.is_dir() {
        return vec![read_to_string(&place).unwrap()];
    }
    read_dir(&place).unwrap().flat_map(|entry| texts(entry.unwrap().path())).collect()
}

fn name_at_start(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Tables that make methods and types, an entry a line.
const TABLES: [&str; 5] = [
    "nn/src/layer/activation/gated.rs",
    "tape/src/algebra/functions.rs",
    "tape/src/ops/unary.rs",
    "nn/src/layer/activation/mod.rs",
    "nn/src/layer/pad/mod.rs",
];

/// What the sources make public.
fn public_names() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    let mut names = BTreeSet::new();
    for text in read_dir(&crates).unwrap().flat_map(|folder| texts(folder.unwrap().path().join("src"))) {
        for line in text.lines().map(str::trim_start) {
            for start in ["pub fn ", "pub struct ", "pub enum ", "pub type ", "pub trait ", "pub const "] {
                names.extend(line.strip_prefix(start).map(name_at_start));
            }
        }
    }
    for text in TABLES.map(|table| read_to_string(crates.join(table)).unwrap()) {
        // `name, Type, …` or `Type …`.
        let entries = text.lines().map(str::trim_start).flat_map(|line| line.split([',', ' ', ';']).take(2));
        names.extend(entries.map(|entry| name_at_start(entry.trim())).filter(|name| !name.is_empty()));
    }
    names
}

#[test]
fn every_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = read_to_string(root.join("docs/guide/from-pytorch.md")).unwrap();
    let (_, table) = guide.split_once("## The dictionary").expect("the guide has the dictionary");
    let names = public_names();
    let mut missing = Vec::new();
    let mut count = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let here = row.split(" | ").nth(1).unwrap_or_else(|| panic!("no second column: {row}"));
        for code in here.split('`').skip(1).step_by(2) {
            // `x.name(…)`, `Var::name(…)` or `Name`.
            let name = code.split('(').next().unwrap().rsplit(['.', ':']).next().unwrap();
            count += 1;
            if !names.contains(name) {
                missing.push(code.to_owned());
            }
        }
    }
    assert!(count > 150, "only {count} names");
    assert!(missing.is_empty(), "nothing is called {missing:?}");
}
