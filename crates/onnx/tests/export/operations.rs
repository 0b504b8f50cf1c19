//! The case table of the tape's crate: every operation of a forward pass is exported, or there is a reason.

use std::collections::{BTreeMap, BTreeSet};

use wengert_onnx::{Export, ExportError, Position, not_exported};
use wengert_tape::{Data, Tape, Var};

use crate::{cases, files};

/// Exports a case at all its points; gives the number of models.
fn check(case: &cases::Case, failures: &mut Vec<String>, exported: &mut BTreeSet<String>) -> usize {
    let mut count = 0;
    for (number, point) in case.points.iter().enumerate() {
        let tape = Tape::complete();
        let recorded: Vec<Var<f64>> = point.iter().map(|v| tape.enter(v)).collect();
        let y = (case.f)(&recorded);
        if tape.position(&y).is_none() {
            continue;
        }
        let names: Vec<String> = (0..recorded.len()).map(|i| format!("x{i}")).collect();
        let inputs: Vec<(&str, &dyn Position<f64>)> =
            names.iter().zip(&recorded).map(|(name, x)| (name.as_str(), x as &dyn Position<f64>)).collect();
        // The first point also as later operator sets say it.
        for opset in if number == 0 { &[17, 23][..] } else { &[17] } {
            match Export::new().opset(*opset).tape(&tape, &inputs, &[("y", &y)]) {
                Ok(model) => {
                    let used: Vec<&str> = model.inputs();
                    let given = names.iter().zip(point).filter(|(name, _)| used.contains(&name.as_str()));
                    let given = given.map(|(_, x)| Data::Float(x.value().clone())).collect();
                    let name = format!("{}_{number}_{opset}", case.name);
                    let runs = [(given, vec![Data::Float(y.value().clone())])];
                    files::write(&name, &model, &runs);
                    if let Err(error) = files::read_back(&model, &runs) {
                        failures.push(format!("{name}, read again: {error}"));
                    }
                    exported.extend(tape.steps().iter().map(|step| step.name().to_owned()));
                    count += 1;
                }
                Err(ExportError::Operation { name, location, reason }) => {
                    if not_exported(&name).is_none() && !excused(&name, &reason) {
                        failures.push(format!("{}: {name} at {location}: {reason}", case.name));
                    }
                }
                // A function that is constant in all that it was given.
                Err(ExportError::Constant { .. }) => {}
                Err(other) => failures.push(format!("{}: {other}", case.name)),
            }
        }
    }
    count
}

/// Operations of which some kinds are exported and others not, with a part of the reason.
const PARTLY: [(&str, &str); 8] = [
    ("attention", "drops weights at random"),
    ("max_pool_positions", "along the depth"),
    // Only before that set.
    ("scatter_max", "in operator set 18"),
    ("scatter_min", "in operator set 18"),
    ("order_statistic", "NanMedian"),
    ("order_statistic", "Mode"),
    ("sinc", "derivative"),
    ("layer_norm", "single numbers"),
];

fn excused(name: &str, reason: &str) -> bool {
    PARTLY.iter().any(|(known, part)| *known == name && reason.contains(part))
}

#[test]
fn every_case_is_exported_or_there_is_a_reason() {
    let (mut failures, mut exported, mut count) = (Vec::new(), BTreeSet::new(), 0);
    for case in cases::all() {
        count += check(&case, &mut failures, &mut exported);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 400 && exported.len() > 120, "{count} models of {} operations", exported.len());
}

/// No reason is given for what is exported, and none that is only "not among those that are written".
#[test]
fn every_operation_that_is_not_exported_has_a_reason_of_its_own() {
    let mut without: BTreeMap<String, &str> = BTreeMap::new();
    for case in cases::all() {
        for point in &case.points {
            let tape = Tape::complete();
            let recorded: Vec<Var<f64>> = point.iter().map(|v| tape.enter(v)).collect();
            let _ = (case.f)(&recorded);
            for step in tape.steps().iter().filter(|step| step.is_operation()) {
                // What derivatives are made of is no forward pass, though a case may take some inside.
                let is_derived = step.name().contains("_gradient") || step.attributes().get("part").is_some();
                if let Some(reason) = not_exported(step.name())
                    && reason.starts_with("it is not among")
                    && !is_derived
                {
                    without.insert(step.name().to_owned(), case.name);
                }
            }
        }
    }
    assert!(without.is_empty(), "{without:?}");
}
