//! Models in several safetensors files.

use std::path::Path;

use wengert_formats::sharded::{self, IndexError, Sharded};
use wengert_formats::{FormatsError, load};
use wengert_nn::tensor_file::TensorSource;
use wengert_nn::{FileError, Init, Linear, Loading, Params};

use crate::{golden, is_golden, model};

const INDEX: &str = "model.safetensors.index.json";

/// The golden model with another index.
fn with_index(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for i in 1..=3 {
        let name = format!("model-{i:05}-of-00003.safetensors");
        std::fs::copy(golden(&name), folder.path().join(&name)).unwrap();
    }
    let path = folder.path().join(INDEX);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn golden_index() -> String {
    std::fs::read_to_string(golden(INDEX)).unwrap()
}

fn wrong(path: &Path) -> IndexError {
    match Sharded::open(path).err().expect("it is wrong") {
        FormatsError::Index { source, path: told } => {
            assert_eq!(told, path);
            source
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_the_formats_own_library_wrote_is_loaded() {
    let mut params = model::<f32>();
    assert!(load(&mut params, golden(INDEX), &Loading::new()).unwrap().is_complete());
    assert!(is_golden(&params));
    assert_eq!(Sharded::open(golden(INDEX)).unwrap().files().len(), 3);
    // What the index does not speak of is passed over.
    let (_folder, path) = with_index(
        &golden_index()
            .replace(",\n    \"norm.num_batches_tracked\": \"model-00002-of-00003.safetensors\"", ""),
    );
    let mut names = Vec::new();
    Sharded::open(&path).unwrap().each(&mut |_, entry| names.push(entry.name().to_owned()));
    assert_eq!(names, ["body.weight", "body.bias", "norm.running_mean"]);
    let error = load(&mut params, &path, &Loading::new()).unwrap_err();
    assert!(matches!(error, FormatsError::File(FileError::Missing { held: 3, .. })), "{error}");
}

#[test]
fn what_the_index_says_must_be_there() {
    let (_folder, path) = with_index(&golden_index());
    std::fs::remove_file(path.with_file_name("model-00002-of-00003.safetensors")).unwrap();
    let missing = IndexError::MissingFile { file: "model-00002-of-00003.safetensors".into(), count: 3 };
    assert_eq!(wrong(&path), missing);

    let (_folder, path) = with_index(&golden_index().replace("body.bias", "body.biases"));
    assert!(matches!(wrong(&path), IndexError::MissingTensor { name, .. } if name == "body.biases"));
    let (_folder, path) = with_index(&golden_index().replace("\"model-00003", "\"model-00002"));
    assert!(matches!(wrong(&path), IndexError::MissingTensor { name, .. } if name == "norm.running_mean"));

    // Those who write indices count tensors that share memory in several ways.
    for fine in ["53", "52.0", "null", "\"52\""] {
        let (_folder, path) = with_index(&golden_index().replace("52", fine));
        load(&mut model::<f32>(), &path, &Loading::new()).unwrap();
    }

    // A damaged file is told by its own name.
    let (_folder, path) = with_index(&golden_index());
    let shard = path.with_file_name("model-00001-of-00003.safetensors");
    std::fs::write(&shard, b"damaged, but long enough").unwrap();
    let error = load(&mut model::<f32>(), &path, &Loading::new()).unwrap_err();
    assert!(error.to_string().starts_with(&*shard.to_string_lossy()), "{error}");
}

#[test]
fn files_do_not_leave_the_folder() {
    for name in ["../model.safetensors", "/etc/passwd", "a/b", "a\\\\b", "..", ".", "", "C:x", "a\\u0000b"] {
        let (_folder, path) = with_index(&format!(r#"{{"weight_map": {{"w": "{name}"}}}}"#));
        assert!(matches!(wrong(&path), IndexError::Outside { .. }), "{name}");
    }
}

#[test]
fn what_is_no_index_is_refused() {
    for text in [
        "{}",
        "{\"weight_map\": {}",
        "{\"weight_map\": []}",
        "{\"weight_map\": {\"w\": 1}}",
        "{\"weight_map\": {}} x",
        "{\"weight_map\": {}, \"weight_map\": {}}",
    ] {
        let (_folder, path) = with_index(text);
        assert!(matches!(wrong(&path), IndexError::Json { .. }), "{text}");
    }
    let deep = format!("{{\"a\": {}", "[".repeat(100_000));
    let (_folder, path) = with_index(&deep);
    assert!(matches!(wrong(&path), IndexError::Json { .. }));
}

fn large(seed: u64) -> Params {
    let mut params: Params = Params::seeded(seed);
    for i in 0..6 {
        Linear::new(params.at(format!("layer{i}")), 10, 10);
    }
    params.root().param("wide", [1000], Init::Uniform { low: 0.0, high: 1.0 });
    params.root().count("steps", seed as i64);
    params
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn models_are_written_in_files_of_some_size_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for (most, expected) in [(1, 14), (900, 5), (4100, 2), (1 << 30, 1)] {
        let saved = large(most);
        let index = sharded::save(&saved, folder.path(), most).unwrap();
        let mut loaded = large(0);
        assert!(load(&mut loaded, &index, &Loading::new()).unwrap().is_complete());
        assert_eq!((loaded.values(), loaded.counts()), (saved.values(), saved.counts()));
        // What an earlier model had is gone, and nothing else is left.
        let names = names_in(folder.path());
        assert_eq!(names.len(), expected + 1, "{names:?}");
        for name in names.iter().filter(|name| *name != INDEX) {
            let bytes = std::fs::metadata(folder.path().join(name)).unwrap().len();
            // The header of one is less than 2 KB; `wide` has 4000 bytes by itself.
            assert!(bytes <= most.max(4000) + 2048, "{name} has {bytes}");
            Params::<f32>::seeded(0).load_with(folder.path().join(name), &Loading::new().partial()).unwrap();
        }
    }
    // The same model again has the same names, and files of others stay.
    let other = folder.path().join("model-other.safetensors");
    std::fs::write(&other, b"mine").unwrap();
    let before = names_in(folder.path());
    sharded::save(&large(1 << 30), folder.path(), 1 << 30).unwrap();
    assert_eq!(names_in(folder.path()), before);
    assert!(sharded::save(&large(0), folder.path().join("nowhere"), 100).is_err());
}

#[test]
#[should_panic(expected = "sharded::save: 0 bytes for each file")]
fn files_of_nothing() {
    let _ = sharded::save(&large(0), "/nowhere", 0);
}
