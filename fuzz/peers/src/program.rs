//! A program over variables, its value and derivatives.

use std::rc::Rc;

use serde_json::{Value, json};
use wengert::tape::{Var, checkpoint, grad, hvp, jvp};
use wengert::tensor::Float;

use crate::given;
use crate::ops;
use crate::replay;
use crate::wire::{self, Attrs};

/// Runs the steps: each takes variables by their numbers (inputs first, then all results in order), and adds its results.
fn run<T: Float>(case: &Value, inputs: &[Var<T>]) -> Vec<Var<T>> {
    given::begin();
    let mut vars = inputs.to_vec();
    for step in case["steps"].as_array().expect("a list of steps") {
        let operands: Vec<Var<T>> = wire::sizes(&step[1]).into_iter().map(|id| vars[id].clone()).collect();
        let name = step[0].as_str().expect("a name");
        vars.extend(ops::apply(name, &Attrs(&step[2]), &operands));
    }
    wire::sizes(&case["out"]).into_iter().map(|id| vars[id].clone()).collect()
}

/// All outputs as one vector.
pub fn flat<T: Float>(outputs: &[Var<T>]) -> Var<T> {
    let flat: Vec<Var<T>> = outputs.iter().map(|y| y.reshape([-1])).collect();
    Var::cat(&flat, 0)
}

/// The answer to a program; of its second derivatives also with a tape that keeps nothing of what is inside.
pub fn answer<T: Float>(case: &Value) -> Value {
    let mut answer = derivatives(case, |x: &Vec<Var<T>>| run(case, x));
    if answer.get("hvp").is_some() {
        let (inputs, direction) = (list(case, "inputs"), list(case, "v"));
        let weights: Var<T> = weights(case, answer["value"].as_str().map_or(0, |text| text.len() / 16));
        let inside = Rc::new(case.clone());
        let loss = |x: &Vec<Var<T>>| {
            let inside = Rc::clone(&inside);
            let outputs = checkpoint(move |x| flat(&run(&inside, x)), &x.iter().collect::<Vec<_>>());
            (outputs * &weights).sum()
        };
        answer["checkpointed"] = texts(hvp(loss, &inputs, &direction), &inputs).into();
    }
    answer
}

fn list<T: Float>(case: &Value, name: &str) -> Vec<Var<T>> {
    case[name].as_array().expect("a list").iter().map(wire::var).collect()
}

fn weights<T: Float>(case: &Value, count: usize) -> Var<T> {
    wire::var(&json!([[count], case["w"]]))
}

/// Derivatives by the inputs.
fn texts<T: Float>(derivatives: Vec<Var<T>>, inputs: &[Var<T>]) -> Vec<Value> {
    let text = |(v, x): (&Var<T>, &Var<T>)| {
        assert_eq!(v.shape(), x.shape(), "a derivative has the shape of its input");
        wire::text(v.value())
    };
    derivatives.iter().zip(inputs).map(text).collect()
}

/// The outputs of a function at the case's inputs with their shapes, and of their sum with weights the gradient and the Hessian
/// times the direction, forwards over backwards and backwards over forwards; the outputs' derivative along the direction, which is
/// computed forwards. In a case that asks for it, what is wrong with a replay of all that.
pub fn derivatives<T: Float>(case: &Value, outputs: impl Fn(&Vec<Var<T>>) -> Vec<Var<T>>) -> Value {
    let at: replay::Point<T> = (list(case, "inputs"), list(case, "v"));
    let (inputs, direction) = &at;
    let order = case["order"].as_u64().expect("an order");
    let results = outputs(inputs);
    let shapes: Vec<Vec<usize>> = results.iter().map(|y| y.shape().to_vec()).collect();
    let value = flat(&results);
    let mut answer = json!({ "value": wire::text(value.value()), "shapes": shapes });
    let f = |x: &Vec<Var<T>>| flat(&outputs(x));
    let weights: Var<T> = if order == 0 { Var::zeros([value.len()]) } else { weights(case, value.len()) };
    let loss = |x: &Vec<Var<T>>| (f(x) * &weights).sum();
    if case["replay"] == true {
        let all = |(x, v): &replay::Point<T>| match order {
            0 => vec![f(x)],
            1 => [vec![f(x), jvp(f, x, v).1], grad(loss, x)].concat(),
            _ => [vec![f(x), jvp(f, x, v).1], grad(loss, x), hvp(loss, x, v)].concat(),
        };
        answer["replay"] = replay::fault(all, &at).into();
    }
    if order == 0 {
        return answer;
    }
    answer["grad"] = texts(grad(loss, inputs), inputs).into();
    answer["jvp"] = wire::text(jvp(f, inputs, direction).1.value());
    if order == 2 {
        answer["hvp"] = texts(hvp(loss, inputs, direction), inputs).into();
        answer["vhp"] = texts(grad(|x: &Vec<Var<T>>| jvp(loss, x, direction).1, inputs), inputs).into();
    }
    answer
}
