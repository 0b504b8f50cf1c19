//! What came later against PyTorch: see `rest.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads};
use wengert_tensor::Float;

use crate::support::{compare, labels, name, numbers, section, tensor};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("rest.json"), name)
}

fn inputs<T: Float>(case: &Value) -> Vec<Var<T>> {
    case["inputs"].as_array().unwrap().iter().map(|t| Var::constant(tensor(t))).collect()
}

#[test]
fn weights_of_positive_targets_are_those_of_pytorch() {
    for case in golden("positive_weights") {
        let reduction = match name(&case) {
            "none" => Reduction::None,
            "mean" => Reduction::Mean,
            _ => Reduction::Sum,
        };
        let loss = BceWithLogits { reduction, ..BceWithLogits::default() };
        compare::<f64>(&case, |v| loss.loss_by_class(&v[0], &v[1], &Var::constant(tensor(&case["weights"]))));
        compare::<f32>(&case, |v| loss.loss_by_class(&v[0], &v[1], &Var::constant(tensor(&case["weights"]))));
        let all = [inputs(&case), vec![Var::constant(tensor(&case["weights"]))]].concat();
        check_grads(|v| loss.loss_by_class(&v[0], &v[1], &v[2]), &all, 2).unwrap();
    }
}

fn adaptive<T: Float>(case: &Value) {
    let cutoffs: Vec<usize> = numbers(&case["cutoffs"]).iter().map(|&c| c as usize).collect();
    let builder = AdaptiveLogSoftmax::builder(16, 9, &cutoffs).div_value(case["value"].as_f64().unwrap());
    let builder = if case["bias"] == true { builder.head_bias() } else { builder };
    let mut params: Params<T> = Params::seeded(0);
    let layer = builder.build(params.root());
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    let expected: Vec<&str> = case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names, expected);
    let right = labels(&case["labels"]);
    let f = |v: &[Var<T>]| {
        let cx = params.context(Mode::Train, &v[1..]);
        match name(case) {
            "all" => layer.forward(&cx, &v[0]),
            "labels" => layer.of_labels(&cx, &v[0], &right),
            _ => layer.loss(&cx, &v[0], &right),
        }
    };
    compare::<T>(case, f);
    let at = inputs::<T>(case);
    let predicted = layer.predict(&params.context(Mode::Eval, &at[1..]), &at[0]);
    assert_eq!(predicted.value().to_vec(), labels(&case["predicted"]).to_vec());
}

#[test]
fn adaptive_softmax_is_that_of_pytorch() {
    for case in golden("adaptive") {
        adaptive::<f64>(&case);
        adaptive::<f32>(&case);
    }
    // To second order, and on a complete recording, whose labels may become others.
    let mut params: Params<f64> = Params::seeded(0);
    let layer = AdaptiveLogSoftmax::builder(4, 5, &[1, 3]).div_value(2.0).build(params.root());
    let right = labels(&serde_json::json!([0, 4, 2]));
    let x = Var::constant(wengert_tensor::Tensor::from_fn([3, 4], |i| ((i[0] * 4 + i[1]) as f64).sin()));
    let all = [vec![x], params.vars()].concat();
    let f = |v: &[Var<f64>]| layer.of_labels(&params.context(Mode::Train, &v[1..]), &v[0], &right);
    check_grads(f, &all, 2).unwrap();
    let tape = wengert_tape::Tape::complete();
    let recorded: wengert_tape::Index<f64> = tape.discrete(right.clone());
    let by_replay = layer.of_labels(&params.context(Mode::Train, &all[1..]), &all[0], &recorded);
    assert!(by_replay.value().all_close(f(&all).value(), 1e-14, 1e-14));
}

#[test]
fn similarities_are_those_of_pytorch() {
    let params: Params<f64> = Params::seeded(0);
    for case in golden("similarities") {
        compare::<f64>(&case, |v| {
            let (cx, pair) = (params.context(Mode::Eval, &[]), (v[0].clone(), v[1].clone()));
            match name(&case) {
                "cosine" => CosineSimilarity::default().forward(&cx, &pair),
                "cosine 2" => CosineSimilarity { axis: 2, eps: 0.9 }.forward(&cx, &pair),
                "distance" => PairwiseDistance::default().forward(&cx, &pair),
                _ => PairwiseDistance { p: 3.0, eps: 0.01, keepdim: true }.forward(&cx, &pair),
            }
        });
    }
}

#[test]
fn bags_with_an_end_are_those_of_pytorch() {
    for case in golden("bags") {
        let mode = match name(&case) {
            "sum" => BagMode::Sum,
            "mean" => BagMode::Mean,
            _ => BagMode::Max,
        };
        let mut params: Params<f64> = Params::seeded(0);
        let layer = EmbeddingBag::builder(6, 3).mode(mode).include_last_offset().build(params.root());
        let (tokens, offsets) = (labels(&case["tokens"]), labels(&case["offsets"]));
        compare::<f64>(&case, |v| layer.bags(&params.context(Mode::Train, v), &tokens, &offsets, None));
    }
}
