//! Normalisation layers against PyTorch: see `norms.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads, grad, hvp};
use wengert_tensor::{Float, Tensor};

use crate::support::{close, compare, name, numbers, section, tensor};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("norms.json"), name)
}

fn size(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn layer_norm<T: Float>(case: &Value, p: Scope<'_, T>) -> LayerNorm {
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&d| d as usize).collect();
    let builder = LayerNorm::builder(&shape[..]).eps(case["epsilon"].as_f64().unwrap());
    match case["affine"].as_str().unwrap() {
        "all" => builder.build(p),
        "weight" => builder.no_bias().build(p),
        _ => builder.no_affine().build(p),
    }
}

fn rms_norm<T: Float>(case: &Value, p: Scope<'_, T>) -> RmsNorm {
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&d| d as usize).collect();
    let mut builder = RmsNorm::builder(&shape[..]);
    if let Some(epsilon) = case["epsilon"].as_f64() {
        builder = builder.eps(epsilon);
    }
    if case["affine"] == "no" { builder.no_affine().build(p) } else { builder.build(p) }
}

fn group_norm<T: Float>(case: &Value, p: Scope<'_, T>) -> GroupNorm {
    let builder = GroupNorm::builder(size(case, "groups"), size(case, "channels"))
        .eps(case["epsilon"].as_f64().unwrap());
    if case["affine"] == true { builder.build(p) } else { builder.no_affine().build(p) }
}

fn batch_norm<T: Float, const D: usize>(case: &Value, p: Scope<'_, T>) -> BatchNorm<D> {
    let mut builder = BatchNorm::builder(size(case, "channels")).cumulative();
    if let Some(epsilon) = case["epsilon"].as_f64() {
        builder = builder.eps(epsilon);
    }
    if let Some(momentum) = case["momentum"].as_f64() {
        builder = builder.momentum(momentum);
    }
    if case["affine"] == false {
        builder = builder.no_affine();
    }
    if case["tracked"] == false {
        builder = builder.no_running_statistics();
    }
    builder.build(p)
}

fn instance_norm<T: Float, const D: usize>(case: &Value, p: Scope<'_, T>) -> InstanceNorm<D> {
    let mut builder =
        InstanceNorm::builder(size(case, "channels")).momentum(case["momentum"].as_f64().unwrap());
    if case["affine"] == true {
        builder = builder.affine();
    }
    if case["tracked"] == true {
        builder = builder.running_statistics();
    }
    builder.build(p)
}

fn layer<T: Float>(case: &Value, params: &mut Params<T>) -> Box<dyn Layer<T>> {
    let p = params.root();
    match (name(case), case["d"].as_u64()) {
        ("LayerNorm", _) => Box::new(layer_norm(case, p)),
        ("RmsNorm", _) => Box::new(rms_norm(case, p)),
        ("GroupNorm", _) => Box::new(group_norm(case, p)),
        ("BatchNorm", Some(1)) => Box::new(batch_norm::<T, 1>(case, p)),
        ("BatchNorm", Some(2)) => Box::new(batch_norm::<T, 2>(case, p)),
        ("BatchNorm", Some(3)) => Box::new(batch_norm::<T, 3>(case, p)),
        ("InstanceNorm", Some(1)) => Box::new(instance_norm::<T, 1>(case, p)),
        ("InstanceNorm", Some(2)) => Box::new(instance_norm::<T, 2>(case, p)),
        ("InstanceNorm", Some(3)) => Box::new(instance_norm::<T, 3>(case, p)),
        _ => {
            let number = |key: &str| case[key].as_f64().unwrap();
            let (alpha, beta, k) = (number("alpha"), number("beta"), number("k"));
            Box::new(LocalResponseNorm { size: size(case, "size"), alpha, beta, k })
        }
    }
}

/// The parameters with the buffers that a case starts with, which a file brings.
fn load_buffers(params: &mut Params<f64>, case: &Value) {
    let bytes = params.to_safetensors().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let mut bytes = bytes.clone();
    for (name, value) in case["before"].as_object().unwrap() {
        if name == "num_batches_tracked" {
            continue;
        }
        let range = numbers(&header[name]["data_offsets"]);
        let data: Vec<u8> = numbers(&value["values"]).iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(data.len(), (range[1] - range[0]) as usize);
        bytes[8 + length + range[0] as usize..][..data.len()].copy_from_slice(&data);
    }
    params.load_safetensors(&bytes).unwrap();
}

fn compare_buffers(params: &Params<f64>, expected: &Value) {
    let expected = expected.as_object().unwrap();
    let mut found: Vec<(String, Vec<f64>)> =
        params.buffers().into_iter().map(|(name, value)| (name, value.to_vec())).collect();
    found.extend(params.counts().into_iter().map(|(name, count)| (name, vec![count as f64])));
    assert_eq!(found.len(), expected.len());
    for (name, values) in &found {
        close(name, values, &numbers(&expected[name]["values"]));
    }
}

/// The layer as a function of its input and its parameters.
fn of_all<T: Float>(layer: &dyn Layer<T>, params: &Params<T>, mode: Mode) -> impl Fn(&[Var<T>]) -> Var<T> {
    move |v: &[Var<T>]| layer.forward(&params.context(mode, &v[1..]), &v[0])
}

#[test]
fn norms_are_those_of_pytorch() {
    let cases = golden("layers");
    assert!(cases.len() > 120, "{} cases", cases.len());
    for case in &cases {
        let mode = if case["training"] == true { Mode::Train } else { Mode::Eval };
        let mut params: Params<f64> = Params::seeded(0);
        let of_case = layer(case, &mut params);
        load_buffers(&mut params, case);
        compare::<f64>(case, of_all(&*of_case, &params, mode));
        // What an evaluation makes of the buffers, a step takes over.
        if mode == Mode::Train && !params.buffers().is_empty() {
            let x = Var::constant(tensor(&case["inputs"][0]));
            params.allow_unreached(true);
            let w = params.root().param("another", [1], Init::Ones);
            let loss = |cx: &Ctx<f64>| of_case.forward(cx, &x).sum() * cx.param(w).sum();
            let (_, grads) = params.value_and_grad(loss).unwrap();
            params.update_buffers(&grads);
            compare_buffers(&params, &case["after"]);
        }
        if mode == Mode::Train || case["before"].as_object().unwrap().is_empty() {
            let mut params: Params<f32> = Params::seeded(0);
            let of_case = layer(case, &mut params);
            compare::<f32>(case, of_all(&*of_case, &params, mode));
        }
    }
}

/// Of one case of each kind, and of both modes.
#[test]
fn norms_have_derivatives_of_second_order() {
    let mut seen = Vec::new();
    for case in golden("layers") {
        let kind = format!("{} {} {} {}", name(&case), case["d"], case["training"], case["tracked"]);
        let rank = case["output"]["shape"].as_array().unwrap().len();
        if seen.contains(&kind) || rank < 2 || case["shape"].as_array().is_some_and(|s| s[0] == 1) {
            continue;
        }
        seen.push(kind);
        let mode = if case["training"] == true { Mode::Train } else { Mode::Eval };
        let mut params: Params<f64> = Params::seeded(0);
        let of_case = layer(&case, &mut params);
        load_buffers(&mut params, &case);
        let inputs: Vec<Var<f64>> =
            case["inputs"].as_array().unwrap().iter().map(|t| Var::constant(tensor(t))).collect();
        let f = of_all(&*of_case, &params, mode);
        check_grads(|v: &[Var<f64>]| f(v).tanh(), &inputs, 2).unwrap();
        products(name(&case), |v: &Vec<Var<f64>>| f(v).tanh().square().sum(), &inputs);
    }
    assert!(seen.len() >= 16, "{seen:?}");
}

/// Hessian–vector products against differences of gradients.
fn products(name: &str, f: impl Fn(&Vec<Var<f64>>) -> Var<f64> + Copy, at: &Vec<Var<f64>>) {
    let along: Vec<Var<f64>> = at
        .iter()
        .map(|x| Var::constant(Tensor::from_fn(x.shape(), |i| (1.0 + i.iter().sum::<usize>() as f64).sin())))
        .collect();
    let gradient = |h: f64| grad(f, &at.iter().zip(&along).map(|(x, v)| x + v * h).collect());
    let difference = |h: f64| -> Vec<f64> {
        let pairs = gradient(h).into_iter().zip(gradient(-h));
        pairs.flat_map(|(a, b)| ((a - b) / (2.0 * h)).value().to_vec()).collect()
    };
    let extrapolated: Vec<f64> =
        difference(1e-3).into_iter().zip(difference(2e-3)).map(|(a, b)| (4.0 * a - b) / 3.0).collect();
    let found: Vec<f64> = hvp(f, at, &along).iter().flat_map(|p| p.value().to_vec()).collect();
    let scale = found.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(&extrapolated) {
        assert!((a - b).abs() < 1e-6 * scale, "{name}: {a} instead of {b}");
    }
}

#[test]
fn running_statistics_of_several_batches() {
    for case in golden("sequence") {
        let mut params: Params<f64> = Params::seeded(0);
        let mut builder = BatchNorm1d::builder(3).cumulative();
        if let Some(momentum) = case["momentum"].as_f64() {
            builder = builder.momentum(momentum);
        }
        let norm = builder.build(params.root());
        for batch in case["batches"].as_array().unwrap() {
            let x = Var::constant(tensor(batch));
            let (_, grads) = params.value_and_grad(|cx| norm.forward(cx, &x).square().sum()).unwrap();
            params.update_buffers(&grads);
        }
        let found = params.buffers();
        close("mean", &found[0].1.to_vec(), &numbers(&case["mean"]["values"]));
        close("variance", &found[1].1.to_vec(), &numbers(&case["variance"]["values"]));
        assert_eq!(params.counts()[0].1, case["count"].as_i64().unwrap());
    }
}
