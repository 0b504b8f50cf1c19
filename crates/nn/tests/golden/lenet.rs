//! A LeNet that PyTorch has saved: see `lenet.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, grad};
use wengert_tensor::{Float, Tensor};

use crate::support::{close, labels, numbers, section, tensor};

const FILE: &[u8] = include_bytes!("lenet.safetensors");

fn case() -> Value {
    section(include_str!("lenet.json"), "lenet").remove(0)
}

struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl LeNet {
    fn new<T: Float>(params: &mut Params<T>) -> Self {
        LeNet {
            conv1: Conv2d::builder(1, 2, 5).padding(2).build(params.at("conv1")),
            conv2: Conv2d::new(params.at("conv2"), 2, 3, 5),
            fc1: Linear::new(params.at("fc1"), 3 * 5 * 5, 12),
            fc2: Linear::new(params.at("fc2"), 12, 8),
            fc3: Linear::new(params.at("fc3"), 8, 10),
        }
    }
}

impl<T: Float> Layer<T> for LeNet {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let pool = MaxPool2d::new(2);
        let x = pool.forward(cx, &self.conv1.forward(cx, x).relu());
        let x = pool.forward(cx, &self.conv2.forward(cx, &x).relu());
        let x = self.fc1.forward(cx, &x.flatten(1, -1)).relu();
        self.fc3.forward(cx, &self.fc2.forward(cx, &x).relu())
    }
}

fn images<T: Float>() -> Tensor<T> {
    let pixel = |i: usize| T::from_f64(((i * i) as f64 * 0.37).sin());
    Tensor::vector(&(0..2 * 28 * 28).map(pixel).collect::<Vec<_>>()).reshape([2, 1, 28, 28])
}

fn loads_and_gives_the_same<T: Float>() {
    let case = case();
    let mut params: Params<T> = Params::seeded(5);
    let net = LeNet::new(&mut params);
    params.load_safetensors(FILE).unwrap();
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    let expected: Vec<&str> = case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names, expected);

    let (images, labels) = (Var::constant(images()), labels(&case["labels"]));
    let output = params.infer(|cx| net.forward(cx, &images));
    close("output", &output.value().to_vec(), &tensor::<f64>(&case["output"]).to_vec());
    let (loss, grads) = params.value_and_grad(|cx| net.forward(cx, &images).cross_entropy(&labels)).unwrap();
    close("loss", &[loss], &[case["loss"].as_f64().unwrap()]);
    let expected = case["grads"].as_array().unwrap().iter().flat_map(|g| tensor::<f64>(g).to_vec());
    close("gradient", &grads, &expected.collect::<Vec<_>>());
    let of_images = grad(|x: &Var<T>| params.infer(|cx| net.forward(cx, x).cross_entropy(&labels)), &images);
    let some: Vec<T> = of_images.value().to_vec().into_iter().step_by(7).collect();
    close("gradient of the images", &some, &numbers(&case["of_images"]));
}

#[test]
fn a_lenet_of_pytorch_loads_in_single_precision() {
    loads_and_gives_the_same::<f32>();
}

#[test]
fn a_lenet_of_pytorch_loads_in_double_precision() {
    loads_and_gives_the_same::<f64>();
}

#[test]
fn it_goes_back() {
    let mut params: Params<f32> = Params::seeded(5);
    LeNet::new(&mut params);
    params.load_safetensors(FILE).unwrap();
    let ours = params.to_safetensors().unwrap();
    let [theirs, ours] = [FILE, &ours].map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(theirs.len(), ours.len());
    for (name, tensor) in theirs.iter() {
        assert_eq!(ours.tensor(name).unwrap(), tensor, "{name}");
    }
}
