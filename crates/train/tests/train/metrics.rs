//! What metrics make of what is odd: nothing, NaN, what does not fit, states of others.

use std::panic::Location;

use crate::panics::caught;
use wengert_nn::{IGNORED, Losses};
use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};
use wengert_train::metric::*;

fn classifiers<T: Float>() -> Metrics<T> {
    Metrics::new()
        .with(Accuracy::new())
        .with(TopK::new(2))
        .with(ConfusionMatrix::new())
        .with(Precision::new(Averaging::Macro))
        .with(Recall::new(Averaging::Weighted))
        .with(F1::new(Averaging::Micro))
        .with(RocAuc::new())
        .with(AveragePrecision::new())
        .with(CalibrationError::new(15))
        .with(LogLoss::new())
        .with(Perplexity::new())
        .with(BitsPerCharacter::new())
        .with(Mean::new("loss", |x: &Var<T>, y: &Tensor<u32>| x.cross_entropy(y)))
}

fn regressors<T: Float>() -> Metrics<T, Var<T>> {
    Metrics::new()
        .with(MeanAbsoluteError::new())
        .with(RootMeanSquaredError::new())
        .with(MeanAbsolutePercentageError::new())
        .with(R2::new())
        .with(Mean::new("loss", |x: &Var<T>, y: &Var<T>| x.mse(y)))
}

fn value<T: Float>(metrics: &Metrics<T>, name: &str) -> f64 {
    metrics.values().into_iter().find(|(found, _)| found == name).unwrap().1
}

#[test]
fn nothing_is_nan() {
    let mut metrics = classifiers::<f32>();
    assert!(metrics.values().iter().all(|(_, value)| value.is_nan()), "{:?}", metrics.values());
    metrics.update(&Tensor::zeros([0, 3]), &Tensor::zeros([0]));
    metrics.update(&Tensor::zeros([2, 3]), &Tensor::from([IGNORED, IGNORED]));
    assert!(metrics.values().iter().all(|(_, value)| value.is_nan()), "{:?}", metrics.values());
    let mut metrics = regressors::<f64>();
    metrics.update(&Tensor::zeros([0, 3]), &Var::zeros([0, 3]));
    assert!(metrics.values().iter().all(|(_, value)| value.is_nan()), "{:?}", metrics.values());
}

#[test]
fn nan_is_never_right() {
    let nan = f32::NAN;
    let outputs = Tensor::from([[nan, 1.0, 0.0], [0.0, nan, 2.0], [5.0, nan, 1.0], [0.0, 3.0, 1.0]]);
    let mut metrics = classifiers::<f32>();
    metrics.update(&outputs, &Tensor::from([0, 1, 2, 1]));
    for name in ["accuracy", "top_2_accuracy", "confusion_matrix", "micro_f1"] {
        assert_eq!(value(&metrics, name), 0.25, "{name}");
    }
    assert_eq!(value(&metrics, "weighted_recall"), 0.25);
    for name in [
        "roc_auc",
        "average_precision",
        "calibration_error",
        "log_loss",
        "perplexity",
        "bits_per_character",
        "loss",
    ] {
        assert!(value(&metrics, name).is_nan(), "{name}");
    }
    let matrix: &ConfusionMatrix = metrics.get("confusion_matrix").unwrap();
    assert_eq!((matrix.undecided(), matrix.total()), (&[1, 1, 1][..], 4));
    let last = matrix.to_string().lines().next().unwrap().to_owned();
    assert!(last.ends_with("NaN"), "{matrix}");

    // A single NaN is taken for the wrong one of two classes.
    let mut binary = Metrics::<f64>::new()
        .with(Accuracy::new())
        .with(Precision::new(Averaging::Binary))
        .with(Recall::new(Averaging::Binary));
    binary.update(&Tensor::from([f64::NAN, f64::NAN, 1.0, -1.0]), &Tensor::from([0, 1, 1, 0]));
    assert!(binary.values().iter().all(|(_, value)| *value == 0.5), "{:?}", binary.values());

    let mut metrics = regressors::<f64>();
    metrics.update(&Tensor::from([1.0, f64::NAN, 3.0]), &Var::from([1.0, 2.0, 3.0]));
    assert!(metrics.values().iter().all(|(_, value)| value.is_nan()), "{:?}", metrics.values());
}

#[test]
fn infinities_count_as_what_they_are() {
    let inf = f64::INFINITY;
    let mut metrics = Metrics::<f64>::new().with(Accuracy::new()).with(LogLoss::new()).with(RocAuc::new());
    metrics.update(&Tensor::from([inf, -inf, 0.0]), &Tensor::from([1, 0, 1]));
    assert_eq!(metrics.values()[0].1, 2.0 / 3.0);
    assert!((metrics.values()[1].1 - 2f64.ln() / 3.0).abs() < 1e-15);
    assert_eq!(metrics.values()[2].1, 1.0);
    let mut loss = Metrics::<f64>::new().with(LogLoss::new());
    loss.update(&Tensor::from([[0.0, -inf], [0.0, 0.0]]), &Tensor::from([1, 0]));
    assert_eq!(loss.values()[0].1, inf);
    let mut error = regressors::<f64>();
    error.update(&Tensor::from([inf, 1.0]), &Var::from([1.0, 2.0]));
    assert_eq!(error.values()[0].1, inf);
}

#[test]
fn names_and_goals() {
    let metrics = classifiers::<f32>();
    let names = metrics.names("validation");
    assert_eq!(names[..2], ["validation.accuracy", "validation.top_2_accuracy"]);
    assert_eq!((metrics.len(), names.len()), (13, 13));
    assert_eq!(metrics.goal("macro_precision"), Some(Goal::Max));
    assert_eq!(metrics.goal("perplexity"), Some(Goal::Min));
    assert_eq!(metrics.goal("precision"), None);
    assert!(metrics.get::<Recall>("accuracy").is_none());
    assert!(metrics.get::<RocAuc>("roc_auc").is_some());
    assert!(regressors::<f32>().iter().all(|m| (m.goal() == Goal::Max) == (m.name() == "r2")));
}

#[test]
fn weights_are_those_of_the_examples_that_count() {
    let loss =
        || Metrics::<f64>::new().with(Mean::new("loss", |x: &Var<f64>, y: &Tensor<u32>| x.cross_entropy(y)));
    let outputs = Tensor::<f64>::arange(0.0, 20.0, 1.0).sin().reshape([5, 4]);
    let labels = Tensor::from([1, IGNORED, 0, IGNORED, 3]);
    let (mut whole, mut parts) = (loss(), loss());
    whole.update(&outputs, &labels);
    for range in [0..2, 2..3, 3..5] {
        parts.update(&outputs.slice(range.clone()), &labels.slice(range));
    }
    assert!((whole.values()[0].1 - parts.values()[0].1).abs() < 1e-15);
}

#[test]
fn states_of_others_are_refused_and_nothing_changes() {
    let mut metrics = classifiers::<f32>();
    metrics.update(&Tensor::from([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]), &Tensor::from([0, 2]));
    let before = metrics.state();
    let refused = |metrics: &mut Metrics, state: &State, expected: &str| {
        for error in [metrics.load_state(state).unwrap_err(), metrics.merge(state).unwrap_err()] {
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(metrics.state(), before);
    };
    refused(&mut metrics, &State::new("adam", 0), "state of adam, but this is metrics");
    let mut fewer = before.clone();
    fewer.children.remove("perplexity");
    refused(&mut metrics, &fewer, "metrics: the state has no perplexity");
    let more = before.clone().with_child("r2", State::new("r2", 0));
    refused(&mut metrics, &more, "metrics: the state has a r2 that is not used here");
    let of = |name: &str, change: &dyn Fn(&mut State)| {
        let mut state = before.clone();
        change(state.children.get_mut(name).unwrap());
        state
    };
    let k = of("top_2_accuracy", &|state| *state = state.clone().with_count("k", 3));
    refused(&mut metrics, &k, "top_k: k is 3, but must be what it is set to here");
    let too_many = of("accuracy", &|state| *state = state.clone().with_count("right", 9));
    refused(&mut metrics, &too_many, "accuracy: right is 9, but must be at most all");
    let bins = of("calibration_error", &|state| *state = state.clone().with_words("right", &[0; 3]));
    refused(&mut metrics, &bins, "calibration_error: bins: 3, but here there are 15");
    let label = of("roc_auc", &|state| *state = state.clone().with_words("labels", &[0, 7]));
    refused(&mut metrics, &label, "roc_auc: labels: one that is no class");
    let huge = of("roc_auc", &|state| *state = state.clone().with_count("columns", (1 << 53) - 1));
    refused(&mut metrics, &huge, "roc_auc: scores has 6 elements, but must have 18014398509481982");
    let counts = of("confusion_matrix", &|state| *state = state.clone().with_words("undecided", &[0; 4]));
    refused(&mut metrics, &counts, "confusion_matrix: counts: 9, but here there are 16");
    let large =
        of("confusion_matrix", &|state| *state = state.clone().with_words("undecided", &[1 << 60; 3]));
    refused(&mut metrics, &large, "confusion_matrix: undecided: counts of 2⁵³ and more");
    let sums = of("log_loss", &|state| *state = state.clone().with_words("sums", &[0; 70]));
    refused(&mut metrics, &sums, "log_loss: sums: no exact sums");
    let kind = of("macro_precision", &|state| state.kind = "recall".into());
    refused(&mut metrics, &kind, "state of recall, but this is precision");
    let scale = of("log_loss", &|state| state.kind = "perplexity".into());
    refused(&mut metrics, &scale, "state of perplexity, but this is log_loss");

    // Other classes: each alone is a state that could be, but not both together.
    let mut other = classifiers::<f32>();
    other.update(&Tensor::zeros([1, 4]), &Tensor::from([3]));
    let error = metrics.merge(&other.state()).unwrap_err().to_string();
    assert_eq!(error, "confusion_matrix: classes: 4, but here there are 3");
    assert_eq!(metrics.state(), before);
}

/// Asserts that `work` panics with this text, at a line next to the caller's.
#[track_caller]
fn says(expected: &str, work: impl FnOnce()) {
    let (here, found) = (Location::caller(), caught(work));
    assert_eq!(found.message, expected);
    let near = found.file == here.file() && found.line.abs_diff(here.line()) <= 3;
    assert!(near, "`{expected}` points at {}:{}", found.file, found.line);
}

#[test]
fn misuse_names_the_metric_the_shapes_and_the_line() {
    let labels = Tensor::from([0u32, 1]);
    let mut metrics = classifiers::<f32>();
    says(
        "accuracy: outputs of shape [3, 4] do not fit labels of shape [2]: outputs have the labels' axes, and one of the classes after them unless there are two",
        || {
            metrics.update(&Tensor::zeros([3, 4]), &labels);
        },
    );
    says("accuracy: the label 7 at position [1] is not one of 4 classes (0 to 3)", || {
        metrics.update(&Tensor::zeros([2, 4]), &Tensor::from([0, 7]));
    });
    says("top_2_accuracy: outputs of shape [2] have fewer than 2 classes", || {
        metrics.update(&Tensor::zeros([2]), &labels);
    });
    metrics.update(&Tensor::zeros([2, 4]), &labels);
    let before = metrics.state();
    says("confusion_matrix: outputs for 3 classes after some for 4", || {
        metrics.update(&Tensor::zeros([2, 3]), &labels);
    });
    // None took it in, though the first ones could have.
    assert_eq!(metrics.state(), before);
    says("accuracy: the label 2 at position [0] is not one of 2 classes (0 to 1)", || {
        Accuracy::new().update(&Tensor::<f64>::zeros([1]), &Tensor::from([2]));
    });
    says("precision: 3 classes, but `Averaging::Binary` is for two: outputs have shape [2, 3]", || {
        Precision::new(Averaging::Binary).update(&Tensor::<f64>::zeros([2, 3]), &labels);
    });
    says("log_loss: -1 at position [1] is no probability", || {
        LogLoss::new().probabilities().update(&Tensor::from([[0.5f32, 0.5], [2.0, -1.0]]).flip([1]), &labels);
    });
    says("roc_auc: the probabilities at position [0] add up to 1.5", || {
        RocAuc::new().probabilities().update(&Tensor::from([[0.5f32, 1.0]]), &Tensor::from([1]));
    });
    says("r2: outputs of shape [2, 1] for targets of shape [2, 2]", || {
        R2::new().update(&Tensor::<f32>::zeros([2, 1]), &Tensor::<f32>::zeros([2, 2]));
    });
    let mut r2 = R2::new();
    r2.update(&Tensor::<f32>::zeros([2, 3]), &Tensor::<f32>::zeros([2, 3]));
    says("r2: outputs of shape [2, 2], with 2 columns, after some with 3", || {
        r2.update(&Tensor::<f32>::zeros([2, 2]), &Tensor::<f32>::zeros([2, 2]));
    });
    says("norm: its function gave a value of shape [2] for outputs of shape [2], not a scalar", || {
        let mut norm = Mean::new("norm", |x: &Var<f32>, _: &Tensor<u32>| x.square());
        norm.update(&Tensor::zeros([2]), &Tensor::from([0, 1]));
    });
    says("top_k: k is 0, but no class is among the best 0", || drop(TopK::new(0)));
    says("calibration_error: 0 bins are not from 1 to 1000000", || drop(CalibrationError::new(0)));
    says("Metrics: there is already a metric named `accuracy`: rename one by `named`", || {
        let _ = Metrics::<f32>::new().with(Accuracy::new()).with(Accuracy::new().threshold(0.5));
    });
    says(
        "Metrics: the name `a.b` has a dot; a dot stands between the name of a set and that of a metric",
        || {
            let _ = Metrics::<f32>::new().with(Accuracy::new().named("a.b"));
        },
    );
    says("update_norm: 2 parameters before and 3 after", || {
        let _ = update_norm(&[1.0f32; 2], &[1.0; 3]);
    });
    says("confusion_matrix: there is no count of class 0 as 5: there are 0 classes", || {
        ConfusionMatrix::new().count(0, 5);
    });
}

/// Names are what programs write as texts, so the guide has them all.
#[test]
fn the_guide_names_every_metric() {
    let guide = include_str!("../../../../docs/guide/training.md");
    let (mut names, averages) = (Vec::new(), [Averaging::Micro, Averaging::Macro, Averaging::Weighted]);
    for averaging in averages {
        for name in
            [Precision::new(averaging).name(), Recall::new(averaging).name(), F1::new(averaging).name()]
        {
            let (prefix, rest) = name.split_once('_').unwrap();
            names.extend([format!("{prefix}_"), rest.to_owned()]);
        }
    }
    names.extend(
        [
            Accuracy::new().name(),
            TopK::new(5).name(),
            ConfusionMatrix::new().name(),
            Precision::new(Averaging::Binary).name(),
            RocAuc::new().name(),
            AveragePrecision::new().name(),
            CalibrationError::new(15).name(),
            LogLoss::new().name(),
            Perplexity::new().name(),
            BitsPerCharacter::new().name(),
            MeanAbsoluteError::new().name(),
            RootMeanSquaredError::new().name(),
            MeanAbsolutePercentageError::new().name(),
            R2::new().name(),
        ]
        .map(str::to_owned),
    );
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
}

/// One metric is used without naming the type of its outputs.
#[test]
fn a_metric_alone_needs_no_types() {
    let mut accuracy = Accuracy::new();
    assert!(accuracy.value().is_nan());
    accuracy.update(&Tensor::from([[0.1f64, 0.9], [0.8, 0.2]]), &Tensor::from([1, 1]));
    assert_eq!((accuracy.name(), accuracy.value()), ("accuracy", 0.5));
    accuracy.reset();
    assert!(accuracy.value().is_nan());
}
