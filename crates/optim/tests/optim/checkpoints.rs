//! Checkpoints come from outside: whatever is done to one, going on from it is an error that names the field, or a run of the
//! right dimension; never a panic.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::methods::{Rosenbrock, START, Visit, every_method};
use crate::mutation::{Draws, mutate};
use serde_json::Value;
use wengert_optim::State;
use wengert_optim::first::Scalar;
use wengert_optim::minimize::*;

#[derive(Default)]
struct Attack {
    tried: u64,
    /// No state of the method.
    untyped: u64,
    refused: u64,
    went_on: u64,
    faults: Vec<String>,
}

impl Attack {
    fn resume<M: Method<f64>>(&mut self, name: &str, method: &M, checkpoint: &Value) {
        self.tried += 1;
        // What serde refuses is refused.
        let Ok(state) = serde_json::from_value::<State>(checkpoint.clone()) else { return };
        let run = match Run::<f64, M::State>::from_state(&state) {
            Ok(run) => run,
            Err(error) => {
                self.untyped += 1;
                let said = error.to_string();
                if said.chars().count() > 250 || said.starts_with(':') {
                    self.faults.push(format!("{name}: an error of {} characters: {said}", said.len()));
                }
                return;
            }
        };
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
                    checkpoints.push(serde_json::to_value(run.to_state().unwrap()).unwrap());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        let mut draws = Draws::seeded(name.len() as u64);
        for round in 0..600 {
            let mut checkpoint = draws.of(&checkpoints).clone();
            // What follows the trace is what methods read.
            if round % 4 != 0 {
                let whole = checkpoint.pointer_mut("/children").expect("a run has parts");
                // A method that remembers nothing is a word, or nothing.
                mutate(whole.get_mut("method").unwrap_or(&mut Value::Null), &mut draws);
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
    let Attack { tried, untyped, refused, went_on, faults } = attack;
    println!(
        "{tried} checkpoints: {untyped} no state of the method, {refused} refused, {went_on} gone on from"
    );
    assert!(faults.is_empty(), "{} faults of {tried}: {:#?}", faults.len(), &faults[..faults.len().min(8)]);
    let enough = tried > 20_000 && untyped > 1000 && refused > 1000 && went_on > 1000;
    assert!(enough, "{tried}, {untyped}, {refused}, {went_on}");
}

#[test]
fn the_error_names_the_field() {
    let f = Rosenbrock::new(1.0);
    let mut saved = None;
    let method = Lbfgs::default();
    method
        .minimize_with(&f, &START, |run| {
            saved = Some(run.to_state().unwrap());
            if run.iterations == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    let saved = saved.unwrap();
    let refusal = |path: &[&str], change: fn(State) -> State| {
        let mut checkpoint = saved.clone();
        let place = path.iter().fold(&mut checkpoint, |state, name| state.children.get_mut(*name).unwrap());
        *place = change(place.clone());
        let mut go_on = |_: &Progress<'_, f64>| ControlFlow::Continue(());
        method.run_from(&f, &checkpoint, &mut go_on).unwrap_err().to_string()
    };
    let memory = ["method", "memory"];
    type Case<'a> = (&'a [&'a str], fn(State) -> State, &'a str);
    let cases: [Case<'_>; 14] = [
        (
            &["current"],
            |s| s.with_vector("point", &[1.0]),
            "the checkpoint's current.point is of 1 elements, but must be of 2",
        ),
        (
            &["current"],
            |s| s.with_vector("gradient", &[0.0; 0]),
            "the checkpoint's current.gradient is of 0 elements, but must be of 2",
        ),
        (
            &["current"],
            |s| s.with_vector("gradient", &[0.0, f64::NAN]),
            "the checkpoint's current.gradient is NaN, but must be finite",
        ),
        (
            &["current"],
            |s| s.with_vector("point", &[1.0f32, 1.0]),
            "Iterate: point is 1.0 of type f32, but must be of type f64",
        ),
        (
            &[],
            |mut s| {
                s.scalars.remove("best");
                let best = s.children["current"].clone().with_vector("point", &[1.0, 2.0, 3.0]);
                s.with_child("best", best)
            },
            "the checkpoint's best.point is of 3 elements, but must be of 2",
        ),
        (
            &[],
            |s| s.with_count("iterations", u64::MAX),
            "the checkpoint's iterations is 18446744073709551615, but must be one less than the records in trace",
        ),
        (&[], |s| s.with_real("seconds", -1.0), "the checkpoint's seconds is -1.0, but must be at least 0"),
        (
            &[],
            |s| s.with_real("seconds", f64::INFINITY),
            "the checkpoint's seconds is inf, but must be at least 0",
        ),
        (&["trace"], |s| s.with_vector("step", &[0.0]), "Trace: step has 1 elements, but must have 4"),
        (
            &memory,
            |s| s.with_vector("steps", &[1.0, 2.0]),
            "the checkpoint's pairs.steps is of 2 elements, but must be of 6",
        ),
        (
            &memory,
            |s| s.with_count("dimension", 3),
            "the checkpoint's pairs.dimension is 3, but must be that of the problem",
        ),
        (
            &memory,
            |s| s.with_scalar("dimension", Scalar::Text("two".to_owned())),
            "CurvaturePairs: dimension: invalid type: string \"two\", expected usize",
        ),
        (
            &["method"],
            |s| s.with_real("radius", 1.0),
            "DescentState: the state has a radius that is not used here",
        ),
        (&[], |_| State::new("adam", 2), "state of adam, but this is Run"),
    ];
    for (path, change, expected) in cases {
        assert_eq!(refusal(path, change), expected);
    }
}
