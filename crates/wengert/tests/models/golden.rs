//! Losses, gradients, Hessian–vector products and training steps against PyTorch and JAX: `golden/models.py` made the
//! numbers.

use serde_json::Value;
use wengert::nn::Grads;
use wengert::optim::first::SgdConfig;
use wengert::prelude::*;
use wengert::tape::{HessianOperator, Pool2dOptions};
use wengert::tensor::conv::Conv2dOptions;

const STEPS: usize = 3;

/// Numbers in [−1, 1) that are the same in every language.
fn pattern<T: Float>(count: usize, seed: u64) -> Vec<T> {
    let number = |i: u64| ((i * i * 31 + i * 7919 + seed * 104_729) % 1_000_003) as f64 / 500_001.5 - 1.0;
    (0..count as u64).map(|i| T::from_f64(number(i))).collect()
}

/// A network with its parameters, as layers and as a plain function of the parameter tensors.
struct Case<T: Float> {
    params: Params<T>,
    layers: Sequential<T>,
    function: fn(&[Var<T>], &Var<T>) -> Var<T>,
    x: Var<T>,
    labels: Tensor<u32>,
}

impl<T: Float> Case<T> {
    fn new(name: &str) -> Self {
        let mut params = Params::seeded(0);
        let (layers, images): (_, Vec<usize>) = match name {
            "mlp_relu" => (crate::common::perceptron(&mut params, &[12, 8, 5], Relu), vec![6, 12]),
            "mlp_tanh" => (crate::common::perceptron(&mut params, &[12, 8, 5], Tanh), vec![6, 12]),
            "lenet_small" => (crate::common::lenet(&mut params, [3, 4], 3, &[16, 8, 5]), vec![6, 1, 12, 12]),
            _ => (crate::common::lenet(&mut params, [6, 16], 5, &[400, 120, 84, 10]), vec![4, 1, 28, 28]),
        };
        let function = match name {
            "mlp_relu" => |p: &[Var<T>], x: &Var<T>| perceptron(p, x, Var::relu),
            "mlp_tanh" => |p: &[Var<T>], x: &Var<T>| perceptron(p, x, Var::tanh),
            _ => lenet,
        };
        params.set_values(&start(&params));
        let (rows, count) = (images[0], images.iter().product());
        let classes = if name == "lenet" { 10 } else { 5 };
        let labels = Tensor::from_fn([rows], |i| (i[0] * 7 % classes) as u32);
        let x = Var::constant(Tensor::from_vec(pattern(count, 1), images).unwrap());
        Case { params, layers, function, x, labels }
    }

    fn loss_and_gradient(&self, params: &Params<T>) -> (T, Grads<T>) {
        let loss = |cx: &Ctx<T>| self.layers.forward(cx, &self.x).cross_entropy(&self.labels);
        params.value_and_grad(loss).unwrap()
    }

    fn hessian_product(&self, v: &[T]) -> Vec<T> {
        let shapes: Vec<Shape> = self.params.iter().map(|(_, shape, _)| shape.clone()).collect();
        let loss = |flat: &Var<T>| {
            (self.function)(&cut(flat, &shapes), &self.x).softmax_cross_entropy(&self.labels, 0.0).mean()
        };
        let at = Var::constant(Tensor::vector(self.params.values()));
        HessianOperator::new(loss, &at).apply(&Var::constant(Tensor::vector(v))).value().to_vec()
    }

    /// By the recording that second-order methods make, once and for all products.
    fn objective_product(&self, v: &[T]) -> Vec<T> {
        let objective =
            self.params.objective(|cx| self.layers.forward(cx, &self.x).cross_entropy(&self.labels));
        let mut product = vec![T::ZERO; v.len()];
        objective.hessian_operator(self.params.values()).apply(v, &mut product);
        product
    }

    fn trained(&self, mut optimizer: impl Optimizer<T>) -> Vec<T> {
        let mut params = self.params.clone();
        for _ in 0..STEPS {
            let (_, grads) = self.loss_and_gradient(&params);
            optimizer.step(&mut params.values_mut(), &grads);
        }
        params.values().to_vec()
    }
}

/// Every weight and its bias uniform in one over the root of the number of inputs.
fn start<T: Float>(params: &Params<T>) -> Vec<T> {
    let (mut values, mut fan_in) = (Vec::new(), 1);
    for (k, (_, shape, _)) in params.iter().enumerate() {
        if shape.len() > 1 {
            fan_in = shape[1..].iter().product();
        }
        let scale = 1.0 / (fan_in as f64).sqrt();
        let part: Vec<f64> = pattern(shape.iter().product(), 10 + k as u64);
        values.extend(part.into_iter().map(|u| T::from_f64(u * scale)));
    }
    values
}

fn cut<T: Float>(flat: &Var<T>, shapes: &[Shape]) -> Vec<Var<T>> {
    let mut at = 0;
    let part = |shape: &Shape| {
        let count: usize = shape.iter().product();
        at += count;
        flat.slice((at - count) as isize..at as isize).reshape(shape)
    };
    shapes.iter().map(part).collect()
}

fn perceptron<T: Float>(p: &[Var<T>], x: &Var<T>, activation: fn(&Var<T>) -> Var<T>) -> Var<T> {
    let mut x = x.clone();
    for (i, layer) in p.chunks_exact(2).enumerate() {
        if i > 0 {
            x = activation(&x);
        }
        x = x.matmul(&layer[0].t()) + &layer[1];
    }
    x
}

fn lenet<T: Float>(p: &[Var<T>], x: &Var<T>) -> Var<T> {
    let halves = Pool2dOptions::new([2, 2]);
    let padded = Conv2dOptions { padding: [2, 2], ..Conv2dOptions::default() };
    let x = x.conv2d(&p[0], Some(&p[1]), padded).relu().max_pool2d(halves);
    let x = x.conv2d(&p[2], Some(&p[3]), Conv2dOptions::default()).relu().max_pool2d(halves);
    perceptron(&p[4..], &x.flatten(1, -1), Var::relu)
}

/// Compares a vector with what was written of PyTorch's; `tolerance` is relative to its largest element or norm.
fn compare<T: Float>(what: &str, found: &[T], expected: &Value, tolerance: f64) {
    let found: Vec<f64> = found.iter().map(|x| x.to_f64()).collect();
    let number = |key: &str| expected[key].as_f64().unwrap();
    let norm = found.iter().map(|x| x * x).sum::<f64>().sqrt();
    let projection: f64 = found.iter().zip(pattern::<f64>(found.len(), 3)).map(|(a, b)| a * b).sum();
    near(&format!("{what}: norm"), norm, number("norm"), tolerance * norm);
    near(&format!("{what}: projection"), projection, number("projection"), tolerance * norm);
    let elements: Vec<f64> =
        expected["elements"].as_array().unwrap().iter().map(|e| e.as_f64().unwrap()).collect();
    let sampled: Vec<f64> = found.iter().copied().step_by(number("stride") as usize).collect();
    assert_eq!(sampled.len(), elements.len(), "{what}");
    let largest = elements.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    for (i, (a, b)) in sampled.iter().zip(&elements).enumerate() {
        near(&format!("{what}: element {i}"), *a, *b, tolerance * largest);
    }
}

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected} ± {tolerance:e}");
}

fn all_agree<T: Float>(tolerance: f64) {
    let golden: Value = serde_json::from_str(include_str!("../golden/models.json")).unwrap();
    for (name, expected) in golden.as_object().unwrap() {
        let case = Case::<T>::new(name);
        let what = |part: &str| format!("{name}, {}: {part}", T::NAME);
        let (loss, grads) = case.loss_and_gradient(&case.params);
        let value = expected["loss"].as_f64().unwrap();
        near(&what("loss"), loss.to_f64(), value, tolerance * value);
        compare(&what("gradient"), &grads, &expected["gradient"], tolerance);
        let product = case.hessian_product(&pattern(case.params.len(), 2));
        compare(&what("Hessian product"), &product, &expected["hessian_product"], tolerance);
        let product = case.objective_product(&pattern(case.params.len(), 2));
        compare(&what("objective's product"), &product, &expected["hessian_product"], tolerance);
        let config = SgdConfig { momentum: 0.9, ..SgdConfig::default() };
        compare(
            &what("SGD"),
            &case.trained(Sgd::with_config(0.1, config).unwrap()),
            &expected["sgd"],
            tolerance,
        );
        compare(&what("Adam"), &case.trained(Adam::new(0.01)), &expected["adam"], tolerance);
    }
    assert_eq!(golden.as_object().unwrap().len(), 4);
}

#[test]
fn double_precision_is_pytorchs_and_jaxs_to_1e_10() {
    all_agree::<f64>(1e-10);
}

#[test]
fn single_precision_is_pytorchs_and_jaxs_to_1e_5() {
    all_agree::<f32>(1e-5);
}
