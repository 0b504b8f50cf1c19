//! Every reader of files against files that somebody changed: it gives a result or an error, and asks for no more memory
//! than about twice what the file has, whatever the file claims.
//!
//! `WENGERT_TRIES` sets the number of changed files for each reader.

mod attack;
mod readers;

use wengert::data::csv::CsvReader;

use attack::{FIXED, Place, most};
use readers::{model, read_sealed};

/// Changed files for each reader.
const TRIES: u64 = 20_000;

#[test]
fn idx() {
    readers::IDX.attack(TRIES);
}

#[test]
fn gzip() {
    readers::GZIP.attack(TRIES);
}

#[test]
fn csv() {
    readers::CSV.attack(TRIES);
}

#[test]
fn safetensors() {
    readers::SAFETENSORS.attack(TRIES);
}

#[test]
fn checkpoints() {
    readers::CHECKPOINT.attack(TRIES);
}

#[test]
fn states_of_runs() {
    readers::RESUME.attack(TRIES / 4);
}

#[cfg(feature = "image")]
#[test]
fn images() {
    readers::IMAGE.attack(TRIES / 4);
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
