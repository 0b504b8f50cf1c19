//! Recurrent layers and cells against PyTorch: see `recurrent.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Arguments, Var, value_and_grad};
use wengert_tensor::{Float, Shape, Tensor};

use crate::support::{close, numbers, section};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("recurrent.json"), name)
}

/// The numbers that the script makes in the same way.
fn filled<T: Float>(shape: &Shape, salt: f64, scale: f64) -> Var<T> {
    let number = |i: usize| T::from_f64(scale * (1.7 * i as f64 + salt).sin());
    let values: Vec<T> = (0..shape.count()).map(number).collect();
    Var::constant(Tensor::vector(&values).reshape(shape))
}

fn shape(value: &Value) -> Shape {
    numbers(value).iter().map(|&d| d as usize).collect()
}

fn size(case: &Value, name: &str) -> usize {
    case[name].as_u64().unwrap() as usize
}

fn flag(case: &Value, name: &str) -> bool {
    case[name].as_bool().unwrap()
}

fn built<U: Unit, T: Float>(
    builder: RecurrentBuilder<U>,
    case: &Value,
    params: &mut Params<T>,
) -> Recurrent<U> {
    let mut builder = builder.layers(size(case, "layers"));
    if flag(case, "bidirectional") {
        builder = builder.bidirectional();
    }
    if flag(case, "batch_first") {
        builder = builder.batch_first();
    }
    if !flag(case, "bias") {
        builder = builder.no_bias();
    }
    builder.build(params.root())
}

/// A layer of any unit with options of any case, as a function of input, states and parameters.
fn compare_layer<U: Unit, T: Float>(
    builder: RecurrentBuilder<U>,
    case: &Value,
    index: usize,
    state: fn(Vec<Var<T>>) -> U::State<T>,
) {
    let mut params: Params<T> = Params::seeded(0);
    let layer = built(builder, case, &mut params);
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    let expected: Vec<&str> = case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names, expected);
    let values: Vec<T> = params
        .iter()
        .enumerate()
        .flat_map(|(i, (_, shape, _))| filled(shape, 0.1 * index as f64 + i as f64, 0.8).value().to_vec())
        .collect();
    params.set_values(&values);

    let mut inputs = vec![filled(&shape(&case["shapes"]["x"]), 0.3 + index as f64, 1.0)];
    let given = flag(case, "state");
    if given {
        let shapes = case["shapes"]["states"].as_array().unwrap().iter().enumerate();
        inputs.extend(shapes.map(|(k, s)| filled(&shape(s), 2.0 + (k + index) as f64, 1.0)));
    }
    let (count, lengths) = (inputs.len(), &case["lengths"]);
    inputs.extend(params.vars());
    let run = |v: &Vec<Var<T>>| -> (Var<T>, Vec<Var<T>>) {
        let cx = params.context(Mode::Train, &v[count..]);
        let start = given.then(|| state(v[1..count].to_vec()));
        let (y, end) = if lengths.is_null() {
            layer.run(&cx, &v[0], start.as_ref())
        } else {
            let lengths: Vec<u32> = numbers(lengths).iter().map(|&n| n as u32).collect();
            layer.run_padded(&cx, &v[0], Tensor::vector(&lengths), start.as_ref())
        };
        (y, end.to_vars())
    };
    let what = format!("layer {index}: {case:.120}");
    let (y, ends) = run(&inputs);
    assert_eq!(y.shape(), &shape(&case["output"]["shape"]), "{what}");
    close(&what, &y.value().to_vec(), &numbers(&case["output"]["values"]));
    for (end, expected) in ends.iter().zip(case["ends"].as_array().unwrap()) {
        assert_eq!(end.shape(), &shape(&expected["shape"]), "{what}");
        close(&format!("end of {what}"), &end.value().to_vec(), &numbers(&expected["values"]));
    }
    let loss = |v: &Vec<Var<T>>| {
        let (y, ends) = run(v);
        let parts = std::iter::once(y).chain(ends).enumerate();
        parts.map(|(k, t)| (&t * filled(t.shape(), 5.0 + k as f64, 1.0)).sum()).sum::<Var<T>>()
    };
    let grads = value_and_grad(loss, &inputs).1;
    let expected = case["grads"].as_array().unwrap();
    assert_eq!(grads.len(), expected.len(), "{what}");
    for (i, (grad, expected)) in grads.iter().zip(expected).enumerate() {
        close(&format!("gradient {i} of {what}"), &grad.value().to_vec(), &numbers(expected));
    }
}

fn layers<T: Float>() {
    let cases = golden("layers");
    assert_eq!(cases.len(), 64);
    let one = |mut parts: Vec<Var<T>>| parts.remove(0);
    for (index, case) in cases.iter().enumerate() {
        let (input, hidden) = (size(case, "input"), size(case, "hidden"));
        match case["kind"].as_str().unwrap() {
            "rnn" => compare_layer(Rnn::builder(input, hidden), case, index, one),
            "relu" => compare_layer(Rnn::builder(input, hidden).relu(), case, index, one),
            "gru" => compare_layer(Gru::builder(input, hidden), case, index, one),
            _ => {
                let builder = Lstm::builder(input, hidden);
                let builder = match size(case, "projection") {
                    0 => builder,
                    size => builder.projection(size),
                };
                compare_layer::<_, T>(builder, case, index, |mut parts| {
                    let h = parts.remove(0);
                    LstmState { h, c: parts.remove(0) }
                });
            }
        }
    }
}

#[test]
fn layers_are_those_of_pytorch() {
    layers::<f64>();
}

#[test]
fn layers_in_single_precision_are_those_of_pytorch() {
    layers::<f32>();
}

fn compare_cell<U: Unit>(builder: CellBuilder<U>, case: &Value, state: fn(Vec<Var<f64>>) -> U::State<f64>) {
    let mut params: Params<f64> = Params::seeded(0);
    let builder = if flag(case, "bias") { builder } else { builder.no_bias() };
    let cell = builder.build(params.root());
    let values: Vec<f64> = params
        .iter()
        .enumerate()
        .flat_map(|(i, (_, shape, _))| filled::<f64>(shape, i as f64, 0.8).value().to_vec())
        .collect();
    params.set_values(&values);
    let mut inputs = vec![filled(&[2, 3].into(), 0.3, 1.0)];
    let parts = case["ends"].as_array().unwrap().len();
    inputs.extend((0..parts).map(|k| filled(&[2, 4].into(), 2.0 + k as f64, 1.0)));
    inputs.extend(params.vars());
    let run = |v: &Vec<Var<f64>>| {
        let cx = params.context(Mode::Train, &v[1 + parts..]);
        cell.step(&cx, &v[0], &state(v[1..=parts].to_vec())).to_vars()
    };
    let what = case["kind"].as_str().unwrap();
    for (end, expected) in run(&inputs).iter().zip(case["ends"].as_array().unwrap()) {
        close(what, &end.value().to_vec(), &numbers(expected));
    }
    let loss = |v: &Vec<Var<f64>>| {
        let ends = run(v).into_iter().enumerate();
        ends.map(|(k, t)| (&t * filled(t.shape(), 5.0 + k as f64, 1.0)).sum()).sum::<Var<f64>>()
    };
    let grads = value_and_grad(loss, &inputs).1;
    assert_eq!(grads.len(), case["grads"].as_array().unwrap().len());
    for (grad, expected) in grads.iter().zip(case["grads"].as_array().unwrap()) {
        close(&format!("gradient of {what}"), &grad.value().to_vec(), &numbers(expected));
    }
}

#[test]
fn cells_are_those_of_pytorch() {
    for case in golden("cells") {
        let one = |mut parts: Vec<Var<f64>>| parts.remove(0);
        match case["kind"].as_str().unwrap() {
            "rnn" => compare_cell(RnnCell::builder(3, 4), &case, one),
            "relu" => compare_cell(RnnCell::builder(3, 4).relu(), &case, one),
            "gru" => compare_cell(GruCell::builder(3, 4), &case, one),
            _ => compare_cell(LstmCell::builder(3, 4), &case, |mut parts| {
                let h = parts.remove(0);
                LstmState { h, c: parts.remove(0) }
            }),
        }
    }
}

/// A bidirectional LSTM of two layers below a linear layer, written by PyTorch's script, is loaded, gives the same outputs and
/// gradients, and goes back.
#[test]
fn a_model_of_pytorch_is_loaded_and_goes_back() {
    let case = &golden("file")[0];
    let mut params: Params<f64> = Params::seeded(7);
    let lstm = Lstm::builder(3, 4).layers(2).bidirectional().build(params.at("lstm"));
    let out = Linear::new(params.at("out"), 8, 2);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recurrent.safetensors");
    params.load(&path).unwrap();
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    let expected: Vec<&str> = case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names, expected);

    let mut inputs = vec![filled(&[5, 2, 3].into(), 0.3, 1.0)];
    inputs.extend(params.vars());
    let run = |v: &Vec<Var<f64>>| {
        let cx = params.context(Mode::Train, &v[1..]);
        out.forward(&cx, &lstm.forward(&cx, &v[0]))
    };
    close("output", &run(&inputs).value().to_vec(), &numbers(&case["output"]));
    let loss = |v: &Vec<Var<f64>>| (run(v) * filled::<f64>(&[5, 2, 2].into(), 5.0, 1.0)).sum();
    let grads = value_and_grad(loss, &inputs).1;
    for (grad, expected) in grads.iter().zip(case["grads"].as_array().unwrap()) {
        close("gradient", &grad.value().to_vec(), &numbers(expected));
    }

    let folder = tempfile::tempdir().unwrap();
    let back = folder.path().join("back.safetensors");
    params.save(&back).unwrap();
    let (ours, theirs) = (std::fs::read(&back).unwrap(), std::fs::read(&path).unwrap());
    let ours = safetensors::SafeTensors::deserialize(&ours).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&theirs).unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (name, tensor) in theirs.iter() {
        let other = ours.tensor(name).unwrap();
        assert_eq!((other.shape(), other.data()), (tensor.shape(), tensor.data()), "{name}");
    }
}
