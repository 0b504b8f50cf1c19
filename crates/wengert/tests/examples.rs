//! Every public item has an example that runs. By a plain reading of the sources:
//!
//! - a function and a trait has one of its own (a trait perhaps at one of its methods);
//! - a type has one of its own, or its name stands in an example of its crate; the options of something (`…Config`,
//!   `…Builder`, `…Settings`) go with that;
//! - a method of more than two lines has one of its own, or is called in an example of its crate.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

const CRATES: [&str; 11] = [
    "tensor",
    "state",
    "tape",
    "nn",
    "optim",
    "curvature",
    "data",
    "train",
    "plot",
    "distributed",
    "formats",
];

/// What the operations on `Var` are the examples of: functions of slices, for the tape.
const KERNELS: &str = "src/kernels/";

/// Names that are public for other crates of this workspace alone, or for serde.
const HIDDEN: &[&str] = &[
    // `#[doc(hidden)]` where they are exported.
    "pieces",
    "pull_back",
    "scalar",
    "Watched",
    "of_formulas",
    "all_reached",
    "Steps",
    "fingerprint",
    "InForce",
    // Not exported: which batches an epoch can be told the place of.
    "Placed",
    "Sealed",
    // `#[serde(with = "…")]`.
    "serialize",
    "deserialize",
    // Of some processors alone.
    "Avx2",
    "Avx512",
    // Checks that name their caller in a panic.
    "check_weights",
    "check_logits",
];

struct Item {
    place: String,
    kind: &'static str,
    name: String,
    /// In an `impl` or a macro.
    is_method: bool,
    lines: usize,
    has_example: bool,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// What a line declares, if it is public.
fn declared(line: &str) -> Option<(&'static str, &str)> {
    let mut rest = line.trim_start().strip_prefix("pub ")?;
    for word in ["const ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let kind = ["fn", "struct", "enum", "trait"]
        .into_iter()
        .find(|kind| rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')))?;
    let name = rest[kind.len() + 1..].split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    // That which a macro fills in has none.
    (!name.is_empty()).then_some((kind, name))
}

/// The public items of a file, outside of its tests.
fn items(path: &Path, text: &str) -> Vec<Item> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut found, mut doc, mut hidden, mut open_attribute) = (Vec::new(), String::new(), false, false);
    for (i, &line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if code.starts_with("mod tests") {
            break;
        }
        if code.starts_with("///") {
            doc += code;
            doc.push('\n');
            continue;
        }
        if open_attribute || code.starts_with("#[") {
            hidden |= code.contains("doc(hidden)");
            open_attribute = !code.ends_with(']');
            continue;
        }
        if let Some((kind, name)) = declared(line) {
            let end = format!("{}}}", " ".repeat(indent(line)));
            let is_short = line.ends_with('}') || line.ends_with(';');
            let body = lines[i + 1..].iter().position(|line| line.starts_with(&end)).map_or(0, |n| n + 1);
            let lines_of_it = if is_short { 0 } else { body };
            let of_methods =
                kind == "trait" && lines[i..i + lines_of_it].iter().any(|line| line.contains("/// ```"));
            if !hidden {
                found.push(Item {
                    place: format!("{}:{}", path.display(), i + 1),
                    kind,
                    name: name.into(),
                    is_method: kind == "fn" && indent(line) > 0,
                    lines: lines_of_it,
                    has_example: doc.contains("```") || of_methods,
                });
            }
        }
        doc.clear();
        hidden = false;
    }
    found
}

/// The words of a crate's examples, without what they import; those that are called end with `(`.
fn words(texts: &[String]) -> HashSet<String> {
    let mut words = HashSet::new();
    for text in texts {
        let mut inside = false;
        for line in text.lines().map(str::trim_start) {
            let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
            let line = line.trim_start();
            if line.starts_with("```") {
                inside = !inside;
            } else if inside && !line.starts_with("use ") {
                let mut rest = line;
                while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
                    rest = &rest[start..];
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                    words.insert(rest[..end].to_string());
                    if rest[end..].starts_with('(') || rest[end..].starts_with("::<") {
                        words.insert(format!("{}(", &rest[..end]));
                    }
                    rest = &rest[end..];
                }
            }
        }
    }
    words
}

/// What something is the options of.
fn without_suffix(name: &str) -> Option<&str> {
    ["Config", "Builder", "Settings"].iter().find_map(|suffix| name.strip_suffix(suffix))
}

#[test]
fn every_public_item_has_an_example() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut lacking = Vec::new();
    for name in CRATES {
        let mut files = Vec::new();
        sources(&crates.join(name).join("src"), &mut files);
        let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let words = words(&texts);
        let is_named =
            |name: &str| ["", "1d", "2d", "3d"].iter().any(|axes| words.contains(&format!("{name}{axes}")));
        for (file, text) in files.iter().zip(&texts) {
            let path = file.strip_prefix(&crates).unwrap();
            if path.to_str().unwrap().contains(KERNELS) {
                continue;
            }
            for item in items(path, text) {
                let Item { kind, name, .. } = &item;
                let shown = match *kind {
                    _ if item.has_example || HIDDEN.contains(&name.as_str()) => true,
                    "fn" if item.is_method => item.lines <= 2 || words.contains(&format!("{name}(")),
                    "fn" | "trait" => false,
                    // What methods remember is to be saved, no more: the module `state` has the example.
                    _ if path.starts_with("optim")
                        && (name.ends_with("State") || name.ends_with("Memory")) =>
                    {
                        true
                    }
                    _ => is_named(name) || without_suffix(name).is_some_and(is_named),
                };
                if !shown {
                    lacking.push(format!("{}: {kind} {name}", item.place));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "{} public items without an example:\n{}", lacking.len(), lacking.join("\n"));
}

#[test]
fn what_lacks_one_is_found() {
    let text = "/// A.\npub struct Lonely;\n\nimpl Lonely {\n    /// B.\n    ///\n    /// ```\n    /// ```\n    #[must_use]\n    pub fn shown(&self) {\n        a();\n        b();\n        c();\n    }\n    /// C.\n    pub fn silent(&self) {\n        a();\n        b();\n        c();\n    }\n}\n";
    let found = items(Path::new("file.rs"), text);
    let summary: Vec<_> =
        found.iter().map(|item| (item.name.as_str(), item.has_example, item.lines)).collect();
    assert_eq!(summary, [("Lonely", false, 0), ("shown", true, 4), ("silent", false, 4)]);
}
