//! Files, and what is in them.

use std::path::PathBuf;

use wengert_formats::torch::{Error, File, StateDict};
use wengert_nn::tensor_file::TensorSource;

/// A tensor's name, the type of its elements, its shape and its bytes.
pub(crate) type Plain = (String, String, Vec<usize>, Vec<u8>);

pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "torch", "golden", name].iter().collect()
}

pub(crate) fn open(name: &str) -> File {
    File::open(path(name)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn state_dict(name: &str) -> StateDict {
    open(name).state_dict().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn error(result: Result<StateDict, Error>) -> String {
    result.expect_err("it is wrong").to_string()
}

pub(crate) fn tensors(dict: &mut dyn TensorSource) -> Vec<Plain> {
    let mut all = Vec::new();
    dict.each(&mut |place, entry| {
        assert_eq!(place, all.len());
        all.push((entry.name().to_owned(), entry.dtype().to_owned(), entry.shape().to_vec(), Vec::new()));
    });
    for (place, (_, _, _, bytes)) in all.iter_mut().enumerate() {
        let take = &mut |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        dict.read(place, take).unwrap();
    }
    all
}

/// What the file of this name should have.
pub(crate) fn expected(name: &str) -> Vec<Plain> {
    let text = std::fs::read_to_string(path(name)).unwrap();
    let all: Vec<(String, String, Vec<usize>, String)> = serde_json::from_str(&text).unwrap();
    all.into_iter().map(|(name, dtype, shape, hex)| (name, dtype, shape, from_hex(&hex))).collect()
}

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}
