//! Tensors in files beside the model: what this crate writes so is read, and attributes are looked for there as well.

use std::fs;

use wengert_nn::{Layer, Linear, Params, Sequential};
use wengert_onnx::{Export, Model};
use wengert_tape::Var;
use wengert_tensor::Tensor;

use super::files::{bytes, int, model, node};

#[test]
fn a_model_above_the_limit_is_two_files() {
    let mut params: Params<f32> = Params::seeded(1);
    let (a, b) = (Linear::new(params.at("a"), 30, 40), Linear::new(params.at("b"), 40, 50));
    let layers: Sequential = Sequential::new(vec![Box::new(a), Box::new(b)]);
    let exported =
        Export::new().input("x", Tensor::ones([1, 30])).batch("n").layer(&params, &layers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    let data = folder.path().join("net.onnx.data");
    let whole = exported.to_bytes().len();

    // At the limit it is one.
    exported.save_within(&path, whole).unwrap();
    assert!(fs::read(&path).unwrap() == exported.to_bytes() && !data.exists());

    exported.save_within(&path, whole - 1).unwrap();
    // Both weights, each from the beginning of a page on; vectors stay.
    assert_eq!(fs::metadata(&data).unwrap().len(), 8192 + 4 * 40 * 50);
    assert!(fs::metadata(&path).unwrap().len() < 4096);
    let mut read: Params<f32> = Params::seeded(0);
    let again = Model::read(read.at("net"), &path).unwrap();
    let x = Var::constant(Tensor::from_fn([3, 30], |at: &[usize]| (at[0] * 7 + at[1]) as f32 * 0.01));
    let y = params.infer(|cx| layers.forward(cx, &x));
    assert_eq!(read.infer(|cx| Layer::forward(&again, cx, &x)).value().to_vec(), y.value().to_vec());

    // Without the second file, or with a part of it, it is an error.
    let half = fs::read(&data).unwrap()[..9000].to_vec();
    fs::write(&data, half).unwrap();
    let error = Model::<f32>::read(Params::seeded(0).root(), &path).unwrap_err().to_string();
    assert!(error.contains("net.onnx.data") && error.contains("bytes"), "{error}");
    fs::remove_file(&data).unwrap();
    assert!(Model::<f32>::read(Params::seeded(0).root(), &path).is_err());
}

#[test]
fn attributes_are_read_from_other_files_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("numbers"), [2.0f32, -3.0].map(f32::to_le_bytes).concat()).unwrap();
    let constant = |location: &str| {
        let entry = [bytes(1, "location"), bytes(2, location)].concat();
        let tensor = [int(1, 2), int(2, 1), bytes(13, entry), int(14, 1)].concat();
        let value = [bytes(1, "value"), bytes(5, tensor), int(20, 4)].concat();
        let nodes = [node("Constant", &[], &["c"], &[value]), node("Add", &["x", "c"], &["y"], &[])];
        model(&nodes, &[], &["x"], &["y"])
    };
    let path = folder.path().join("model.onnx");
    fs::write(&path, constant("numbers")).unwrap();
    let mut params: Params<f64> = Params::seeded(0);
    let read = Model::read(params.root(), &path).unwrap();
    let y = params.infer(|cx| Layer::forward(&read, cx, &Var::from([10.0, 20.0])));
    assert_eq!(y.value().to_vec(), [12.0, 17.0]);

    for outside in ["../numbers", "/etc/hostname", "none"] {
        fs::write(&path, constant(outside)).unwrap();
        let error = Model::<f64>::read(Params::seeded(0).root(), &path).unwrap_err().to_string();
        assert!(error.contains(outside), "{error}");
    }
}
