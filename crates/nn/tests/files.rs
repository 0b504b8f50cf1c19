//! Saving and loading parameters.

use proptest::prelude::*;
use wengert_nn::{FileError, Init, Linear, Params};
use wengert_tensor::{Float, Tensor};

fn model<T: Float>(seed: u64) -> Params<T> {
    let mut params = Params::seeded(seed);
    Linear::new(params.at("hidden"), 3, 2);
    params.at("norm").buffer("running_mean", Tensor::full([2], T::from_f64(seed as f64)));
    params
}

#[test]
fn parameters_and_buffers_come_back() {
    let saved: Params = model(1);
    let mut loaded: Params = model(2);
    loaded.load_safetensors(&saved.to_safetensors().unwrap()).unwrap();
    assert_eq!(loaded.values(), saved.values());
    assert_eq!(loaded.buffers()[0].1.to_vec(), [1.0, 1.0]);
}

#[test]
fn elements_are_converted() {
    let single: Params<f32> = model(1);
    let mut double: Params<f64> = model(2);
    double.load_safetensors(&single.to_safetensors().unwrap()).unwrap();
    assert!(double.values().iter().zip(single.values()).all(|(d, s)| *d == f64::from(*s)));
    let mut back: Params<f32> = model(3);
    back.load_safetensors(&double.to_safetensors().unwrap()).unwrap();
    assert_eq!(back.values(), single.values());
}

#[test]
fn an_error_names_the_tensor_and_changes_nothing() {
    let mut params: Params = model(1);
    let before = params.values().to_vec();

    let mut small: Params = Params::seeded(0);
    Linear::builder(3, 2).no_bias().build(small.at("hidden"));
    let error = params.load_safetensors(&small.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the file lacks `hidden.bias`, `norm.running_mean`");

    let mut large: Params = model(5);
    large.root().param("extra", [1], Init::Ones);
    let error = params.load_safetensors(&large.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the file has `extra`, which the model does not");

    let mut wide: Params = Params::seeded(0);
    Linear::new(wide.at("hidden"), 4, 2);
    let error = params.load_safetensors(&wide.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`hidden.weight` has shape [2, 4] in the file, [2, 3] in the model");

    assert_eq!(params.values(), before);
    let error = params.load("/nowhere/at/all.safetensors").unwrap_err();
    assert!(matches!(error, FileError::Io { .. }) && error.to_string().starts_with("/nowhere/at/all"));
}

#[test]
fn integers_are_no_parameters() {
    let header = br#"{"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend([0; 4]);
    let mut params: Params = Params::seeded(0);
    params.root().param("w", [1], Init::Ones);
    let error = params.load_safetensors(&bytes).unwrap_err();
    assert!(matches!(error, FileError::Dtype { .. }), "{error}");
}

#[test]
fn an_existing_file_is_replaced_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, b"old").unwrap();
    let mut params: Params = model(1);
    assert!(matches!(params.load(&path), Err(FileError::Format(_))));
    params.save(&path).unwrap();
    params.load(&path).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let saved: Params = model(1);
    let bytes = saved.to_safetensors().unwrap();
    for length in 0..bytes.len() {
        let error = model::<f32>(2).load_safetensors(&bytes[..length]).unwrap_err();
        assert!(matches!(error, FileError::Format(_)), "{length}: {error}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = model::<f32>(1).to_safetensors().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = model::<f32>(2).load_safetensors(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(model::<f32>(2).load_safetensors(&bytes).is_err());
    }
}
