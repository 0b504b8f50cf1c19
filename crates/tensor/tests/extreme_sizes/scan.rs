//! That no function was forgotten.

use std::path::{Path, PathBuf};

/// All files of a folder of Rust.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn text(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    files(&folder).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// What a size, a position or an axis is passed as.
const SIZES: [&str; 8] =
    ["usize", "isize", "Into<Shape>", "Into<Dims>", "Into<Slice>", "Into<Axis>", "Into<Axes>", "&Shape"];

/// Functions whose numbers are no sizes, or that are called by all the others.
const OTHERS: [&str; 6] =
    ["for_each", "with_threads", "set_threads", "for_each_chunk", "fill_each", "broadcast"];

#[test]
fn every_public_function_of_a_size_is_called_with_extreme_ones() {
    let tests = text("tests/extreme_sizes").concat();
    let (mut found, mut missing) = (0, Vec::new());
    for source in text("src") {
        let public = source.split("#[cfg(test)]").next().unwrap();
        let methods = public.split("\n    pub fn ").skip(1);
        for function in methods.chain(public.split("\npub fn ").skip(1)) {
            let name: String = function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let mut depth = 0;
            let signature = function.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                c == ')' && depth == 0
            });
            let signature = &function[..signature.expect("brackets are closed")];
            if SIZES.iter().any(|size| signature.contains(size)) && !OTHERS.contains(&name.as_str()) {
                let called = ["(", "::<"].iter().any(|end| tests.contains(&format!("{name}{end}")));
                found += 1;
                if !called {
                    missing.push(name);
                }
            }
        }
    }
    assert!(missing.is_empty(), "no test calls {missing:?} with an extreme size");
    assert!(found > 90, "{found}");
}
