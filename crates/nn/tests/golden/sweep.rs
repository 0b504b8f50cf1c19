//! Random settings of convolutions and pools against PyTorch: see `sweep.py`. A setting that PyTorch refuses is refused here
//! too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use wengert_tape::{Divisor, PoolOptions, Var, value_and_grad};
use wengert_tensor::conv::ConvOptions;
use wengert_tensor::{Float, Shape, Tensor};

fn lengths(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect()
}

fn along<const D: usize>(value: &Value) -> [usize; D] {
    lengths(value).try_into().unwrap()
}

/// The numbers that `sweep.py` makes.
fn formula<T: Float>(shape: &Value, seed: usize) -> Var<T> {
    let shape = Shape::from(lengths(shape));
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 4036) as f64 - 2018.0;
    let values: Vec<T> = (0..shape.count()).map(|i| T::from_f64(number(i) / 4036.0)).collect();
    Var::constant(Tensor::vector(&values).reshape(shape))
}

/// The sums of the elements with the weights that `sweep.py` has.
fn check<T: Float>(what: &str, found: &Tensor<T>, expected: &Value) {
    assert_eq!(found.shape().to_vec(), lengths(&expected["shape"]), "{what}");
    let values: Vec<f64> = found.to_vec().into_iter().map(Float::to_f64).collect();
    let scale = values.iter().map(|x| x.abs()).sum::<f64>().max(1.0);
    let tolerance = if size_of::<T>() == 8 { 1e-11 } else { 3e-6 };
    for (k, expected) in expected["sums"].as_array().unwrap().iter().enumerate() {
        let weight = |i: usize| (i as f64 * (k as f64 + 1.0) + k as f64).cos();
        let sum = values.iter().enumerate().map(|(i, x)| x * weight(i)).sum::<f64>();
        let expected = expected.as_f64().unwrap();
        assert!((sum - expected).abs() <= tolerance * scale, "{what}, sum {k}: {sum} instead of {expected}");
    }
}

/// The operation of a setting.
fn apply<T: Float, const D: usize>(s: &Value, v: &[Var<T>]) -> Var<T> {
    let of = |key: &str| along::<D>(&s[key]);
    match s["kind"].as_str().unwrap() {
        "conv" | "conv_transpose" => {
            let options = ConvOptions {
                stride: of("stride"),
                padding: of("padding"),
                dilation: of("dilation"),
                groups: s["groups"].as_u64().unwrap() as usize,
            };
            match s["kind"].as_str().unwrap() {
                "conv" => v[0].conv(&v[1], v.get(2), options),
                _ => v[0].conv_transpose(&v[1], v.get(2), options, of("output_padding")),
            }
        }
        "adaptive_avg_pool" => v[0].adaptive_avg_pool(of("size")),
        "adaptive_max_pool" => v[0].adaptive_max_pool(of("size")),
        kind => {
            let options = PoolOptions {
                stride: of("stride"),
                padding: of("padding"),
                dilation: of("dilation"),
                ceil_mode: s["ceil"].as_bool().unwrap(),
                ..PoolOptions::new(of("kernel"))
            };
            if kind == "max_pool" {
                return v[0].max_pool(options);
            }
            match s["divisor"].as_u64().unwrap() {
                0 => v[0].avg_pool(options, s["count_padding"].as_bool().unwrap()),
                number => v[0].avg_pool(options, Divisor::Fixed(number as usize)),
            }
        }
    }
}

fn run<T: Float, const D: usize>(s: &Value) {
    let mut inputs: Vec<Var<T>> = vec![formula(&s["input"], 0)];
    if s["weight"].is_array() {
        inputs.push(formula(&s["weight"], 1));
    }
    if s["bias"] == true {
        inputs.push(formula(&Value::from(vec![s["channels"].clone()]), 2));
    }
    let result = &s["result"];
    if result.is_null() {
        let refused = catch_unwind(AssertUnwindSafe(|| apply::<T, D>(s, &inputs)));
        assert!(refused.is_err(), "PyTorch refuses {s}, here it gives {}", refused.unwrap().shape());
        return;
    }
    check(&format!("output of {s}"), apply::<T, D>(s, &inputs).value(), &result["output"]);
    let weighted = |v: &Vec<Var<T>>| {
        let y = apply::<T, D>(s, v);
        let weights: Vec<T> = (0..y.len()).map(|i| T::from_f64((i as f64 + 1.0).sin())).collect();
        (&y * Var::constant(Tensor::vector(&weights).reshape(y.shape()))).sum()
    };
    let (_, grads) = value_and_grad(weighted, &inputs);
    for (i, (grad, expected)) in grads.iter().zip(result["grads"].as_array().unwrap()).enumerate() {
        check(&format!("gradient {i} of {s}"), grad.value(), expected);
    }
}

#[test]
fn random_settings_give_what_they_give_in_pytorch() {
    let settings: Value = serde_json::from_str(include_str!("sweep.json")).expect("the file is JSON");
    let settings = settings.as_array().unwrap();
    assert_eq!(settings.len(), 240);
    assert!(settings.iter().filter(|s| !s["result"].is_null()).count() >= 200);
    for s in settings {
        match s["d"].as_u64() {
            Some(1) => (run::<f64, 1>(s), run::<f32, 1>(s)),
            Some(2) => (run::<f64, 2>(s), run::<f32, 2>(s)),
            _ => (run::<f64, 3>(s), run::<f32, 3>(s)),
        };
    }
}
