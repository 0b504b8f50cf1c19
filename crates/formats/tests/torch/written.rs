//! What is written is read again, here and (by the scripts in `golden`) by PyTorch.

use wengert_formats::torch::{self, File, Problem};
use wengert_nn::tensor_file::{NamedTensor, Numbers};
use wengert_nn::{BatchNorm1d, Init, Linear, Params};

use super::support::{path, tensors};

fn model() -> Params<f64> {
    let mut params: Params<f64> = Params::seeded(3);
    Linear::new(params.at("body.0"), 3, 2);
    BatchNorm1d::new(params.at("body.1"), 2);
    params.root().param("none", [2, 0], Init::Zeros);
    params.root().param("scale", [], Init::Ones);
    params
}

#[test]
fn all_of_a_model_is_there_to_the_bit() {
    let params = model();
    let found =
        tensors(&mut File::from_bytes(torch::to_bytes(&params).unwrap()).unwrap().state_dict().unwrap());
    let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
    let of_norm = ["body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"];
    assert_eq!(names[..4], ["body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias"]);
    assert_eq!((&names[4..6], &names[6..]), (&["none", "scale"][..], &of_norm[..]));
    let bytes: Vec<u8> = params.values().iter().flat_map(|x| x.to_le_bytes()).collect();
    let parameters: Vec<u8> = found[..6].iter().flat_map(|(_, _, _, bytes)| bytes.clone()).collect();
    assert_eq!(parameters, bytes);
    let kinds: Vec<(&str, &[usize])> =
        found.iter().map(|(_, dtype, shape, _)| (&**dtype, &shape[..])).collect();
    assert_eq!((kinds[4], kinds[5], kinds[8]), (("F64", &[2, 0][..]), ("F64", &[][..]), ("I64", &[][..])));
}

/// The bytes that `returned.py` gave to PyTorch, which found all tensors and the versions of the modules in them.
#[test]
fn the_bytes_are_those_that_pytorch_was_shown_to_read() {
    let bytes = torch::to_bytes(&model()).unwrap();
    let golden = path("written.pt");
    if std::env::var_os("WENGERT_WRITE_GOLDEN").is_some() {
        std::fs::write(&golden, &bytes).unwrap();
    }
    assert!(std::fs::read(golden).unwrap() == bytes, "other bytes: write them anew, and run returned.py");
}

#[test]
fn records_begin_at_multiples_of_64_bytes() {
    let bytes = torch::to_bytes(&model()).unwrap();
    let starts = bytes.windows(2).enumerate().filter(|(_, part)| part == b"FB").map(|(at, _)| at);
    let mut records = 0;
    for at in starts {
        let length = usize::from(u16::from_le_bytes([bytes[at + 2], bytes[at + 3]]));
        assert_eq!((at + 4 + length) % 64, 0);
        records += 1;
    }
    assert_eq!(records, 5 + 9);
}

#[test]
fn more_records_than_old_archives_have_are_written_and_read() {
    let values: Vec<f32> = (0..70_000).map(|i| i as f32).collect();
    let names: Vec<String> = (0..values.len()).map(|i| format!("w{i}")).collect();
    let tensors: Vec<NamedTensor<'_>> = names
        .iter()
        .zip(values.chunks(1))
        .map(|(name, value)| NamedTensor::new(name.as_str(), [1], Numbers::from(value)))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pt");
    torch::save_tensors(&tensors, &path).unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(file.root().dict().unwrap().len(), values.len());
    let last = file.root().get(names.last().unwrap()).unwrap().tensor().unwrap();
    assert_eq!(last.bytes().unwrap(), values.last().unwrap().to_le_bytes());
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pt");
    let one = |name: &'static str| NamedTensor::new(name, [1], Numbers::from(&[1.0f32][..]));
    for (tensors, part) in [
        (vec![one("a"), one("a")], "`a` is there twice"),
        (vec![NamedTensor::new("n", [1], Numbers::from(&[1u64][..]))], "`n` has elements of a type"),
        (vec![NamedTensor::new("n", [2], Numbers::from(&[1i64][..]))], "`n` has not as many numbers"),
    ] {
        let error = torch::save_tensors(&tensors, &path).unwrap_err();
        assert!(matches!(error.problem(), Problem::Tensor { .. }), "{error}");
        assert!(error.to_string().contains(part) && error.path() == Some(&path), "{error}");
        assert!(!path.exists());
    }
    let error = torch::save(&model(), folder.path()).unwrap_err();
    assert!(matches!(error.problem(), Problem::NotAFile { .. }), "{error}");
}
