//! The guides as a book: every page is in it, and every link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn pages_in(folder: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.sort();
    pages
}

/// A page's text without its programs, line by line.
fn prose(page: &Path) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut lines = Vec::new();
    for (number, line) in fs::read_to_string(page).unwrap().lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            lines.push((number + 1, line.to_owned()));
        }
    }
    lines
}

/// The targets of `[…](target)` in a line.
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(str::to_owned).collect()
}

/// The name by which GitHub and mdBook link to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.trim().replace(' ', "-")
}

fn anchors(page: &Path) -> BTreeSet<String> {
    let headings = prose(page).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_page_is_in_the_book_and_nothing_else() {
    let docs = root().join("docs");
    let mut listed = Vec::new();
    for (_, line) in prose(&docs.join("SUMMARY.md")) {
        listed.extend(links(&line));
    }
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a page is in docs/SUMMARY.md twice");
    let pages = pages_in(&docs).into_iter().chain(pages_in(&docs.join("guide")));
    let found: BTreeSet<String> = pages
        .map(|page| page.strip_prefix(&docs).unwrap().to_str().unwrap().replace('\\', "/"))
        .filter(|page| page != "SUMMARY.md")
        .collect();
    assert_eq!(unique, found, "docs/SUMMARY.md lists the pages of docs and docs/guide");
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut pages: Vec<PathBuf> =
        [root.join("docs"), root.join("docs/guide"), root.clone()].iter().flat_map(|f| pages_in(f)).collect();
    for crates in fs::read_dir(root.join("crates")).unwrap() {
        pages.extend(pages_in(&crates.unwrap().path()));
    }
    let mut count = 0;
    let mut broken = Vec::new();
    for page in &pages {
        for (number, line) in prose(page) {
            for link in links(&line) {
                if link.contains("://") || link.starts_with("mailto:") {
                    continue;
                }
                count += 1;
                let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
                let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
                let leads = target.exists() && (heading.is_empty() || anchors(&target).contains(heading));
                if !leads {
                    broken.push(format!("{}:{number}: {link}", page.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn every_guide_is_tested_and_listed() {
    let root = root();
    let library = fs::read_to_string(root.join("crates/wengert/src/lib.rs")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for page in pages_in(&root.join("docs/guide")) {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        // Those of training on several processes are tested where that crate is, which needs MPI for some.
        let elsewhere = ["asynchronous.md", "parallel.md"].contains(&name.as_str());
        let programs = fs::read_to_string(&page).unwrap().contains("```rust");
        assert!(
            !programs || elsewhere || library.contains(&format!("docs/guide/{name}\"")),
            "the programs of {name} are not tested"
        );
        assert!(readme.contains(&format!("docs/guide/{name}")), "README.md does not list {name}");
    }
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor(" Going on, in the middle of an epoch"), "going-on-in-the-middle-of-an-epoch");
    assert_eq!(anchor(" `f32` unless another is named"), "f32-unless-another-is-named");
}
