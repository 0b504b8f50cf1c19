//! Metrics against scikit-learn: see `../golden/metrics.py`. `WENGERT_METRIC_CASES` names a file of further cases that it wrote.

use std::collections::BTreeMap;

use serde_json::Value;
use wengert_nn::IGNORED;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};
use wengert_train::metric::*;

fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn numbers(packed: &Value) -> Vec<f64> {
    packed["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn shape(packed: &Value) -> Vec<usize> {
    packed["shape"].as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn tensor<T: Float>(packed: &Value) -> Tensor<T> {
    let values: Vec<T> = numbers(packed).into_iter().map(T::from_f64).collect();
    Tensor::vector(&values).reshape(&shape(packed)[..])
}

fn labels(packed: &Value) -> Tensor<u32> {
    let values: Vec<u32> = numbers(packed).into_iter().map(|x| x as i64 as u32).collect();
    Tensor::vector(&values).reshape(&shape(packed)[..])
}

/// What the metrics of a case make of it, taken in at once and in unequal parts in another order, which has to be the
/// same to the bit.
fn values<T: Float, Y: 'static>(
    case: &Value,
    make: impl Fn() -> Metrics<T, Y>,
    outputs: &Tensor<T>,
    targets: &Y,
    part: impl Fn(&Y, std::ops::Range<usize>) -> Y,
) -> (BTreeMap<String, f64>, Metrics<T, Y>) {
    let mut whole = make();
    whole.update(outputs, targets);
    let count = outputs.shape()[0];
    // One of the parts is empty; the others are where chance has it.
    let mut random = Generator::seeded(outputs.len() as u64);
    let mut ends = [0, 0, 0, 0, count];
    ends[1..3].fill_with(|| random.below(count as u64 + 1) as usize);
    ends[3] = ends[2];
    ends.sort_unstable();
    let mut parts: Vec<Metrics<T, Y>> = ends
        .windows(2)
        .map(|end| {
            let mut metrics = make();
            metrics.update(&outputs.slice(end[0]..end[1]), &part(targets, end[0]..end[1]));
            metrics
        })
        .collect();
    let mut merged = make();
    for part in parts.drain(..).rev() {
        // By way of a file.
        let state = serde_json::from_str(&serde_json::to_string(&part.state()).unwrap()).unwrap();
        merged.merge(&state).unwrap();
    }
    let bits = |metrics: &Metrics<T, Y>| -> Vec<(String, u64)> {
        metrics.values().into_iter().map(|(name, value)| (name, value.to_bits())).collect()
    };
    assert_eq!(bits(&merged), bits(&whole), "{}", case["name"]);
    let mut resumed = make();
    resumed.load_state(&whole.state()).unwrap();
    assert_eq!((bits(&resumed), resumed.state()), (bits(&whole), whole.state()));
    resumed.reset();
    assert_eq!(resumed.state(), make().state());
    (whole.values().into_iter().collect(), whole)
}

fn compare(case: &Value, found: &BTreeMap<String, f64>, name: &str, expected: &Value) {
    let found = found.get(name).copied().unwrap_or_else(|| panic!("{}: no {name}", case["name"]));
    match expected.as_f64() {
        None => assert!(found.is_nan(), "{}: {name} is {found}, not NaN", case["name"]),
        Some(expected) => assert!(
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{}: {name} is {found}, not {expected}",
            case["name"]
        ),
    }
}

fn classified<T: Float>(case: &Value) {
    let probable = case["kind"] == "probabilities";
    let (x, y) = (tensor::<T>(&case["outputs"]), labels(&case["targets"]));
    assert!(y.iter().all(|label| label < 10 || label == IGNORED));
    let single = x.shape() == y.shape() || x.shape().last() == Some(&1);
    let classes = if single { 2 } else { x.shape()[x.shape().len() - 1] };
    let make = || {
        let mut metrics = Metrics::<T>::new();
        metrics = metrics.with(Accuracy::new()).with(ConfusionMatrix::new().named("confusion"));
        for averaging in [Averaging::Binary, Averaging::Micro, Averaging::Macro, Averaging::Weighted] {
            if averaging != Averaging::Binary || classes == 2 {
                metrics = metrics
                    .with(Precision::new(averaging))
                    .with(Recall::new(averaging))
                    .with(F1::new(averaging));
            }
        }
        for k in 1..if single { 1 } else { classes } {
            metrics = metrics.with(TopK::new(k));
        }
        macro_rules! scaled {
            ($($metric:expr),*) => {$(
                metrics = if probable { metrics.with($metric.probabilities()) } else { metrics.with($metric) };
            )*};
        }
        scaled!(
            RocAuc::new(),
            AveragePrecision::new(),
            LogLoss::new(),
            Perplexity::new(),
            BitsPerCharacter::new()
        );
        for bins in [1, 10, 15] {
            scaled!(CalibrationError::new(bins).named(format!("calibration_error_{bins}")));
        }
        metrics
    };
    let part = |y: &Tensor<u32>, range| y.slice(range);
    let (found, metrics) = values(case, make, &x, &y, part);
    for (name, expected) in case["values"].as_object().unwrap() {
        let list = |found: Vec<f64>| {
            for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
                compare(case, &BTreeMap::from([(name.clone(), *found)]), name, expected);
            }
            assert_eq!(found.len(), expected.as_array().unwrap().len());
        };
        let matrix: &ConfusionMatrix = metrics.get("confusion").unwrap();
        match name.as_str() {
            "confusion" => {
                let counts: Vec<f64> = (0..classes * classes)
                    .map(|at| matrix.count(at / classes, at % classes) as f64)
                    .collect();
                list(counts);
                assert_eq!(
                    matrix.total() as f64,
                    expected.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).sum::<f64>()
                );
            }
            "precision_by_class" => {
                list(matrix.precision());
                list(metrics.get::<Precision>("macro_precision").unwrap().by_class());
            }
            "recall_by_class" => {
                list(matrix.recall());
                list(metrics.get::<Recall>("macro_recall").unwrap().by_class());
            }
            "f1_by_class" => {
                list(matrix.f1());
                list(metrics.get::<F1>("macro_f1").unwrap().by_class());
            }
            _ => compare(case, &found, name, expected),
        }
    }
}

fn measured<T: Float>(case: &Value) {
    let (x, y) = (tensor::<T>(&case["outputs"]), tensor::<T>(&case["targets"]));
    let make = || {
        Metrics::<T, Tensor<T>>::new()
            .with(MeanAbsoluteError::new())
            .with(RootMeanSquaredError::new())
            .with(MeanAbsolutePercentageError::new())
            .with(R2::new())
    };
    let (found, _) = values(case, make, &x, &y, |y, range| y.slice(range));
    for (name, expected) in case["values"].as_object().unwrap() {
        compare(case, &found, name, expected);
    }
}

/// Compares all cases; returns how many values there were.
fn compare_all(cases: &[Value]) -> usize {
    let mut tried = 0;
    for case in cases {
        let regression = case["kind"] == "regression";
        if regression {
            measured::<f64>(case)
        } else {
            classified::<f64>(case)
        }
        if case["single"] == true {
            if regression { measured::<f32>(case) } else { classified::<f32>(case) }
        }
        tried += case["values"].as_object().unwrap().len();
    }
    tried
}

#[test]
fn metrics_are_those_of_scikit_learn() {
    let cases = cases(include_str!("../golden/metrics.json"));
    assert_eq!((cases.len(), compare_all(&cases)), (40, 652));
}

#[test]
fn metrics_of_cases_drawn_at_random_are_those_of_scikit_learn() {
    let Ok(path) = std::env::var("WENGERT_METRIC_CASES") else { return };
    let cases = cases(&std::fs::read_to_string(path).unwrap());
    println!("{} values of {} cases", compare_all(&cases), cases.len());
}
