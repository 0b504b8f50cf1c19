//! Files for `compare.py`: the folder that `WENGERT_ONNX_FILES` names gets each model with inputs, and the outputs that
//! are expected.

use std::fmt::Write as _;
use std::path::PathBuf;

use wengert_nn::Params;
use wengert_onnx::{Model, OnnxFile, Value};
use wengert_tape::{Data, Var};
use wengert_tensor::Float;

/// Whether somebody asked for the files.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("WENGERT_ONNX_FILES").map(PathBuf::from)
}

/// What a model is given, and what it is to give.
pub(crate) type Run<T> = (Vec<Data<T>>, Vec<Data<T>>);

/// Writes a model, and as text what it is given and what comes of it; several of both may be written for one model.
pub(crate) fn write<T: Float>(name: &str, model: &OnnxFile, runs: &[Run<T>]) {
    let Some(folder) = folder() else { return };
    std::fs::create_dir_all(&folder).unwrap();
    let name = name.replace([' ', '/'], "_");
    model.save(folder.join(format!("{name}.onnx"))).unwrap();
    let mut text = String::new();
    for (inputs, outputs) in runs {
        text.push_str("run\n");
        for (name, data) in model.inputs().iter().zip(inputs) {
            line(&mut text, "input", name, data);
        }
        assert_eq!(model.outputs().len(), outputs.len());
        for (name, data) in model.outputs().iter().zip(outputs) {
            line(&mut text, "output", name, data);
        }
    }
    std::fs::write(folder.join(format!("{name}.txt")), text).unwrap();
}

/// One tensor: its role, name, kind, shape and numbers, between tabulators.
fn line<T: Float>(text: &mut String, role: &str, name: &str, data: &Data<T>) {
    fn list<E: std::fmt::Display>(values: impl IntoIterator<Item = E>) -> String {
        values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
    }
    let numbers = match data {
        // Rust writes as many digits as tell a number from its neighbours.
        Data::Float(tensor) => list(tensor.to_vec().into_iter().map(Float::to_f64)),
        Data::Index(tensor) => list(tensor.to_vec()),
        Data::Mask(tensor) => list(tensor.to_vec().into_iter().map(u8::from)),
    };
    let kind = if data.kind() == wengert_tape::Kind::Float && std::mem::size_of::<T>() == 8 {
        "double".to_owned()
    } else {
        data.kind().to_string()
    };
    writeln!(text, "{role}\t{name}\t{kind}\t{}\t{numbers}", list(data.shape().iter())).unwrap();
}

/// Reads the model again with our own importer, and runs it on each of the inputs.
///
/// # Errors
/// If it cannot be read or run, or gives something else than is expected, beyond rounding.
pub(crate) fn read_back<T: Float>(model: &OnnxFile, runs: &[Run<T>]) -> Result<(), String> {
    let mut params: Params<T> = Params::seeded(0);
    let read = Model::from_bytes(params.root(), &model.to_bytes()).map_err(|e| e.to_string())?;
    let names = model.inputs();
    let tolerance = if std::mem::size_of::<T>() == 8 { 1e-9 } else { 1e-5 };
    for (inputs, outputs) in runs {
        let value = |data: &Data<T>| match data {
            Data::Float(tensor) => Value::from(Var::constant(tensor.clone())),
            Data::Index(tensor) => Value::from(tensor.clone()),
            Data::Mask(tensor) => Value::from(tensor.clone()),
        };
        let given: Vec<(&str, Value<T>)> = names.iter().copied().zip(inputs.iter().map(value)).collect();
        let found = params.infer(|cx| read.forward(cx, &given).map_err(|e| e.to_string()))?;
        for (name, expected) in model.outputs().into_iter().zip(outputs) {
            let expected = expected.float();
            let Some(found) = found.float(name) else { return Err(format!("`{name}` is of another kind")) };
            if found.shape() != expected.shape() {
                return Err(format!("`{name}` has shape {}, not {}", found.shape(), expected.shape()));
            }
            for (a, b) in found.value().to_vec().into_iter().zip(expected.to_vec()) {
                let (a, b) = (a.to_f64(), b.to_f64());
                let same =
                    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1.0);
                if !same {
                    return Err(format!("`{name}` has {a}, not {b}"));
                }
            }
        }
    }
    Ok(())
}
