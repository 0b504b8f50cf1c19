//! Networks of many kinds as `scripts/zoo.py` exports them, which are not part of this repository: `WENGERT_ONNX_ZOO` names their folder.

use std::path::{Path, PathBuf};

use wengert_nn::{Ctx, Mode, Params};
use wengert_onnx::{Model, Outputs, RunError, Value};
use wengert_tape::{Var, grad};
use wengert_tensor::{Float, Tensor};

use super::file::{Case, cases, name};
use super::{close, value};

/// The model's inputs are `x0`, `x1` … of those given: exporters leave out what is not used.
fn outputs<T: Float>(
    case: &Case,
    model: &Model<T>,
    cx: &Ctx<T>,
    first: Option<&Var<T>>,
) -> Result<Outputs<T>, RunError> {
    let mut inputs = Vec::new();
    for input in model.inputs() {
        let number: usize = input.name()[1..].parse().expect("a number");
        let given = value(&case.lists[0][number]);
        inputs.push((input.name(), first.filter(|_| number == 0).map_or(given, Value::from)));
    }
    model.forward(cx, &inputs)
}

/// The sum of the squares of the outputs that depend on something.
fn loss(case: &Case, model: &Model<f64>, cx: &Ctx<f64>, first: Option<&Var<f64>>) -> Var<f64> {
    let outputs = outputs(case, model, cx, first).expect("it has been run");
    let each = outputs.into_values().into_iter().filter_map(|y| y.float().map(|y| y.square().sum()));
    each.reduce(|a, b| a + b).expect("an output of floating-point numbers")
}

fn compare<T: Float>(case: &Case, tolerance: f64) -> Result<(Params<T>, Model<T>), String> {
    let mut params = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &case.model).map_err(|error| format!("refused: {error}"))?;
    let found =
        params.infer(|cx| outputs(case, &model, cx, None)).map_err(|error| format!("fails: {error}"))?;
    for (i, (found, expected)) in found.into_values().iter().zip(&case.lists[1]).enumerate() {
        close(found, &value(expected), tolerance).map_err(|problem| format!("output {i}: {problem}"))?;
    }
    Ok((params, model))
}

fn gradients(case: &Case) -> Result<usize, String> {
    let (mut params, model) = compare::<f64>(case, 2e-5)?;
    params.allow_unreached(true);
    if case.lists[2].is_empty() {
        return Ok(0);
    }
    let (_, grads) =
        params.value_and_grad_in(Mode::Eval, |cx| loss(case, &model, cx, None)).map_err(|e| e.to_string())?;
    for bytes in &case.lists[2] {
        let (name, expected) = (name(bytes), value::<f64>(bytes));
        let found = if name == "x0" {
            let x = value::<f64>(&case.lists[0][0]);
            let x = x.float().expect("floating-point numbers");
            grad(|x: &Var<f64>| params.infer(|cx| loss(case, &model, cx, Some(x))), x)
        } else {
            let found = grads.get(&name).ok_or_else(|| format!("there is no parameter {name}"))?;
            Var::from(Tensor::from_slice(found, expected.shape().clone()).map_err(|e| e.to_string())?)
        };
        close(&found.into(), &expected, 1e-4).map_err(|problem| format!("by {name}: {problem}"))?;
    }
    Ok(case.lists[2].len())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "bin"));
    files.sort();
    files
}

#[test]
fn networks_of_a_zoo_give_pytorchs_outputs_and_gradients() {
    let Some(folder) = std::env::var_os("WENGERT_ONNX_ZOO") else {
        eprintln!("SKIPPED: WENGERT_ONNX_ZOO names no folder with what scripts/zoo.py makes");
        return;
    };
    let (mut models, mut compared, mut failures) = (0, 0, Vec::new());
    for path in files(Path::new(&folder)) {
        for case in cases(&path.to_string_lossy(), 4) {
            models += 1;
            let all = compare::<f32>(&case, 1e-3).and_then(|_| gradients(&case));
            match all {
                Ok(count) => compared += count,
                Err(problem) => failures.push(format!("{}: {problem}", case.name)),
            }
        }
    }
    eprintln!("{models} models, {compared} gradients, {} fail", failures.len());
    assert!(failures.is_empty(), "{} of {models} fail:\n{}", failures.len(), failures.join("\n"));
}
