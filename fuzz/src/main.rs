//! The parsers of bytes from outside under libFuzzer: the one whose name is in `WENGERT_PARSER`, with the files and limits that the tests
//! have for it.
#![no_main]

#[path = "../../crates/formats/tests/archive/mod.rs"]
mod archive;
#[path = "../../crates/wengert/tests/attack/mod.rs"]
mod attack;
#[path = "../../crates/wengert/tests/readers/mod.rs"]
mod data;
#[path = "../../crates/formats/tests/readers/mod.rs"]
mod formats;
mod onnx;

use std::sync::LazyLock;

use attack::{Reader, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use wengert_tensor::random::Generator;

/// The reader, and good files for it.
static CHOSEN: LazyLock<(&Reader, Vec<Vec<u8>>)> = LazyLock::new(|| {
    let all = || data::ALL.iter().chain(&formats::ALL).chain([&onnx::ONNX]);
    let name = std::env::var("WENGERT_PARSER").unwrap_or_default();
    let names: Vec<&str> = all().map(|reader| reader.name).collect();
    let reader = all().find(|reader| reader.name == name);
    let reader = reader.unwrap_or_else(|| panic!("WENGERT_PARSER is `{name}`, none of {}", names.join(", ")));
    // Panics of decoders are caught by what reads images, and all others end the fuzzer without its hook, too.
    drop(std::panic::take_hook());
    let files = (reader.files)();
    for file in &files {
        assert!(reader.check(file), "{name}: the files are good before they are changed");
    }
    (reader, files)
});

fuzz_target!(|bytes: &[u8]| {
    CHOSEN.0.check(bytes);
});

// Each run begins with nothing, and a good file is where a change leads furthest.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Generator::seeded(seed.into());
    let mut bytes = data[..size].to_vec();
    if size < 2 || random.below(200) == 0 {
        let files = &CHOSEN.1;
        bytes = files[random.below(files.len() as u64) as usize].clone();
    }
    // Claims of sizes, and what else is made for parsers; or what libFuzzer thinks of.
    let own = random.below(4) == 0;
    if own {
        mutate(&mut bytes, &mut random);
    }
    let size = bytes.len().min(max_size);
    data[..size].copy_from_slice(&bytes[..size]);
    if own { size } else { fuzzer_mutate(data, size, max_size) }
});
