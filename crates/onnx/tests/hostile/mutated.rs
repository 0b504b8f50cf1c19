//! Files with bytes changed: reading and running them gives something or a typed error.
//!
//! 10⁵ of them; `WENGERT_MUTATIONS` says how many, and others with a `WENGERT_SEED`.

use std::path::Path;

use wengert_nn::Params;
use wengert_onnx::Model;
use wengert_tensor::random::Generator;

use super::inputs::below;
use super::memory::most_used;
use super::models::models;
use super::running::runs;

/// Bits flipped, numbers made huge, parts cut, doubled or taken from another file.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], generator: &mut Generator) {
    // Most change one byte, after which much can still be read.
    for _ in 0..[1, 1, 1, 1, 2, 4][below(generator, 6)] {
        if bytes.is_empty() {
            return;
        }
        let at = below(generator, bytes.len());
        match [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5][below(generator, 13)] {
            0 => bytes[at] ^= 1 << below(generator, 8),
            1 => bytes[at] = below(generator, 256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let from = below(generator, other.len());
                let part = &other[from..(from + 16).min(other.len())];
                bytes.splice(at..at, part.iter().copied());
            }
            4 => {
                let end = (at + below(generator, 24)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                bytes.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
            }
        }
    }
}

#[test]
fn mutated_models_are_read_and_run_or_refused() {
    let setting = |name, or| std::env::var(name).map_or(or, |text| text.parse().expect("a number"));
    let (number, seed) = (setting("WENGERT_MUTATIONS", 100_000), setting("WENGERT_SEED", 0));
    let models = models(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")));
    let mut generator = Generator::seeded(15 + seed);
    let (mut read, mut run) = (0, 0);
    for i in 0..number {
        let mut bytes = models[below(&mut generator, models.len())].clone();
        let other = &models[below(&mut generator, models.len())];
        mutate(&mut bytes, other, &mut generator);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut params: Params<f32> = Params::seeded(0);
            let (model, used) = most_used(|| Model::from_bytes(params.root(), &bytes));
            assert!(used <= 2 * bytes.len() + (16 << 20), "{used} bytes for a file of {}", bytes.len());
            let Ok(model) = model else { return [0, 0] };
            [1, u64::from(runs(model, &params, &mut generator))]
        }));
        match result {
            Ok([was_read, was_run]) => {
                read += was_read;
                run += was_run;
            }
            Err(_) => {
                let path = std::env::temp_dir().join("wengert-mutated.onnx");
                std::fs::write(&path, &bytes).unwrap();
                panic!("mutation {i} of seed {seed} panics; the file is {}", path.display());
            }
        }
    }
    eprintln!("{read} of {number} were read, {run} of them run");
    assert!(read > number / 20 && run > number / 100, "only {read} were read and {run} run");
}
