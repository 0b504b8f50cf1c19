//! Running one test case of the onnx package's form.

use std::fs;
use std::path::{Path, PathBuf};

use wengert_nn::Params;
use wengert_onnx::{Model, ReadError, Value};

/// What became of a case.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// When it was read, with the reason.
    Refused(String),
    /// Anything else, with what happened.
    #[allow(dead_code, reason = "it is printed")]
    Failed(String),
}

/// The folders below one, in their order.
pub(crate) fn cases(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut cases: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    cases.retain(|path| path.join("model.onnx").is_file());
    cases.sort();
    cases
}

/// Reads and runs the model of a folder with all sets of data there.
pub(crate) fn outcome(case: &Path) -> Outcome {
    let mut params: Params<f32> = Params::seeded(0);
    let model = match Model::read(params.root(), case.join("model.onnx")) {
        Ok(model) => model,
        Err(error @ (ReadError::Unsupported { .. } | ReadError::Input { .. })) => {
            return Outcome::Refused(error.to_string());
        }
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    for set in 0.. {
        let folder = case.join(format!("test_data_set_{set}"));
        if !folder.is_dir() {
            break;
        }
        if let Err(problem) = run(&params, &model, &folder, tolerance(case)) {
            return Outcome::Failed(problem);
        }
    }
    Outcome::Passed
}

fn tensor(folder: &Path, kind: &str, i: usize) -> Result<Value, String> {
    let bytes = fs::read(folder.join(format!("{kind}_{i}.pb"))).map_err(|error| error.to_string())?;
    Value::from_tensor_bytes(&bytes).map_err(|error| error.to_string())
}

fn run(params: &Params<f32>, model: &Model, folder: &Path, tolerance: f32) -> Result<(), String> {
    let mut inputs = Vec::new();
    for (i, input) in model.inputs().iter().enumerate() {
        inputs.push((input.name(), tensor(folder, "input", i)?));
    }
    let outputs = params.infer(|cx| model.forward(cx, &inputs)).map_err(|error| error.to_string())?;
    for (i, found) in outputs.into_values().iter().enumerate() {
        let of_output = |problem| format!("output {i}: {problem}");
        match found.sequence() {
            Some(found) => {
                let expected = sequence(folder, i)?;
                if found.len() != expected.len() {
                    return Err(of_output(format!("{} values and not {}", found.len(), expected.len())));
                }
                let mut pairs = found.iter().zip(&expected);
                pairs
                    .try_for_each(|(found, expected)| compare(found, expected, tolerance))
                    .map_err(of_output)?;
            }
            None => compare(found, &tensor(folder, "output", i)?, tolerance).map_err(of_output)?,
        }
    }
    Ok(())
}

/// The tensors of a `SequenceProto`: its third field. The others are a name and a number below 128.
fn sequence(folder: &Path, i: usize) -> Result<Vec<Value>, String> {
    let bytes = fs::read(folder.join(format!("output_{i}.pb"))).map_err(|error| error.to_string())?;
    let (mut at, mut values) = (0, Vec::new());
    while at < bytes.len() {
        let tag = bytes[at];
        at += 1;
        if tag & 7 == 0 {
            at += 1;
            continue;
        }
        let (mut length, mut shift) = (0, 0);
        while bytes[at] & 0x80 != 0 {
            length |= usize::from(bytes[at] & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
        }
        length |= usize::from(bytes[at]) << shift;
        at += 1;
        if tag >> 3 == 3 {
            values
                .push(Value::from_tensor_bytes(&bytes[at..at + length]).map_err(|error| error.to_string())?);
        }
        at += length;
    }
    Ok(values)
}

/// How far numbers may be off, relatively: those of models in half precision, which are computed in single precision here, by
/// the rounding of the expected ones.
fn tolerance(case: &Path) -> f32 {
    let name = case.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match name {
        name if name.contains("bf16") || name.contains("bfloat16") => 1e-2,
        name if name.contains("fp16") || name.contains("float16") || name.contains("softmax_precision") => {
            2e-3
        }
        _ => 1e-4,
    }
}

/// Whether two values are of one kind and shape and their elements close.
pub(crate) fn compare(found: &Value, expected: &Value, tolerance: f32) -> Result<(), String> {
    if found.shape() != expected.shape() {
        return Err(format!("shape {} and not {}", found.shape(), expected.shape()));
    }
    match (found, expected) {
        (Value::Float(x), Value::Float(y)) => {
            for (i, (x, y)) in x.value().iter().zip(y.value().iter()).enumerate() {
                let close = x == y
                    || (x.is_nan() && y.is_nan())
                    || (x - y).abs() <= 0.1 * tolerance + tolerance * y.abs();
                if !close {
                    return Err(format!("element {i} is {x} and not {y}"));
                }
            }
        }
        (Value::Int(x), Value::Int(y)) if x.to_vec() == y.to_vec() => {}
        (Value::Bool(x), Value::Bool(y)) if x.value() == y.value() => {}
        (found, expected) => return Err(format!("{found:?} and not {expected:?}")),
    }
    Ok(())
}
