//! Every reader of files against files that somebody changed: it gives a result or an error, and asks for no more memory
//! than about twice what the file has, whatever the file claims.
//!
//! `WENGERT_TRIES` sets the number of changed files for each reader.

mod attack;

use std::fmt::Write;
use std::path::PathBuf;

use wengert::data::csv::CsvReader;
use wengert::data::idx::{Idx, LIMIT};
use wengert::optim::Adam;
use wengert::prelude::*;
use wengert::state::State;
use wengert::train::checkpoint::{self, CheckpointError};

use attack::{FIXED, attack, most};

/// Changed files for each reader.
const TRIES: u64 = 20_000;

/// IDX files of several types, plain and compressed.
fn idx_files(extension: &str) -> Vec<Vec<u8>> {
    let folder = std::env::temp_dir().join(format!("wengert-parsers-{extension}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("array.{extension}"));
    let mut files = Vec::new();
    Idx::new((0..60).map(|i| i as u8).collect(), [3, 4, 5]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    Idx::new(vec![0u8; 4000], [4000]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    Idx::new((0..40).map(|i| f64::from(i).sqrt()).collect(), [40]).unwrap().write(&path).unwrap();
    files.push(std::fs::read(&path).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    files
}

fn read_idx(bytes: &[u8]) -> bool {
    let read = Idx::<u8>::read_from(bytes, LIMIT).is_ok();
    read | Idx::<f64>::read_from(bytes, LIMIT).is_ok()
}

#[test]
fn idx() {
    attack("IDX", TRIES, &idx_files("idx"), 2, read_idx);
}

#[test]
fn gzip() {
    let mut files = idx_files("gz");
    files.push([&files[0][..], &[0; 30]].concat());
    // Deflate makes up to 1032 bytes of one.
    attack("gzip", TRIES, &files, 2 * 1032, read_idx);
}

#[test]
fn csv() {
    let mut table = String::from("a,\"b, too\",y\r\n");
    for i in 0..20 {
        writeln!(table, "{i}, \"-{i}.25e-3\" ,{}", i % 3).unwrap();
    }
    let files = [table.into_bytes(), b"a,b,y\n1,2,0\n".to_vec(), b"0.5,1.5,2\n0.25,1e3,1".to_vec()];
    let readers = [
        CsvReader::new().target("y"),
        CsvReader::new().header(false).target(-1),
        CsvReader::new(),
        CsvReader::new().target(1).delimiter(b';'),
    ];
    // A number may have two bytes in the file and four here, twice while the table is made; a name a string.
    attack("CSV", TRIES, &files, 40, |bytes| {
        let mut read = false;
        for reader in &readers {
            if let Ok(table) = reader.read_from(bytes) {
                assert_eq!(table.names.len(), table.features.shape()[1]);
                read = true;
                let _ = table.clone().into_regression();
                let _ = table.into_classification(3);
            }
        }
        read
    });
}

fn model<T: Float>() -> Params<T> {
    let mut params: Params<T> = Params::seeded(0);
    Linear::new(params.at("hidden"), 3, 2);
    params.root().param("scalar", [0usize; 0], Init::Ones);
    params.at("norm").buffer("running_mean", Tensor::zeros([2]));
    params
}

#[test]
fn safetensors() {
    let batches = r#","norm.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[44,52]}}"#;
    let single = model::<f32>().to_safetensors().unwrap();
    let length = u64::from_le_bytes(single[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(single[8..8 + length].to_vec()).unwrap();
    let header = header.trim_end().strip_suffix('}').unwrap().to_owned() + batches;
    let mut with_integers = (header.len() as u64).to_le_bytes().to_vec();
    with_integers.extend(header.bytes());
    with_integers.extend(&single[8 + length..]);
    with_integers.extend([0; 8]);
    let files = [single, model::<f64>().to_safetensors().unwrap(), with_integers];
    let mut params = model::<f32>();
    attack("safetensors", TRIES, &files, 2, |bytes| {
        // Beside the file, an error has names of the model's.
        let read = params.load_safetensors(bytes);
        if let Err(error) = &read {
            let message = error.to_string();
            assert!(message.len() < 900 && !message.contains('\n'), "{message}");
        }
        read.is_ok()
    });
}

/// A file of its own for each test, in memory if the system has such a place.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Place(folder.join(format!("wengert-parsers-{name}-{}", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Reads a checkpoint; one with a checksum that is not its own again, with the right one, so that nothing is refused for that alone.
fn read_sealed(place: &Place, bytes: &[u8]) -> Result<State, CheckpointError> {
    std::fs::write(&place.0, bytes).unwrap();
    let error = match checkpoint::read(&place.0) {
        Err(CheckpointError::Damaged { expected, found, .. }) if expected.len() == found.len() => {
            let at = bytes.windows(expected.len()).position(|window| window == expected.as_bytes()).unwrap();
            let mut bytes = bytes.to_vec();
            bytes[at..at + found.len()].copy_from_slice(found.as_bytes());
            std::fs::write(&place.0, bytes).unwrap();
            checkpoint::read(&place.0)
        }
        read => read,
    };
    if let Err(error) = &error {
        let message = error.to_string();
        assert!(message.len() < 900 && !message.contains('\n'), "{message}");
    }
    error
}

/// A state with all that there is in one.
fn run_state(params: State) -> State {
    let adam = Adam::<f32>::new(0.1).state();
    State::new("run", 0)
        .with_child("params", params)
        .with_child("optimizer", adam)
        .with_count("step", 7)
        .with_real("loss", f64::NAN)
        .with_vector("average", &[0.5f64; 40])
}

#[test]
fn checkpoints() {
    let place = Place::new("checkpoints");
    let files = [run_state(model::<f32>().state()), run_state(model::<f64>().state())].map(|state| {
        checkpoint::write(&place.0, &state).unwrap();
        std::fs::read(&place.0).unwrap()
    });
    attack("checkpoints", TRIES, &files, 3, |bytes| read_sealed(&place, bytes).is_ok());
}

/// Files that are written as checkpoints are, with a state of somebody else's making: a tree of short names takes more than its
/// text, and one copy of the file is this test's.
#[test]
fn checkpoints_that_are_all_claims() {
    const N: usize = 1 << 20;
    let place = Place::new("claims");
    let many = |of: &dyn Fn(usize) -> String| (0..N / 64).map(of).collect::<Vec<_>>().join(",");
    let state = |part: &str, of: String| {
        let of = format!("{{{of}}}");
        let parts = ["scalars", "vectors", "children"].map(|name| {
            let of = if name == part { &of } else { "{}" };
            format!("\"{name}\":{of}")
        });
        format!("{{\"kind\":\"run\",\"len\":0,{}}}", parts.join(","))
    };
    let child = r#"{"kind":"","len":0,"scalars":{},"vectors":{},"children":{}}"#;
    for json in [
        state("scalars", many(&|i| format!("\"{i}\":{{\"Flag\":true}}"))),
        state("children", many(&|i| format!("\"{i}\":{child}"))),
        state("children", format!("\"{}\":{child}", "n".repeat(N))),
        "[".repeat(N),
        format!("{{\"children\":{{\"\":{}", "{\"children\":{\"\":".repeat(N / 16)),
        format!("\"{}\"", "\\".repeat(N)),
        "1".repeat(N),
    ] {
        let text = serde_json::to_string(&json).unwrap();
        let header = format!(
            r#"{{"__metadata__":{{"wengert.checkpoint":"1","wengert.crc32":"00000000","wengert.state":{text}}}}}"#
        );
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        let held = most(|| drop(read_sealed(&place, &bytes)));
        assert!(held <= 6 * bytes.len() + FIXED, "{:.60}: {held} for {}", json, bytes.len());
    }
}

/// Each of these files is as large as it can be for what it says.
#[test]
fn files_that_are_all_claims() {
    const N: usize = 1 << 20;
    let commas = ",".repeat(N);
    let names = "x,".repeat(N / 2);
    let zeros = "0,".repeat(N / 2);
    let quoted = format!("\"{}", "\"\"".repeat(N / 2));
    let tables = [&commas, &names, &zeros, &quoted, &"\n".repeat(N), &"1\n".repeat(N / 2), &"9".repeat(N)];
    for text in tables {
        for reader in
            [CsvReader::new(), CsvReader::new().target("unknown"), CsvReader::new().header(false).target(-1)]
        {
            let held = most(|| {
                let Err(error) = reader.read_from(text.as_bytes()) else { return };
                assert!(error.to_string().len() < 300);
            });
            // A column of numbers of one digit is as many numbers, of eight bytes as a target.
            let factor = if text.starts_with("1\n") { 20 } else { 3 };
            assert!(held <= factor * text.len() + FIXED, "{:.20}: {held} for {}", text, text.len());
        }
    }
    let header = |json: String| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
    let empty = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
    let entries: Vec<String> = (0..N / 64).map(|i| format!("\"{i}\":{empty}")).collect();
    let shape = |lengths: &str| {
        format!(r#"{{"hidden.weight":{{"dtype":"I8","shape":{lengths},"data_offsets":[0,0]}}}}"#)
    };
    for json in [
        format!("{{{}}}", entries.join(",")),
        shape(&format!("[{}0]", "0,".repeat(N / 2))),
        shape(&"[".repeat(N)),
        shape(&format!("\"{}\"", "a".repeat(N))),
        format!(r#"{{"{}":{empty}}}"#, "\\n".repeat(N / 2)),
        format!(r#"{{"__metadata__":{{"a":"{}"}}}}"#, "b".repeat(N)),
        format!(r#"{{"__metadata__":{}}}"#, "[".repeat(N)),
        format!(r#"{{"__metadata__":"{}"}}"#, "g".repeat(N)),
        format!("\"{}\"", "c".repeat(N)),
        format!(r#"{{"w":"{}"}}"#, "d".repeat(N)),
        format!(r#"{{"w":{{"{}":1}}}}"#, "e".repeat(N)),
        shape(&format!("[\"{}\"]", "f".repeat(N))),
        format!(r#"{{"w":{{"dtype":"{}","shape":[],"data_offsets":[0,0]}}}}"#, "F\\u0031".repeat(N / 7)),
    ] {
        let bytes = header(json);
        let mut params = model::<f32>();
        let held = most(|| {
            let error = params.load_safetensors(&bytes).expect_err("the model wants something else");
            assert!(error.to_string().len() < 900);
        });
        assert!(
            held <= 3 * bytes.len() + FIXED,
            "{}: {held} for {}",
            String::from_utf8_lossy(&bytes[8..60]),
            bytes.len()
        );
    }
}
