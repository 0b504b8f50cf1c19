//! Every case of the table as a program: recorded at one point with its derivatives, run at another.

use wengert_tape::{Data, Feed, Program, Recorded, Tape, Var, grad, hvp, jvp, vjp};
use wengert_tensor::Tensor;

use crate::cases::{self, Case};
use crate::interpreter::{self, Catalogue, Inputs, bits};

/// The value of a case, its derivatives in both modes, and second derivatives by a product with the Hessian and by two
/// backward sweeps.
fn everything(case: &Case, point: &[Var<f64>], weights: &Var<f64>, along: &[Var<f64>]) -> Vec<Var<f64>> {
    let (point, along) = (point.to_vec(), along.to_vec());
    let f = |v: &Vec<Var<f64>>| (case.f)(v);
    let scalar = |v: &Vec<Var<f64>>| ((case.f)(v) * weights).sum();
    let inner = |a: &[Var<f64>], b: &[Var<f64>]| {
        a.iter().zip(b).map(|(a, b)| (a * b).sum()).reduce(|a, b| a + b).expect("a case has an input")
    };
    let mut all = vec![f(&point)];
    all.extend(vjp(f, &point).1.apply(weights));
    all.push(jvp(f, &point, &along).1);
    all.extend(grad(scalar, &point));
    all.extend(hvp(scalar, &point, &along));
    all.extend(grad(|v: &Vec<Var<f64>>| inner(&grad(scalar, v), &along), &point));
    all
}

/// Numbers for a shape that have nothing to do with each other.
fn numbers(like: &Var<f64>, salt: f64) -> Tensor<f64> {
    let numbers = (0..like.len()).map(|i| (1.7 * i as f64 + salt).sin() + 1.3).collect();
    Tensor::from_vec(numbers, like.shape().clone()).unwrap()
}

/// The same numbers the other way round, so that orders, maxima and comparisons change, and a little smaller.
fn moved(x: &Var<f64>) -> Tensor<f64> {
    x.value().reshape([x.len()]).flip(0).reshape(x.shape()) * 0.97
}

/// The outputs whose bits are others than those of direct computation.
fn run_and_compare(program: &mut Program<f64>, inputs: &[&Tensor<f64>], direct: &[Var<f64>]) -> Vec<usize> {
    let feeds: Vec<Feed<'_, f64>> = inputs.iter().map(|input| Feed::from(*input)).collect();
    let results = program.run(&feeds).expect("the shapes are those of the recording");
    assert_eq!(results.len(), direct.len());
    (0..direct.len()).filter(|&i| bits(&results[i]) != bits(direct[i].value())).collect()
}

#[test]
fn every_case_is_a_program() {
    let mut failures = Vec::new();
    let mut known = Catalogue::default();
    for case in cases::all() {
        for point in &case.points {
            let y = (case.f)(point);
            let weights = [numbers(&y, 0.1), numbers(&y, 2.3)];
            let along = [0.7, 3.1].map(|salt| point.iter().map(|v| numbers(v, salt)).collect::<Vec<_>>());

            let tape = Tape::complete();
            let enter =
                |tensors: &[Tensor<f64>]| tensors.iter().map(|t| tape.var(t.clone())).collect::<Vec<_>>();
            let recorded: Vec<Var<f64>> = point.iter().map(|v| tape.enter(v)).collect();
            let (w, d) = (tape.var(weights[0].clone()), enter(&along[0]));
            let outputs = everything(&case, &recorded, &w, &d);
            let dependent: Vec<usize> =
                (0..outputs.len()).filter(|&i| tape.position(&outputs[i]).is_some()).collect();
            let program = interpreter::Program::new(&tape, dependent.iter().map(|&i| &outputs[i]));

            let new: Vec<Tensor<f64>> = point.iter().map(moved).collect();
            let constants =
                |tensors: &[Tensor<f64>]| tensors.iter().cloned().map(Var::constant).collect::<Vec<_>>();
            let eager = everything(
                &case,
                &constants(&new),
                &Var::constant(weights[1].clone()),
                &constants(&along[1]),
            );
            let weight = Data::Float(weights[1].clone());
            let inputs = Inputs::new().set_all(&tape, &recorded, &new);
            let inputs = inputs.set(&tape, &w, weight).set_all(&tape, &d, &along[1]);
            let values = program.values(&inputs);
            for &i in &dependent {
                let replayed = values[tape.position(&outputs[i]).unwrap()].as_ref().unwrap();
                if bits(replayed.float()) != bits(eager[i].value()) {
                    failures.push(format!("{} at {}: output {i}", case.name, y.shape()));
                }
            }
            for i in (0..outputs.len()).filter(|i| !dependent.contains(i)) {
                if bits(outputs[i].value()) != bits(eager[i].value()) {
                    failures.push(format!("{} at {}: output {i} is a constant", case.name, y.shape()));
                }
            }

            // The same by compiled programs, one of them with blocks of three numbers, twice each.
            let entered: Vec<&dyn Recorded<f64>> =
                recorded.iter().chain([&w]).chain(&d).map(|v| v as &dyn Recorded<f64>).collect();
            let all: Vec<&Var<f64>> = outputs.iter().collect();
            let old: Vec<&Tensor<f64>> = recorded.iter().chain([&w]).chain(&d).map(|v| v.value()).collect();
            let new: Vec<&Tensor<f64>> = new.iter().chain([&weights[1]]).chain(&along[1]).collect();
            for mut compiled in [tape.compile(&entered, &all), tape.compile_by_blocks(&entered, &all, 24)] {
                let before = run_and_compare(&mut compiled, &old, &outputs);
                let differ = run_and_compare(&mut compiled, &new, &eager);
                failures.extend(
                    before
                        .iter()
                        .chain(&differ)
                        .map(|i| format!("{} at {}: compiled output {i}", case.name, y.shape())),
                );
            }

            failures.extend(known.add(case.name, &program, &values));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(known.len() > 2000, "{} different steps", known.len());
}
