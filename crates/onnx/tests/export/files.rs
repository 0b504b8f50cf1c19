//! Files for `compare.py`: the folder that `WENGERT_ONNX_FILES` names gets each model with inputs, and the outputs that
//! are expected.

use std::fmt::Write as _;
use std::path::PathBuf;

use wengert_onnx::OnnxFile;
use wengert_tape::Data;
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
