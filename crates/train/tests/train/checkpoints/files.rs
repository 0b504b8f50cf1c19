//! One file: it comes back to the bit, or is refused.

use std::fs;

use wengert_nn::tensor_file::{CHECKPOINT, NamedTensor, Numbers, Reader, Writer};
use wengert_nn::{FileError, FormatError, Init, Params};
use wengert_state::{Scalar, State};
use wengert_train::checkpoint::{CheckpointError, read, write};

use super::support::{model, run};

/// Reads these bytes as a file.
fn read_bytes(folder: &tempfile::TempDir, bytes: &[u8]) -> Result<State, CheckpointError> {
    let path = folder.path().join("changed.safetensors");
    fs::write(&path, bytes).unwrap();
    read(path)
}

fn bytes_of(folder: &tempfile::TempDir, state: &State) -> Vec<u8> {
    let path = folder.path().join("whole.safetensors");
    write(&path, state).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn states_come_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let model_names = State::new("run", 0)
        .with_vector("model.hidden.weight", &[7.0f32])
        .with_vector("buffers.x", &[7.0f32])
        .with_vector("__metadata__", &[7.0f32])
        .with_child("params", model::<f32>(2).state());
    let twice = State::new("run", 0)
        .with_child("a", State::new("a", 0).with_vector::<f32>("b.c", &[]))
        .with_child("a.b", State::new("b", 0).with_vector("c", &[1.0f32]));
    // A vector and a count of one name, a shape that is at odds with the numbers, and what looks like a model's state.
    let buffers = State::new("buffers", 0).with_vector("n", &[1.0f64]).with_scalar("n", Scalar::Integer(3));
    let params = State::new("params", 0)
        .with_child("shapes", State::new("shapes", 0).with_scalar("n", Scalar::Text("[5]".into())))
        .with_child("buffers", buffers)
        .with_child("parameters", State::new("parameters", 0).with_vector("", &[2.0f32]));
    let false_model = State::new("run", 0).with_child("params", params);
    for state in [
        run::<f32>(2),
        run::<f64>(2),
        State::new("", 0),
        State::of(&vec![1.0f64, f64::NAN]).unwrap(),
        model_names,
        twice,
        false_model,
    ] {
        write(&path, &state).unwrap();
        assert_eq!(read(&path).unwrap(), state);
    }
}

#[test]
fn tensors_have_the_names_and_shapes_that_they_are_known_by() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = bytes_of(&folder, &run::<f32>(2));
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<(String, String)> = file
        .iter()
        .map(|(name, tensor)| (name.to_owned(), format!("{:?} {:?}", tensor.dtype(), tensor.shape())))
        .collect();
    tensors.sort();
    let tensors: Vec<String> = tensors.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    assert_eq!(
        tensors,
        [
            "buffers.norm.num_batches_tracked I64 []",
            "buffers.norm.running_mean F32 [1, 2]",
            "model.hidden.bias F32 [2]",
            "model.hidden.weight F32 [2, 3]",
            "model.scale.g F32 []",
            "odd.f32 F32 [3]",
            "odd.f64 F64 [3]",
            "odd.many U64 [40]",
            "optimizer.m F32 [9]",
            "optimizer.rms F32 [9]",
        ]
    );
    let count = file.tensor("buffers.norm.num_batches_tracked").unwrap();
    assert_eq!(count.data(), (-5i64).to_le_bytes());
}

#[test]
fn a_model_loads_out_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let state = run::<f32>(2);
    write(&path, &state).unwrap();
    let mut params: Params = model(2);
    let mut saved: Params = model(2);
    saved.load_state(state.child("params").unwrap()).unwrap();
    assert_ne!(params.values(), saved.values());
    params.load(&path).unwrap();
    assert_eq!(params.values(), saved.values());
    assert_eq!(params.counts(), saved.counts());
    // In another precision too.
    model::<f64>(2).load(&path).unwrap();
    // Another model is told by its own names.
    let mut other: Params = Params::seeded(0);
    other.at("hidden").param("wieght", [2, 3], Init::Zeros);
    let error = other.load(&path).unwrap_err();
    assert!(
        matches!(&error, FileError::Missing { nearest, .. } if nearest[0].name == "model.hidden.weight"),
        "{error}"
    );
}

#[test]
fn a_bit_flipped_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new("run", 0)
        .with_child("params", model::<f32>(1).state())
        .with_vector("average", &[0.5f64, f64::NAN]);
    let mut bytes = bytes_of(&folder, &state);
    assert!(bytes.len() * 8 > 10_000, "{}", bytes.len());
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = read_bytes(&folder, &bytes) {
            panic!("bit {bit} of {} went by unseen: {read:?}", bytes.len() * 8);
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(read_bytes(&folder, &bytes).unwrap(), state);
}

#[test]
fn a_file_cut_anywhere_or_longer_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = bytes_of(&folder, &State::new("run", 0).with_vector("w", &[1.0f32, 2.0]));
    for length in 0..bytes.len() {
        let error = read_bytes(&folder, &bytes[..length]).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{length}: {error}");
    }
    for more in 1..20 {
        bytes.push(b' ');
        assert!(read_bytes(&folder, &bytes).is_err(), "{more}");
    }
}

#[test]
fn bytes_changed_at_random_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes_of(&folder, &run::<f32>(2));
    let mut generator = wengert_tensor::random::Generator::seeded(12);
    let mut below = |n: usize| (generator.uniform() * n as f64) as usize;
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        match below(4) {
            // A part is put somewhere else, taken out, or repeated.
            0 => {
                let (from, to, length) = (below(bytes.len()), below(bytes.len()), below(40));
                let part: Vec<u8> = bytes[from..].iter().take(length).copied().collect();
                bytes.splice(to..to, part);
            }
            1 => {
                let from = below(bytes.len());
                let to = (from + 1 + below(40)).min(bytes.len());
                bytes.drain(from..to);
            }
            _ => {
                for _ in 0..=below(5) {
                    let at = below(bytes.len());
                    bytes[at] = below(256) as u8;
                }
            }
        }
        if bytes != whole {
            assert!(read_bytes(&folder, &bytes).is_err());
        }
    }
}

/// Headers made by hand, with the metadata of a checkpoint.
#[test]
fn huge_counts_are_refused_before_room_is_made_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let with_header = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    };
    let texts = r#""__metadata__":{"wengert.checkpoint":"1"}"#;
    let huge = u64::MAX;
    for tensor in [
        format!(r#""a":{{"dtype":"F32","shape":[{huge}],"data_offsets":[0,4]}}"#),
        format!(r#""a":{{"dtype":"F32","shape":[{huge},{huge}],"data_offsets":[0,{huge}]}}"#),
        format!(r#""a":{{"dtype":"F32","shape":[1],"data_offsets":[{huge},{huge}]}}"#),
        r#""a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}"#.into(),
        r#""a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}"#.into(),
        format!(r#""a":{{"dtype":"F32","shape":[{}],"data_offsets":[0,4]}}"#, ["1"; 2000].join(",")),
        r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#.into(),
    ] {
        let error = read_bytes(&folder, &with_header(&format!("{{{texts},{tensor}}}"), 4)).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{tensor}: {error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
    for length in [huge, 1 << 40, 100_000_001] {
        let mut bytes = with_header("{}", 0);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let error = read_bytes(&folder, &bytes).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { error: FormatError::HeaderLength { .. }, .. }));
    }
    for header in [
        r#"{"__metadata__":{"wengert.checkpoint":1}}"#,
        r#"{"__metadata__":["wengert.checkpoint"]}"#,
        r#"{"__metadata__":{"wengert.checkpoint":"1","wengert.checkpoint":"1"}}"#,
        r#"{"__metadata__":7}"#,
    ] {
        let error = read_bytes(&folder, &with_header(header, 0)).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{header}: {error}");
    }
}

#[test]
fn other_versions_and_other_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = |texts: &[(&str, &str)]| {
        let tensor = NamedTensor::new("w", [2], Numbers::from(&[0.5f32, 1.0][..]));
        let mut bytes = Vec::new();
        Writer::new(texts, vec![tensor]).unwrap().write(&mut bytes).unwrap();
        bytes
    };
    let error = read_bytes(&folder, &file(&[(CHECKPOINT, "2"), ("wengert.version", "9.9.9")])).unwrap_err();
    assert!(matches!(&error, CheckpointError::Version { found, supported: 1, .. } if found == "2"));
    let text = error.to_string();
    assert!(text.contains("version 2 of the format, written by wengert 9.9.9"), "{text}");
    for version in ["", "01", "-1", "one", &"9".repeat(10_000)] {
        let error = read_bytes(&folder, &file(&[(CHECKPOINT, version)])).unwrap_err();
        assert!(matches!(&error, CheckpointError::Version { .. }), "{error}");
        assert!(error.to_string().len() < 400);
    }
    let error = read_bytes(&folder, &file(&[])).unwrap_err();
    assert!(matches!(&error, CheckpointError::NotACheckpoint { .. }), "{error}");
    assert!(error.to_string().contains("changed.safetensors"), "{error}");
    let error = read_bytes(&folder, &file(&[(CHECKPOINT, "1")])).unwrap_err();
    assert!(matches!(&error, CheckpointError::Damaged { .. }), "{error}");
    assert!(matches!(read(folder.path().join("none")), Err(CheckpointError::Io { .. })));
    assert!(matches!(read(folder.path()), Err(CheckpointError::NotAFile { kind: "a folder", .. })));
    assert!(matches!(write(folder.path(), &run::<f32>(1)), Err(CheckpointError::NotAFile { .. })));
    let nowhere = folder.path().join("no/folder/run.safetensors");
    assert!(matches!(write(nowhere, &run::<f32>(1)), Err(CheckpointError::Io { .. })));
}

#[test]
fn a_state_too_deep_to_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.safetensors");
    let deep = |levels: usize| {
        (1..levels).fold(State::new("x", 0), |state, _| State::new("x", 0).with_child("c", state))
    };
    write(&path, &deep(50)).unwrap();
    assert_eq!(read(&path).unwrap(), deep(50));
    let error = write(&path, &deep(51)).unwrap_err();
    assert!(matches!(error, CheckpointError::Content { .. }), "{error}");
    assert_eq!(read(&path).unwrap(), deep(50));
}

#[test]
fn a_reader_and_a_writer_of_tensors_check_what_they_are_given() {
    let numbers = || Numbers::from(&[1.0f32, 2.0][..]);
    let tensor = |name: &'static str, shape: usize| NamedTensor::new(name, [shape], numbers());
    for (tensors, reason) in [
        (vec![tensor("a", 2), tensor("a", 2)], "is there twice"),
        (vec![tensor("__metadata__", 2)], "keeps for itself"),
        (vec![tensor("a", 3)], "has not as many numbers"),
    ] {
        let error = Writer::new(&[], tensors).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let mut bytes = Vec::new();
    let whole = NamedTensor::new("b", [1], Numbers::from(&[-1i64][..]));
    Writer::new(&[("k", "v")], vec![tensor("a", 2), whole]).unwrap().write(&mut bytes).unwrap();
    let mut reader = Reader::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!((reader.tensors()[0].name(), reader.tensors()[0].dtype()), ("a", "F32"));
    let Some(Numbers::I64(whole)) = reader.numbers(1, |bytes| assert_eq!(bytes, [255; 8])).unwrap() else {
        panic!("other numbers");
    };
    assert_eq!(*whole, [-1]);
    assert_eq!(
        reader.texts().iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(),
        ["format=pt", "k=v"]
    );
}
