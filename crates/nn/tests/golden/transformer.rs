//! Attention and the layers of transformers against PyTorch: see `transformer.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{AttentionMask, Var, grad, hvp};
use wengert_tensor::{Float, Tensor};

use crate::support::{close, compare, name, section, tensor};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("transformer.json"), name)
}

/// Compares output and gradients by the first inputs, as many as `f` takes, and by the parameters, which are the others.
fn compare_all<T: Float>(
    case: &Value,
    params: &Params<T>,
    count: usize,
    f: impl Fn(&Ctx<T>, &[Var<T>]) -> Var<T>,
) {
    let names: Vec<&str> = params.iter().map(|(name, ..)| name.trim_start_matches("m.")).collect();
    let expected: Vec<&str> = case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names, expected, "{}", name(case));
    let all = |v: &[Var<T>]| f(&params.context(Mode::Eval, &v[count..]), &v[..count]);
    compare::<T>(case, all);
}

/// Hessian–vector products, by inputs and parameters, against differences of gradients.
fn check_products(case: &Value, params: &Params<f64>, count: usize, f: Function<f64>) {
    let read = |t| Var::constant(tensor::<f64>(t));
    let point: Vec<Var<f64>> = case["inputs"].as_array().unwrap().iter().map(read).collect();
    let loss = |v: &Vec<Var<f64>>| f(&params.context(Mode::Eval, &v[count..]), &v[..count]).sin().sum();
    let along: Vec<Var<f64>> = point.iter().map(|x| (x * 3.0).cos()).collect();
    let moved = |h: f64| grad(loss, &point.iter().zip(&along).map(|(x, d)| x + d * h).collect());
    let difference = |h: f64| -> Vec<Var<f64>> {
        moved(h).iter().zip(moved(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect()
    };
    // Without the term in h².
    let (wide, narrow) = (difference(2e-4), difference(1e-4));
    let products = hvp(loss, &point, &along);
    let size = products.iter().map(|p| p.value().abs().max().item()).fold(0.0, f64::max);
    for (product, (wide, narrow)) in products.iter().zip(wide.iter().zip(&narrow)) {
        let error = (product - (narrow * 4.0 - wide) / 3.0).value().abs().max().item();
        assert!(error < 1e-8 * size, "{}: {error:e} of {size:e}", name(case));
    }
}

fn booleans(case: &Value, key: &str, shape: &[usize]) -> Tensor<bool> {
    let values = case[key].as_array().unwrap().iter().map(|b| b.as_bool().unwrap()).collect();
    Tensor::from_vec(values, shape).unwrap()
}

fn attention_cases<T: Float>() {
    let cases = golden("attention");
    assert_eq!(cases.len(), 13);
    for case in &cases {
        let name = name(case);
        let options = MultiheadAttention::builder(4, 2);
        let options = match name {
            "itself without bias" => options.no_bias(),
            "other features" => options.key_features(3).value_features(5),
            "more keys" => options.bias_key_value().zero_attention(),
            "more keys, padded" => options.bias_key_value(),
            "weights" => options.zero_attention(),
            _ => options,
        };
        let mask: AttentionMask<T> = match name {
            "causal" => AttentionMask::causal(),
            "padding" | "more keys, padded" => AttentionMask::padding(booleans(case, "padding", &[2, 5])),
            "mask of heads" => AttentionMask::masked_out(booleans(case, "mask", &[2, 2, 3, 5])),
            "bias" => AttentionMask::bias(&Var::constant(tensor(&case["bias"]))),
            _ => AttentionMask::none(),
        };
        let mut params: Params<T> = Params::seeded(0);
        let layer = options.build(params.at("m"));
        let count = case["inputs"].as_array().unwrap().len() - params.iter().count();
        compare_all(case, &params, count, |cx, x| match x {
            [x] if mask_is_none(name) => layer.forward(cx, x),
            [x] => layer.attend(cx, [x, x, x], &mask),
            [q, k, v] => layer.attend(cx, [q, k, v], &mask),
            [q, k] if name.ends_with("weights") => {
                layer.attend_with_weights(cx, [q, k, k], &mask, name.starts_with("averaged")).1
            }
            [q, k] => layer.attend(cx, [q, k, k], &mask),
            _ => unreachable!("one, two or three inputs"),
        });
    }
}

fn mask_is_none(name: &str) -> bool {
    name.starts_with("itself")
}

#[test]
fn attention_in_double_precision() {
    attention_cases::<f64>();
}

#[test]
fn attention_in_single_precision() {
    attention_cases::<f32>();
}

/// The layer of a case as a function of its inputs, and how many those are.
type Function<T> = Box<dyn Fn(&Ctx<T>, &[Var<T>]) -> Var<T>>;

fn layer_of<T: Float>(case: &Value, params: &mut Params<T>) -> (usize, Function<T>) {
    let name = name(case);
    let options = TransformerBuilder::new(4, 2).feed_forward(6).dropout(0.0);
    let options = match name {
        n if n.ends_with("norm first") => options.norm_first().activation(FeedForward::Gelu),
        n if n.ends_with("without bias") => options.no_bias().eps(1e-3),
        _ => options,
    };
    let p = params.at("m");
    let causal = AttentionMask::causal;
    match name.split(' ').next().unwrap() {
        "encoder" => {
            let layer = options.encoder_layer(p);
            (1, Box::new(move |cx, x| layer.forward_masked(cx, &x[0], &causal())))
        }
        "decoder" => {
            let layer = options.decoder_layer(p);
            (
                2,
                Box::new(move |cx, x| {
                    layer.forward_with(cx, &x[0], &x[1], [&causal(), &AttentionMask::none()])
                }),
            )
        }
        "stack" => {
            let stack = options.final_norm().encoder(p, 2);
            (1, Box::new(move |cx, x| stack.forward(cx, &x[0])))
        }
        "transformer" => {
            let model = options.transformer(p, [1, 2]);
            let padding = AttentionMask::padding(booleans(case, "padding", &[2, 5]));
            (2, Box::new(move |cx, x| model.forward_with(cx, &x[0], &x[1], [&padding, &causal(), &padding])))
        }
        _ => {
            let norm = match name {
                "layer norm" => LayerNorm::new(p, [3, 4]),
                _ => LayerNorm::builder(4).eps(0.5).no_bias().build(p),
            };
            (1, Box::new(move |cx, x| norm.forward(cx, &x[0])))
        }
    }
}

fn layer_cases<T: Float>() {
    let cases = golden("layers");
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let mut params: Params<T> = Params::seeded(0);
        let (count, f) = layer_of(case, &mut params);
        compare_all(case, &params, count, f);
    }
}

#[test]
fn layers_in_double_precision() {
    layer_cases::<f64>();
}

#[test]
fn layers_in_single_precision() {
    layer_cases::<f32>();
}

/// A file that PyTorch's encoder would be saved as: it loads, has the outputs and gradients, and goes back.
#[test]
fn an_encoder_of_pytorch_loads_and_goes_back() {
    let bytes = include_bytes!("transformer.safetensors");
    let mut params: Params<f64> = Params::seeded(0);
    let options = TransformerBuilder::new(4, 2).feed_forward(6).dropout(0.0).final_norm();
    let stack = options.encoder(params.root(), 2);
    params.load_safetensors(bytes).unwrap();
    let case = golden("layers").into_iter().find(|case| name(case) == "stack").unwrap();
    params.infer(|cx| {
        let x = Var::constant(tensor(&case["inputs"][0]));
        let expected = tensor::<f64>(&case["output"]);
        close("output", &stack.forward(cx, &x).value().to_vec(), &expected.to_vec());
    });
    // Its gradients are those of the case with these numbers.
    let numbers = case["inputs"].as_array().unwrap()[1..].iter().flat_map(|t| tensor::<f64>(t).to_vec());
    close("parameters", params.values(), &numbers.collect::<Vec<f64>>());
    compare_all(&case, &params, 1, |cx, x| stack.forward(cx, &x[0]));
    let [theirs, ours] = [bytes.to_vec(), params.to_safetensors().unwrap()];
    let [theirs, ours] = [&theirs, &ours].map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(theirs.len(), ours.len());
    for (name, tensor) in theirs.iter() {
        assert_eq!(ours.tensor(name).unwrap(), tensor, "{name}");
    }
}

#[test]
fn hessian_products_are_differences_of_gradients() {
    for case in golden("layers").iter().filter(|case| !name(case).starts_with("layer norm")) {
        let mut params: Params<f64> = Params::seeded(0);
        let (count, f) = layer_of(case, &mut params);
        check_products(case, &params, count, f);
    }
}
