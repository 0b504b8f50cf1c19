//! What is shown after training.

use serde_json::json;
use wengert::data::Origin;
use wengert::prelude::*;
use wengert::tensor::parallel::threads;
use wengert_examples::pictures::side_by_side;

use crate::arguments::Arguments;
use crate::model::Classifier;
use crate::train::Outcome;

/// The first ten test digits as text pictures, each under its label and the prediction.
pub(crate) fn predictions(classifier: &Classifier, params: &Params, data: &ImageSet) -> String {
    let Some((images, labels)) = data.test.batches(10).next() else { return String::new() };
    let logits = params.infer(|cx| classifier.forward(cx, &images));
    let found = logits.value().argmax(1).to_vec();
    let pixels = images.value().to_vec();
    let digits: Vec<(String, &[f32])> = found
        .iter()
        .zip(labels.to_vec())
        .zip(pixels.chunks_exact(784))
        .map(|((&found, label), pixels)| {
            let verdict = if found == label { "right" } else { "WRONG" };
            (format!("{label}: predicted {found}, {verdict}"), pixels)
        })
        .collect();
    let mut text = String::new();
    for row in digits.chunks(5) {
        let row: Vec<(&str, &[f32])> =
            row.iter().map(|(caption, pixels)| (caption.as_str(), *pixels)).collect();
        text += &side_by_side(&row, 28, 28);
    }
    text
}

/// The result as one JSON object.
pub(crate) fn json(arguments: &Arguments, data: &ImageSet, outcome: &Outcome) -> String {
    let synthetic = matches!(data.origin, Origin::Synthetic { .. });
    json!({
        "model": arguments.model.name(),
        "optimizer": arguments.optimizer,
        "epochs": outcome.epochs,
        "seed": arguments.seed,
        "threads": threads(),
        "test_accuracy": outcome.test_accuracy,
        "train_seconds": outcome.train_seconds,
        "images_per_second": outcome.images_per_second,
        "data": if synthetic { "synthetic" } else { "mnist" },
    })
    .to_string()
}
