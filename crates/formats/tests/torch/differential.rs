//! Random state dicts of PyTorch as `golden/dicts.py` makes them, which are not part of this repository: `WENGERT_TORCH_DICTS` names their
//! folder. They are read, and written again for PyTorch and NumPy to read.

use std::path::{Path, PathBuf};

use wengert_formats::torch::{self, File, Problem};
use wengert_formats::{npz, open, sharded};
use wengert_nn::tensor_file::{NamedTensor, Numbers, TensorSource, read_tensor};
use wengert_nn::{FileError, Params};
use wengert_tensor::{Element, Tensor};

use super::support::{Plain, from_hex, tensors};

/// A tensor with its values, exactly, as text.
struct Expected {
    plain: Plain,
    values: Option<Vec<String>>,
}

/// Whether PyTorch reads it as weights alone, and what it has.
fn expected(path: &Path) -> (bool, Vec<Expected>) {
    type Row = (String, String, Vec<usize>, String, Option<Vec<String>>);
    let (alone, rows): (bool, Vec<Row>) = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let rows = rows.into_iter().map(|(name, dtype, shape, hex, values)| Expected {
        plain: (name, dtype, shape, from_hex(&hex)),
        values,
    });
    (alone, rows.collect())
}

fn numbers<T, const N: usize>(bytes: &[u8], of: fn([u8; N]) -> T) -> Vec<T> {
    bytes.chunks_exact(N).map(|bytes| of(bytes.try_into().unwrap())).collect()
}

/// The values as numbers: they are those of the list, or refused by their type or size.
fn check_values(source: &mut dyn TensorSource, of: &Expected) -> Result<(), String> {
    let (name, dtype, ..) = &of.plain;
    let read = read_tensor::<f64>(source, name);
    let (read, values) = match (read, &of.values) {
        (Ok(read), Some(values)) => (read.to_vec(), values),
        (Err(FileError::Dtype { .. }), _) if dtype.starts_with("C") || dtype.starts_with("F8") => {
            return Ok(());
        }
        (read, _) => return Err(format!("{name} of type {dtype} gives {read:?}")),
    };
    for (read, text) in read.iter().zip(values) {
        // Whole numbers are exact in the list.
        let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
        if read.to_bits() != value.to_bits() && !(read.is_nan() && value.is_nan()) {
            return Err(format!("{name} of type {dtype} has {read} for {text}"));
        }
    }
    if read.len() == values.len() { Ok(()) } else { Err(format!("{name} has {} numbers", read.len())) }
}

/// Another file of the same tensors, or of some of them.
fn check_source(path: &Path, expected: &[Expected], bytes: bool) -> Result<(), String> {
    let mut source = open(path).map_err(|error| error.to_string())?;
    for found in tensors(&mut *source) {
        let of =
            expected.iter().find(|one| one.plain.0 == found.0).ok_or(format!("`{}` is none", found.0))?;
        if found.2 != of.plain.2 || bytes && found != of.plain {
            return Err(format!("{found:?} in the place of {:?}", of.plain));
        }
        check_values(&mut *source, of)?;
    }
    Ok(())
}

/// Reads a file, and writes what it has again.
fn check(path: &Path) -> Result<usize, String> {
    let (alone, expected) = expected(&path.with_extension("json"));
    let mut dict = match File::open(path).and_then(|file| file.state_dict_at(&[])) {
        Ok(dict) => dict,
        // As PyTorch does.
        Err(error) if !alone && matches!(error.problem(), Problem::Refused { .. }) => return Ok(0),
        Err(error) => return Err(error.to_string()),
    };
    let found = tensors(&mut dict);
    for (found, expected) in found.iter().zip(&expected) {
        if *found != expected.plain {
            return Err(format!("{found:?} in the place of {:?}", expected.plain));
        }
    }
    if found.len() != expected.len() {
        return Err(format!("{} tensors of {}", found.len(), expected.len()));
    }
    expected.iter().try_for_each(|one| check_values(&mut dict, one))?;
    check_source(&path.with_extension("npz"), &expected, false)
        .map_err(|problem| format!("npz: {problem}"))?;
    check_source(&path.with_extension("shards").join("model.safetensors.index.json"), &expected, true)
        .map_err(|problem| format!("safetensors: {problem}"))?;
    written(path, &found);
    Ok(found.len())
}

/// Writes those tensors that there are types for.
fn written(path: &Path, found: &[Plain]) {
    let singles = |bytes: &[u8]| numbers(bytes, f32::from_le_bytes);
    let doubles = |bytes: &[u8]| numbers(bytes, f64::from_le_bytes);
    let longs = |bytes: &[u8]| numbers(bytes, i64::from_le_bytes);
    let all: Vec<NamedTensor<'_>> = found
        .iter()
        .filter_map(|(name, dtype, shape, bytes)| {
            let numbers = match dtype.as_str() {
                "F32" => Numbers::F32(singles(bytes).into()),
                "F64" => Numbers::F64(doubles(bytes).into()),
                "I64" => Numbers::I64(longs(bytes).into()),
                _ => return None,
            };
            Some(NamedTensor::new(name.as_str(), shape.clone(), numbers))
        })
        .collect();
    torch::save_tensors(&all, path.with_extension("back.pt")).unwrap();
    let (mut arrays, mut params) = (npz::Arrays::new(), Params::<f32>::seeded(0));
    let mut any = false;
    for (name, dtype, shape, bytes) in found {
        fn tensor<T: Element>(values: Vec<T>, shape: &[usize]) -> Tensor<T> {
            Tensor::from_vec(values, shape.to_vec()).unwrap()
        }
        arrays = match dtype.as_str() {
            // Which is refused.
            _ if name.contains('\0') => arrays,
            "F32" => arrays.with(name, &tensor(singles(bytes), shape)),
            "F64" => arrays.with(name, &tensor(doubles(bytes), shape)),
            "U32" => arrays.with(name, &tensor(numbers(bytes, u32::from_le_bytes), shape)),
            "U8" => arrays.with(name, &tensor(bytes.clone(), shape)),
            "BOOL" => arrays.with(name, &tensor(numbers(bytes, |[b]| b == 1), shape)),
            _ => arrays,
        };
        if dtype == "F32" && params.root().name_problem(name).is_none() {
            params.root().buffer(name, tensor(singles(bytes), shape));
            any = true;
        }
    }
    arrays = if found.len().is_multiple_of(2) { arrays.compressed() } else { arrays };
    arrays.write(path.with_extension("back.npz")).unwrap();
    if any {
        let folder = path.with_extension("back");
        std::fs::create_dir_all(&folder).unwrap();
        sharded::save(&params, &folder, 100).unwrap();
    }
}

#[test]
fn random_state_dicts_are_read_and_written() {
    let Some(folder) = std::env::var_os("WENGERT_TORCH_DICTS").map(PathBuf::from) else {
        eprintln!("SKIPPED: WENGERT_TORCH_DICTS names no folder with what golden/dicts.py makes");
        return;
    };
    let (mut files, mut count, mut failures) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "pt") || path.to_string_lossy().ends_with(".back.pt") {
            continue;
        }
        files += 1;
        match check(&path) {
            Ok(tensors) => count += tensors,
            Err(problem) => failures.push(format!("{}: {problem:.1000}", path.display())),
        }
    }
    eprintln!("{files} files of {count} tensors, {} fail", failures.len());
    assert!(failures.is_empty() && count > 0, "{} of {files} fail:\n{}", failures.len(), failures.join("\n"));
}
