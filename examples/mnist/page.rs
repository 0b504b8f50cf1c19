//! The report of a run.

use wengert::prelude::*;
use wengert::train::metric::{ConfusionMatrix, Metric};
use wengert::train::{Report, ReportError, WrongExamples};

use crate::arguments::Arguments;
use crate::model::Classifier;

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;

/// Writes the report with what the classifier makes of the test digits, if the command line asks for one.
pub(crate) fn write(
    report: Report,
    arguments: &Arguments,
    classifier: &Classifier,
    params: &Params,
    data: &ImageSet,
) -> Result<(), ReportError> {
    let Some(file) = &arguments.report else { return Ok(()) };
    let mut taken = ConfusionMatrix::new();
    let mut wrong = WrongExamples::new(40).size(28, 28);
    for (images, labels) in data.test.batches(CHUNK) {
        let logits = params.infer(|cx| classifier.forward(cx, &images)).into_value();
        taken.update(&logits, &labels);
        wrong.update(images.value(), &logits, &labels);
    }
    report.confusion("test", &taken).wrong("test", &wrong).write(file)?;
    println!("wrote {}", file.display());
    Ok(())
}
