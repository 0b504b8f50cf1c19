//! Checkpoints come from outside: whatever is done to one, going on from it is an error that names the field, or a run of the
//! right dimension; never a panic.

mod methods;
mod mutation;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use methods::{Rosenbrock, START, Visit, every_method};
use mutation::{Draws, mutate};
use serde_json::{Value, json};
use wengert_optim::minimize::*;

#[derive(Default)]
struct Attack {
    tried: u64,
    refused: u64,
    went_on: u64,
    faults: Vec<String>,
}

impl Attack {
    fn resume<M: Method<f64>>(&mut self, name: &str, method: &M, checkpoint: &Value) {
        self.tried += 1;
        // What serde refuses is refused.
        let Ok(run) = serde_json::from_value::<Run<f64, M::State>>(checkpoint.clone()) else { return };
        let f = Rosenbrock::new(1.0);
        let mut calls = 0;
        let result = catch_unwind(AssertUnwindSafe(|| {
            method.resume(&f, run, |_| {
                calls += 1;
                if calls > 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        }));
        match result {
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                self.faults.push(format!("{name}: panic {message:?} from {checkpoint}"));
            }
            Ok(Err(MinimizeError::Checkpoint { field, found, expected })) => {
                self.refused += 1;
                let said = field.len() + found.len() + expected.len();
                if said > 200 {
                    self.faults.push(format!("{name}: an error of {said} characters"));
                }
            }
            Ok(Err(error)) => self.faults.push(format!("{name}: {error}, from {checkpoint}")),
            Ok(Ok(outcome)) => {
                self.went_on += 1;
                let right = [&outcome.point, &outcome.gradient].map(Vec::len) == [2, 2];
                if !right || !outcome.value.is_finite() || !vector::all_finite(&outcome.point) {
                    self.faults.push(format!("{name}: {outcome:?} from {checkpoint}"));
                }
            }
        }
    }
}

impl Visit for Attack {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let f = Rosenbrock::new(1.0);
        let mut checkpoints = Vec::new();
        method
            .minimize_with(&f, &START, |run| {
                if [0, 1, 2, 6].contains(&run.iterations) {
                    checkpoints.push(serde_json::to_value(run).unwrap());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        let mut draws = Draws::seeded(name.len() as u64);
        for round in 0..600 {
            let mut checkpoint = draws.of(&checkpoints).clone();
            // What follows the trace is what methods read.
            if round % 4 != 0 {
                let state = checkpoint.pointer_mut("/state").expect("a run has a state");
                mutate(state, &mut draws);
            }
            (0..1 + draws.below(2)).for_each(|_| mutate(&mut checkpoint, &mut draws));
            self.resume(name, method, &checkpoint);
        }
        // And as it was.
        for checkpoint in &checkpoints {
            let before = self.went_on;
            self.resume(name, method, checkpoint);
            assert_eq!(self.went_on, before + 1, "{name} refuses its own checkpoint");
        }
    }
}

fn stopping() -> Stopping {
    Stopping { max_iterations: 60, ..Stopping::gradient(1e-6) }
}

/// The methods that want Kronecker factors.
fn kronecker_methods(v: &mut impl Visit) {
    let stopping = stopping();
    v.visit("K-FAC", &Kfac { steps: 2, stopping: stopping.clone(), ..Kfac::default() });
    let preconditioning = Preconditioning::kronecker();
    let direction = NewtonCgDirection { preconditioning, ..Default::default() };
    v.visit("Newton-CG, Kronecker", &NewtonCg::new(direction).with_stopping(stopping));
}

#[test]
fn mutated_checkpoints_are_errors_or_runs_and_never_panics() {
    let mut attack = Attack::default();
    every_method(&stopping(), 1.0, &mut attack);
    kronecker_methods(&mut attack);
    let Attack { tried, refused, went_on, faults } = attack;
    println!("{tried} checkpoints: {refused} refused, {went_on} gone on from");
    assert!(faults.is_empty(), "{} faults of {tried}: {:#?}", faults.len(), &faults[..faults.len().min(8)]);
    assert!(tried > 20_000 && refused > 1000 && went_on > 1000, "{tried}, {refused}, {went_on}");
}

#[test]
fn the_error_names_the_field() {
    let f = Rosenbrock::new(1.0);
    let mut saved = None;
    let method = Lbfgs::default();
    method
        .minimize_with(&f, &START, |run| {
            saved = Some(serde_json::to_value(run).unwrap());
            if run.iterations == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    let saved = saved.unwrap();
    let refusal = |place: &str, value: Value| {
        let mut checkpoint = saved.clone();
        *checkpoint.pointer_mut(place).unwrap() = value;
        let run = serde_json::from_value(checkpoint).unwrap();
        method.resume(&f, run, |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    for (place, value, expected) in [
        ("/current/point", json!([1.0]), "the checkpoint's current.point is of 1 elements, but must be of 2"),
        (
            "/current/gradient",
            json!([]),
            "the checkpoint's current.gradient is of 0 elements, but must be of 2",
        ),
        (
            "/best",
            json!({"point": [1.0, 2.0, 3.0], "value": 0.0, "gradient": [0.0, 0.0]}),
            "the checkpoint's best.point is of 3 elements, but must be of 2",
        ),
        (
            "/iterations",
            json!(u64::MAX),
            "the checkpoint's iterations is 18446744073709551615, but must be one less than the records in trace",
        ),
        ("/seconds", json!(-1.0), "the checkpoint's seconds is -1.0, but must be at least 0"),
        (
            "/state/memory/steps",
            json!([1.0, 2.0]),
            "the checkpoint's pairs.steps is of 2 elements, but must be of 6",
        ),
        (
            "/state/memory/dimension",
            json!(3),
            "the checkpoint's pairs.dimension is 3, but must be that of the problem",
        ),
    ] {
        assert_eq!(refusal(place, value), expected);
    }
}
