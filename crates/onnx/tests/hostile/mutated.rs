//! Files with bytes changed: reading and running them gives something or a typed error.
//!
//! 10⁵ of them; `WENGERT_MUTATIONS` says how many others.

use wengert_nn::Params;
use wengert_onnx::{Model, Value};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use super::memory::most_used;

/// The golden models, which are small.
fn models() -> Vec<Vec<u8>> {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/operators.bin")).unwrap();
    let mut rest = &bytes[..];
    let mut models =
        vec![std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx")).unwrap()];
    while !rest.is_empty() {
        // A name, a model and two lists of tensors.
        block(&mut rest);
        models.push(block(&mut rest).to_vec());
        for _ in 0..2 {
            for _ in 0..number(&mut rest) {
                block(&mut rest);
            }
        }
    }
    models
}

fn number(rest: &mut &[u8]) -> usize {
    let (number, behind) = rest.split_first_chunk().unwrap();
    *rest = behind;
    u32::from_le_bytes(*number) as usize
}

fn block<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = number(rest);
    let (block, behind) = rest.split_at(length);
    *rest = behind;
    block
}

fn below(generator: &mut Generator, limit: usize) -> usize {
    ((generator.uniform() * limit as f64) as usize).min(limit - 1)
}

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

/// An input of about the declared shape.
fn input(declared: &str, generator: &mut Generator) -> Value {
    let inner = declared.split_once('[').map_or("", |(_, inner)| inner.trim_end_matches(']'));
    let length = |text: &str| text.trim().parse().unwrap_or(2_usize).min(7);
    let shape: Vec<usize> = inner.split(',').filter(|text| !text.is_empty()).take(5).map(length).collect();
    let count: usize = shape.iter().product();
    if declared.contains("whole") {
        let numbers: Vec<i64> = (0..count).map(|_| below(generator, 5) as i64 - 1).collect();
        return Value::from_ints(&numbers, shape).unwrap();
    }
    let numbers: Vec<f32> = (0..count).map(|_| generator.uniform() as f32).collect();
    let numbers = Tensor::from_vec(numbers, shape).unwrap();
    if declared.contains("truth") { numbers.gt(0.5).into() } else { Value::Float(numbers.into()) }
}

#[test]
fn mutated_models_are_read_and_run_or_refused() {
    let number = std::env::var("WENGERT_MUTATIONS").map_or(100_000, |text| text.parse().expect("a number"));
    let models = models();
    let mut generator = Generator::seeded(15);
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
            let model = model.with_limit(1 << 16);
            let declared: Vec<(String, String)> =
                model.inputs().iter().map(|input| (input.name().to_owned(), input.to_string())).collect();
            let inputs: Vec<(&str, Value)> =
                declared.iter().map(|(name, text)| (name.as_str(), input(text, &mut generator))).collect();
            [1, usize::from(params.infer(|cx| model.forward(cx, &inputs)).is_ok())]
        }));
        match result {
            Ok([was_read, was_run]) => {
                read += was_read;
                run += was_run;
            }
            Err(_) => {
                let path = std::env::temp_dir().join("wengert-mutated.onnx");
                std::fs::write(&path, &bytes).unwrap();
                panic!("mutation {i} panics; the file is {}", path.display());
            }
        }
    }
    eprintln!("{read} of {number} were read, {run} of them run");
    assert!(read > number / 20 && run > number / 100, "only {read} were read and {run} run");
}
