//! Where data sets are looked for. The places depend on environment variables, so each case runs in a process of
//! its own: this test program again, with other variables.

use std::path::Path;
use std::process::Command;

use wengert_data::idx::Idx;
use wengert_data::{FashionMnist, Mnist, Origin};

/// Tells the child which data set to load.
const CHILD: &str = "WENGERT_TEST_LOAD";

/// Not a test of its own: what the child runs.
#[test]
fn child() {
    let Ok(name) = std::env::var(CHILD) else { return };
    let result = if name == "mnist" { Mnist::load() } else { FashionMnist::load() };
    match result {
        Ok(set) => {
            let kind = match set.origin {
                Origin::Folder(_) => "folder",
                Origin::Cache(_) => "cache",
                Origin::Downloaded(_) => "downloaded",
                Origin::Synthetic { .. } => "synthetic",
                _ => "other",
            };
            println!("\nRESULT {kind} of {} {}; {}", set.train.len(), set.test.len(), set.origin);
        }
        Err(error) => println!("\nRESULT error {error}"),
    }
}

/// What loading `name` gives when the two places are these.
fn load(name: &str, data: Option<&Path>, cache: &Path) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "load::child", "--nocapture"]).env(CHILD, name);
    for variable in ["XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"] {
        command.env(variable, cache);
    }
    match data {
        Some(data) => command.env("WENGERT_DATA", data),
        None => command.env_remove("WENGERT_DATA"),
    };
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = output.lines().find_map(|line| line.strip_prefix("RESULT "));
    line.unwrap_or_else(|| panic!("{output}")).into()
}

/// Puts a data set of `count` images into a folder.
fn fill(folder: &Path, count: usize) {
    std::fs::create_dir_all(folder).unwrap();
    for name in ["train", "t10k"] {
        let images = Idx::new(vec![0u8; count * 784], [count, 28, 28]).unwrap();
        images.write(folder.join(format!("{name}-images-idx3-ubyte"))).unwrap();
        Idx::new(vec![0u8; count], [count])
            .unwrap()
            .write(folder.join(format!("{name}-labels-idx1-ubyte")))
            .unwrap();
    }
}

#[test]
fn the_named_folder_comes_before_the_cache() {
    let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (data, cache) = (data.path(), cache.path());
    // The same place whatever the platform's rule makes of the variables.
    for folder in ["wengert", ".cache/wengert", "Library/Caches/wengert"] {
        fill(&cache.join(folder).join("mnist"), 2);
    }
    assert!(load("mnist", None, cache).starts_with("cache of 2 2; from the cache, "));
    assert!(load("mnist", Some(data), cache).starts_with("cache of 2 2"), "the folder has nothing");
    fill(data, 3);
    assert!(load("mnist", Some(data), cache).starts_with("folder of 3 3"));
    fill(&data.join("mnist"), 4);
    assert!(load("mnist", Some(data), cache).starts_with("folder of 4 4"));
    fill(&data.join("fashion-mnist"), 5);
    assert!(load("fashion", Some(data), cache).starts_with("folder of 5 5"));
    assert!(load("fashion", Some(&data.join("fashion-mnist")), cache).starts_with("folder of 5 5"));
    // Broken data are an error, not a reason to take others.
    std::fs::write(data.join("mnist/train-labels-idx1-ubyte"), "").unwrap();
    assert!(load("mnist", Some(data), cache).ends_with("train-labels-idx1-ubyte: the file is empty"));
    std::fs::remove_file(data.join("mnist/train-labels-idx1-ubyte")).unwrap();
    assert!(load("mnist", Some(data), cache).contains("no file train-labels-idx1-ubyte"));
}

// With the feature, loading would ask the network.
#[cfg(not(feature = "download"))]
#[test]
fn without_any_data_mnist_is_drawn_and_fashion_mnist_is_an_error() {
    let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // MNIST in the data folder itself is not taken for the other set.
    fill(data.path(), 1);
    let fashion = load("fashion", Some(data.path()), cache.path());
    assert!(fashion.starts_with("error Fashion-MNIST cannot be had: not in $WENGERT_DATA, "), "{fashion}");
    let mnist = load("mnist", None, cache.path());
    let expected =
        "synthetic of 60000 10000; SYNTHETIC digits, not MNIST ($WENGERT_DATA is not set; not in the cache, ";
    assert!(
        mnist.starts_with(expected) && mnist.ends_with("; built without the feature `download`)"),
        "{mnist}"
    );
}
