//! The backend tests of the `onnx` package: models with inputs and the outputs that are expected of them.
//!
//! They are not part of this repository. `WENGERT_ONNX_DATA` names a folder with the package's folders `pytorch-converted` and
//! `pytorch-operator` (`onnx/backend/test/data`), and with `node`, which `scripts/node_tests.py` makes. Without it the tests
//! say that they are skipped; the golden models in `golden/` are always tested.

mod cases;

use cases::{Outcome, cases, outcome};

fn folder(kind: &str) -> Option<Vec<std::path::PathBuf>> {
    let Some(data) = std::env::var_os("WENGERT_ONNX_DATA") else {
        eprintln!(
            "SKIPPED: WENGERT_ONNX_DATA names no folder with the data of the onnx package's backend tests"
        );
        return None;
    };
    Some(cases(&std::path::Path::new(&data).join(kind)))
}

/// Every model that PyTorch made gives the expected outputs.
fn all_pass(kind: &str, count: usize) {
    let Some(cases) = folder(kind) else { return };
    assert!(cases.len() >= count, "{} models in {kind}, and there should be {count}", cases.len());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| match outcome(case) {
            Outcome::Passed => None,
            other => Some(format!("{}: {other:?}", case.display())),
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn models_converted_from_pytorch_give_its_outputs() {
    all_pass("pytorch-converted", 82);
}

#[test]
fn operators_of_pytorch_give_its_outputs() {
    all_pass("pytorch-operator", 35);
}

/// Models of one operator pass, or are refused when they are read, with the reason; what neither does is listed here.
#[test]
fn models_of_one_operator_pass_or_are_refused() {
    const KNOWN: &[(&str, &str)] = &[
        ("test_bernoulli", "draws other random numbers"),
        ("test_training_dropout", "draws other random numbers"),
        ("test_averagepool_2d_ceil_last_window_starts_on_pad", "the expected numbers have four digits"),
        ("test_gridsample_bicubic", "the expected numbers have four digits"),
        ("test_roialign_aligned", "the expected numbers have four digits"),
    ];
    let Some(cases) = folder("node") else { return };
    let (mut passed, mut refused, mut excused, mut failures) = (0, 0, 0, Vec::new());
    for case in &cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match outcome(case) {
            Outcome::Passed => passed += 1,
            Outcome::Refused(reason) => {
                refused += 1;
                if std::env::var_os("WENGERT_ONNX_LIST").is_some() {
                    eprintln!("refused {name}: {reason}");
                }
            }
            _ if KNOWN.iter().any(|(known, _)| name.starts_with(known)) => excused += 1,
            other => failures.push(format!("{name}: {other:?}")),
        }
    }
    eprintln!("{passed} of {} pass, {refused} are refused, {excused} cannot be compared", cases.len());
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
