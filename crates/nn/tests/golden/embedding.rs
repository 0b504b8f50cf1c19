//! Embeddings against PyTorch: see `embedding.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tensor::Tensor;

use crate::support::{close, compare, labels, numbers, section, tensor};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("embedding.json"), name)
}

#[test]
fn embeddings_are_those_of_pytorch() {
    for case in golden("embeddings") {
        let mut params: Params<f64> = Params::seeded(0);
        let builder = Embedding::builder(6, 3);
        let builder = match case["padding"].as_i64() {
            Some(token) => builder.padding(token as isize),
            None => builder,
        };
        let layer = builder.build(params.root());
        let tokens = labels(&case["tokens"]).reshape([2, 3]);
        compare::<f64>(&case, |v| layer.forward(&params.context(Mode::Train, v), &tokens));
    }
}

#[test]
fn bags_are_those_of_pytorch() {
    let cases = golden("bags");
    assert_eq!(cases.len(), 48);
    for case in cases {
        let mut params: Params<f64> = Params::seeded(0);
        let mode = match case["name"].as_str().unwrap() {
            "sum" => BagMode::Sum,
            "mean" => BagMode::Mean,
            _ => BagMode::Max,
        };
        let builder = EmbeddingBag::builder(6, 3).mode(mode);
        let builder = match case["padding"].as_i64() {
            Some(token) => builder.padding(token as isize),
            None => builder,
        };
        let layer = builder.build(params.root());
        let (tokens, offsets) = (labels(&case["tokens"]), labels(&case["offsets"]));
        compare::<f64>(&case, |v| {
            layer.bags(&params.context(Mode::Train, &v[..1]), &tokens, &offsets, v.get(1))
        });
    }
}

#[test]
fn rows_are_projected_as_pytorch_scales_them() {
    for case in golden("limits") {
        let p: f64 = case["p"].as_str().unwrap().parse().unwrap();
        let before: Tensor<f64> = tensor(&case["before"]);
        let mut params: Params<f64> = Params::seeded(0);
        let layer = Embedding::builder(5, 4).max_norm(1.2).norm_type(p).build_from(params.root(), &before);
        layer.project(&mut params);
        // PyTorch adds 1e-7 to the norm.
        let expected = numbers(&case["after"]["values"]);
        for (found, expected) in params.values().iter().zip(&expected) {
            assert!((found - expected).abs() < 3e-7, "{found} {expected}");
        }
        close(
            "again",
            &{
                layer.project(&mut params);
                params.values().to_vec()
            },
            params.values(),
        );
    }
}
