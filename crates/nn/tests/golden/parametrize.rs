//! Layers with computed weights against PyTorch: see `parametrize.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads};

use crate::support::{close, name, numbers, section, tensor, weights};

fn linear(p: Scope<'_, f64>) -> Linear {
    Linear::new(p, 4, 3)
}

fn conv(p: Scope<'_, f64>) -> Conv2d {
    Conv2d::new(p, 2, 3, 2)
}

fn layer(case: &Value, params: &mut Params<f64>) -> Box<dyn Layer<f64>> {
    let p = params.root();
    let axis = case["axis"].as_u64().map(|axis| axis as usize);
    let weight = match axis {
        Some(axis) => WeightNorm::builder().axis(axis),
        None => WeightNorm::builder().whole(),
    };
    let steps = case["steps"].as_u64().unwrap_or(1) as usize;
    let spectral = SpectralNorm::builder().axis(axis.unwrap_or(0)).steps(steps);
    match name(case) {
        "orthogonal matrix_exp" => {
            Box::new(Orthogonal::builder().map(OrthogonalMap::MatrixExp).build(p, linear))
        }
        "orthogonal cayley" => Box::new(Orthogonal::builder().map(OrthogonalMap::Cayley).build(p, linear)),
        "orthogonal householder" => Box::new(Orthogonal::of(p, linear)),
        "orthogonal square" => Box::new(Orthogonal::of(p, |p| Linear::new(p, 4, 4))),
        "orthogonal tall" => Box::new(Orthogonal::of(p, |p| Linear::new(p, 4, 6))),
        "weight Linear" => Box::new(weight.build(p, linear)),
        "weight Conv2d" => Box::new(weight.build(p, conv)),
        "spectral Linear" => Box::new(spectral.build(p, linear)),
        "spectral Conv2d" => Box::new(spectral.build(p, conv)),
        _ => Box::new(spectral.name("bias").build(p, linear)),
    }
}

/// All numbers of a case, by a file in which PyTorch's names stand.
fn load(params: &mut Params<f64>, case: &Value) {
    let mut bytes = params.to_safetensors().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let objects = ["params", "before"].map(|key| case[key].as_object().unwrap());
    let entries = header.as_object().unwrap().keys().filter(|key| *key != "__metadata__").count();
    assert_eq!(entries, objects[0].len() + objects[1].len(), "{header}");
    for (name, value) in objects.into_iter().flatten() {
        assert_eq!(header[name]["shape"], value["shape"], "{name}");
        let start = numbers(&header[name]["data_offsets"])[0] as usize;
        let data: Vec<u8> = numbers(&value["values"]).iter().flat_map(|x| x.to_le_bytes()).collect();
        bytes[8 + length + start..][..data.len()].copy_from_slice(&data);
    }
    params.load_safetensors(&bytes).unwrap();
}

#[test]
fn computed_weights_are_those_of_pytorch() {
    let cases = section(include_str!("parametrize.json"), "cases");
    assert_eq!(cases.len(), 28);
    for case in &cases {
        let mut params: Params<f64> = Params::seeded(0);
        let layer = layer(case, &mut params);
        load(&mut params, case);
        let x = Var::<f64>::constant(tensor(&case["x"]));
        let train = case["training"] == true;
        let mode = if train { Mode::Train } else { Mode::Eval };
        if train {
            // The first two passes, each taken over as by a step.
            for _ in 0..2 {
                let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).sum()).unwrap();
                params.update_buffers(&grads);
            }
        }
        let of_all = |v: &[Var<f64>]| layer.forward(&params.context(mode, &v[1..]), &v[0]);
        let all = [vec![x.clone()], params.vars()].concat();
        let y = of_all(&all);
        close(name(case), &y.value().to_vec(), &numbers(&case["output"]["values"]));
        let weights = weights(&y);
        let (_, grads) = wengert_tape::value_and_grad(|v: &Vec<Var<f64>>| (of_all(v) * &weights).sum(), &all);
        close("gradient of x", &grads[0].value().to_vec(), &numbers(&case["of_x"]["values"]));
        for ((name, ..), grad) in params.iter().zip(&grads[1..]) {
            close(name, &grad.value().to_vec(), &numbers(&case["grads"][name]["values"]));
        }
        // Of a power iteration that moves, the derivative is that at fixed vectors.
        if mode == Mode::Eval || params.buffers().is_empty() {
            check_grads(|v: &[Var<f64>]| of_all(v).square(), &all, 2).unwrap();
        }
        if train {
            let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).sum()).unwrap();
            params.update_buffers(&grads);
        }
        for (name, value) in params.buffers() {
            close(&name, &value.to_vec(), &numbers(&case["after"][&name]["values"]));
        }
    }
}
