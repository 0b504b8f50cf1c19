//! Losses against PyTorch: see `losses.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Index, Var, check_grads};
use wengert_tensor::{Float, Tensor};

use crate::support::{compare, name, numbers, section, tensor};

fn cases() -> Vec<Value> {
    let of = |name| section(include_str!("losses.json"), name);
    let (labelled, others) = (of("labelled"), of("others"));
    assert_eq!((labelled.len(), others.len()), (75, 94));
    labelled.into_iter().chain(others).collect()
}

fn reduction(case: &Value) -> Reduction {
    match case["reduction"].as_str().unwrap() {
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        _ => Reduction::None,
    }
}

/// PyTorch's −100 is [`IGNORED`].
fn labels(case: &Value) -> Tensor<u32> {
    let labels: Vec<u32> = numbers(&case["labels"]).into_iter().map(|label| label as i64 as u32).collect();
    assert!(labels.iter().all(|&label| label < 10 || label == IGNORED));
    Tensor::vector(&labels)
}

/// The loss of a case as a function of its inputs.
fn loss<T: Float>(case: &Value, x: &[Var<T>]) -> Var<T> {
    let reduction = reduction(case);
    let number = |key: &str| case[key].as_f64().unwrap_or(0.0);
    let flag = |key: &str| case[key].as_bool().unwrap_or(false);
    let target = || Var::<T>::constant(tensor(&case["target"]));
    let class_weights = || case["weights"].as_array().map(|_| numbers(&case["weights"]));
    let (smoothing, margin) = (number("label_smoothing"), number("margin"));
    let cross_entropy = |axis| CrossEntropy {
        reduction,
        axis,
        label_smoothing: smoothing,
        class_weights: class_weights(),
        ..CrossEntropy::default()
    };
    let nll = |axis| Nll { reduction, axis, class_weights: class_weights(), ..Nll::default() };
    match name(case) {
        "ce" => cross_entropy(-1).loss(&x[0], &labels(case)),
        "ce_axis" => cross_entropy(1).loss(&x[0], &labels(case).reshape([2, 2, 2])),
        "ce_probabilities" => cross_entropy(1).loss(&x[0], &target()),
        "linear_ce" => {
            // Two rows of logits at a time.
            let loss =
                LinearCrossEntropy { reduction, label_smoothing: smoothing, chunk: 2, ..Default::default() };
            loss.loss(&x[0], &x[1], Some(&x[2]), labels(case))
        }
        "nll" => nll(-1).loss(&x[0], labels(case)),
        "nll_axis" => nll(1).loss(&x[0], labels(case).reshape([2, 2, 2])),
        "multi_margin" => {
            let (p, class_weights) = (number("p") as i32, class_weights());
            MultiMargin { reduction, p, margin: 0.7, class_weights }.loss(&x[0], labels(case))
        }
        "multi_label_soft_margin" => {
            MultiLabelSoftMargin { reduction, class_weights: class_weights() }.loss(&x[0], &target())
        }
        "multi_label_margin" => MultiLabelMargin { reduction }.loss(&x[0], &target().value().gt(0.5)),
        "kl_div" => KlDiv { reduction, ..KlDiv::default() }.loss(&x[0], &target()),
        "kl_div_log" => KlDiv { reduction, log_target: true, ..KlDiv::default() }.loss(&x[0], &x[1]),
        "kl_div_batch_mean" => KlDiv { batch_mean: true, ..KlDiv::default() }.loss(&x[0], &target()),
        "poisson_nll" => {
            let (log_input, full) = (flag("log_input"), flag("full"));
            PoissonNll { reduction, log_input, full, ..PoissonNll::default() }.loss(&x[0], &target())
        }
        "gaussian_nll" => {
            let loss = GaussianNll { reduction, full: flag("full"), ..GaussianNll::default() };
            loss.loss(&x[0], &x[1], &x[2])
        }
        "margin_ranking" => MarginRanking { reduction, margin }.loss(&x[0], &x[1], &target()),
        "hinge_embedding" => HingeEmbedding { reduction, margin }.loss(&x[0], &target()),
        "cosine_embedding" => CosineEmbedding { reduction, margin }.loss(&x[0], &x[1], &target()),
        "triplet_margin" => {
            let (p, margin, swap) = (number("p"), 1.0 + margin, flag("swap"));
            TripletMargin { reduction, margin, p, swap, ..TripletMargin::default() }.loss(&x[0], &x[1], &x[2])
        }
        "soft_margin" => SoftMargin { reduction }.loss(&x[0], &target()),
        other => panic!("no test for {other}"),
    }
}

#[test]
fn as_pytorch_in_double_precision() {
    cases().iter().for_each(|case| compare::<f64>(case, |x| loss(case, x)));
}

#[test]
fn as_pytorch_in_single_precision() {
    cases().iter().for_each(|case| compare::<f32>(case, |x| loss(case, x)));
}

#[test]
fn derivatives_to_second_order() {
    for case in &cases() {
        let mut x: Vec<Var<f64>> =
            case["inputs"].as_array().unwrap().iter().map(|t| Var::constant(tensor(t))).collect();
        if name(case) == "gaussian_nll" {
            // Below the least variance the derivative is one by agreement.
            x[2] = &x[2] + 0.1;
        }
        check_grads(|x| loss(case, x), &x, 2).unwrap_or_else(|error| panic!("{}: {error}", name(case)));
    }
}

/// Nothing counts: the mean is NaN, as PyTorch's, the sum 0.
#[test]
fn only_ignored_labels() {
    let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    let labels = Tensor::from([IGNORED, IGNORED]);
    assert!(x.cross_entropy(&labels).item().is_nan());
    assert!(x.nll(&labels).item().is_nan());
    let sum = CrossEntropy { reduction: Reduction::Sum, ..CrossEntropy::default() }.loss(&x, &labels);
    assert_eq!(sum.item(), 0.0);
    let other = CrossEntropy { ignore_index: 1, ..CrossEntropy::default() };
    let one = x.slice(1..).cross_entropy(&Tensor::from([0u32]));
    assert_eq!(other.loss(&x, &Tensor::from([1u32, 0])).item(), one.item());
    let index: Index<f64> = labels.into();
    assert_eq!(index.equal_to(IGNORED).value().to_vec(), [true, true]);
}

#[test]
fn rows_of_logits_in_any_number_of_chunks() {
    let x = Var::from(Tensor::from_fn([7, 3], |i| ((i[0] * 3 + i[1]) as f64).sin()));
    let weight = Var::from(Tensor::from_fn([4, 3], |i| ((i[0] * 5 + i[1]) as f64).cos()));
    let labels = Tensor::from([0u32, 3, 1, IGNORED, 2, 2, 0]);
    let whole = x.matmul(&weight.t()).cross_entropy(&labels).item();
    for chunk in 0..9 {
        let loss = LinearCrossEntropy { chunk, ..LinearCrossEntropy::default() };
        assert!((loss.loss(&x, &weight, None, &labels).item() - whole).abs() < 1e-15);
    }
    let none = LinearCrossEntropy { reduction: Reduction::Sum, ..LinearCrossEntropy::default() };
    let empty: Tensor<u32> = Tensor::vector(&[]);
    assert_eq!(none.loss(&Var::<f64>::zeros([0, 3]), &weight, None, &empty).item(), 0.0);
}

fn ctc<T: Float>() {
    let cases = section(include_str!("losses.json"), "ctc");
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let reduction = reduction(case);
        let index = |key: &str| -> Tensor<u32> {
            Tensor::vector(&numbers(&case[key]).into_iter().map(|n| n as u32).collect::<Vec<u32>>())
        };
        let (steps, counts) = (index("steps"), index("counts"));
        let labels = match name(case) {
            "joined" => index("labels"),
            _ => index("labels").reshape([counts.len() as isize, -1]),
        };
        let (zero_infinity, blank) = (name(case) == "zero_infinity", case["blank"].as_u64().unwrap() as u32);
        let loss = Ctc { reduction, blank, zero_infinity };
        compare::<T>(case, |x| loss.loss(&x[0].log_softmax(-1), &labels, &steps, &counts));
    }
}

#[test]
fn temporal_classification() {
    ctc::<f64>();
    ctc::<f32>();
}

/// With too few steps for the labels the loss is infinite.
#[test]
fn temporal_classification_that_is_impossible() {
    let x = Var::<f64>::zeros([2, 1, 2]).log_softmax(-1);
    let (labels, steps, counts) = (Tensor::from([[1u32, 1]]), Tensor::from([2u32]), Tensor::from([2u32]));
    assert_eq!(Ctc::default().loss(&x, &labels, &steps, &counts).item(), f64::INFINITY);
    let loss = Ctc { zero_infinity: true, ..Ctc::default() };
    let gradient = wengert_tape::grad(|x: &Var<f64>| loss.loss(x, &labels, &steps, &counts), &x);
    assert_eq!(gradient.value().to_vec(), [0.0; 4]);
}
