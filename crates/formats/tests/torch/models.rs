//! Four models come from PyTorch, give the same outputs, and go back: see `golden/models.py`.

use std::path::PathBuf;

use serde_json::Value;
use wengert_formats::torch;
use wengert_nn::*;
use wengert_tape::Var;
use wengert_tensor::Tensor;

use super::support::{path, state_dict, tensors};

/// Makes the layers of a model.
type Model = fn(&mut Params) -> Forward;
type Forward = Box<dyn Fn(&Ctx<f32>, &Var<f32>) -> Var<f32>>;

fn lenet(params: &mut Params) -> Forward {
    let (conv1, conv2) = (Conv2d::new(params.at("conv1"), 1, 2, 3), Conv2d::new(params.at("conv2"), 2, 3, 3));
    let (fc1, fc2) = (Linear::new(params.at("fc1"), 12, 5), Linear::new(params.at("fc2"), 5, 4));
    let pool = MaxPool2d::new(2);
    Box::new(move |cx, x| {
        let x = pool.forward(cx, &conv1.forward(cx, x).relu());
        let x = pool.forward(cx, &conv2.forward(cx, &x).relu());
        fc2.forward(cx, &fc1.forward(cx, &x.flatten(1, -1)).relu())
    })
}

fn resnet(params: &mut Params) -> Forward {
    let conv1 = Conv2d::builder(2, 3, 3).padding(1).no_bias().build(params.at("conv1"));
    let bn1 = BatchNorm2d::new(params.at("bn1"), 3);
    let conv2 = Conv2d::builder(3, 3, 3).padding(1).no_bias().build(params.at("conv2"));
    let bn2 = BatchNorm2d::new(params.at("bn2"), 3);
    let fc = Linear::new(params.at("fc"), 3, 2);
    Box::new(move |cx, x| {
        let x = bn1.forward(cx, &conv1.forward(cx, x)).relu();
        let x = (&x + bn2.forward(cx, &conv2.forward(cx, &x))).relu();
        fc.forward(cx, &x.mean_axes([2, 3], false))
    })
}

fn lstm(params: &mut Params) -> Forward {
    let lstm = Lstm::builder(3, 4).layers(2).bidirectional().build(params.at("lstm"));
    let head = Linear::new(params.at("head"), 8, 2);
    Box::new(move |cx, x| head.forward(cx, &lstm.forward(cx, x)))
}

fn transformer(params: &mut Params) -> Forward {
    let builder = TransformerBuilder::new(8, 2).feed_forward(12).dropout(0.0);
    let encoder = builder.encoder(params.at("encoder"), 2);
    let head = Linear::new(params.at("head"), 8, 3);
    Box::new(move |cx, x| head.forward(cx, &encoder.forward(cx, x)))
}

#[test]
fn models_come_and_go_with_the_same_outputs() {
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(path("models.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let returned = std::env::var_os("WENGERT_TORCH_RETURN").map(PathBuf::from);
    let models: [(&str, Model); 4] =
        [("lenet", lenet), ("resnet", resnet), ("lstm", lstm), ("transformer", transformer)];
    for (name, model) in models {
        let mut params: Params = Params::seeded(1);
        let forward = model(&mut params);
        let file = format!("{name}.pt");
        let report = params.load_from(&mut state_dict(&file), &Loading::new());
        assert!(report.unwrap_or_else(|error| panic!("{name}: {error}")).is_complete(), "{name}");
        let numbers = |key: &str| -> Vec<f32> {
            cases[name][key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
        };
        let shape = cases[name]["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
        let x = Var::from(Tensor::vector(&numbers("x")).reshape(&shape.collect::<Vec<_>>()[..]));
        let y = params.infer(|cx| forward(cx, &x)).value().to_vec();
        let expected = numbers("y");
        assert_eq!(y.len(), expected.len());
        for (y, expected) in y.iter().zip(&expected) {
            assert!((y - expected).abs() < 2e-6, "{name}: {y}, not {expected}");
        }

        let path = returned.as_deref().unwrap_or(folder.path()).join(&file);
        torch::save(&params, &path).unwrap();
        let mut back = tensors(&mut torch::File::open(&path).unwrap().state_dict().unwrap());
        let mut theirs = tensors(&mut state_dict(&file));
        back.sort();
        theirs.sort();
        assert_eq!(back, theirs, "{name}");
    }
}
