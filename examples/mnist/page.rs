//! The report of a run.

use std::path::Path;

use wengert::prelude::*;
use wengert::train::metric::{ConfusionMatrix, Metric};
use wengert::train::{Report, ReportError, WrongExamples};

use crate::model::Classifier;

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;

/// Writes the report with what the classifier makes of the test digits.
pub(crate) fn write(
    report: Report,
    file: &Path,
    classifier: &Classifier,
    params: &Params,
    data: &ImageSet,
) -> Result<(), ReportError> {
    let mut taken = ConfusionMatrix::new();
    let mut wrong = WrongExamples::new(40).size(28, 28);
    for (images, labels) in data.test.batches(CHUNK) {
        let logits = params.infer(|cx| classifier.forward(cx, &images)).into_value();
        taken.update(&logits, &labels);
        wrong.update(images.value(), &logits, &labels);
    }
    report.confusion("test", &taken).wrong("test", &wrong).write(file)
}
