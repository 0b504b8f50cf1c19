//! A program over variables, its value and derivatives.

use serde_json::{Value, json};
use wengert::tape::{Var, grad, hvp, jvp};
use wengert::tensor::Float;

use crate::ops;
use crate::wire::{self, Attrs};

/// Runs the steps: each takes variables by their numbers (inputs first, then all results in order), and adds its results.
/// The outputs come as one vector.
fn run<T: Float>(case: &Value, inputs: &[Var<T>]) -> Var<T> {
    let mut vars = inputs.to_vec();
    for step in case["steps"].as_array().expect("a list of steps") {
        let operands: Vec<Var<T>> = wire::sizes(&step[1]).into_iter().map(|id| vars[id].clone()).collect();
        let name = step[0].as_str().expect("a name");
        vars.extend(ops::apply(name, &Attrs(&step[2]), &operands));
    }
    let flat: Vec<Var<T>> = wire::sizes(&case["out"]).into_iter().map(|id| vars[id].reshape([-1])).collect();
    Var::cat(&flat, 0)
}

/// The answer to a program.
pub fn answer<T: Float>(case: &Value) -> Value {
    derivatives(case, |x: &Vec<Var<T>>| run(case, x))
}

/// The outputs of a function at the case's inputs, and of their sum with weights the gradient and the Hessian times the
/// direction; the outputs' derivative along the direction, which is computed forwards.
pub fn derivatives<T: Float>(case: &Value, f: impl Fn(&Vec<Var<T>>) -> Var<T>) -> Value {
    let list = |name: &str| -> Vec<Var<T>> {
        case[name].as_array().expect("a list").iter().map(wire::var).collect()
    };
    let (inputs, direction) = (list("inputs"), list("v"));
    let value = f(&inputs);
    let mut answer = json!({ "value": wire::text(value.value()) });
    if case["order"] == 0 {
        return answer;
    }
    let weights: Var<T> = wire::var(&json!([[value.len()], case["w"]]));
    let loss = |x: &Vec<Var<T>>| (f(x) * &weights).sum();
    let texts = |vars: Vec<Var<T>>| vars.iter().map(|v| wire::text(v.value())).collect::<Vec<_>>();
    answer["grad"] = texts(grad(loss, &inputs)).into();
    answer["jvp"] = wire::text(jvp(&f, &inputs, &direction).1.value());
    if case["order"] == 2 {
        answer["hvp"] = texts(hvp(loss, &inputs, &direction)).into();
    }
    answer
}
