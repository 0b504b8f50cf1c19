//! Answers cases, a line of JSON for each: see README.md. Whoever sends them knows what the answers should be.

mod given;
mod layers;
mod ops;
mod optimisers;
mod program;
mod replay;
mod solvers;
mod whole;
mod wire;

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

fn answer(case: &Value) -> Value {
    match (case["kind"].as_str(), case["type"].as_str()) {
        (Some("program"), Some("f32")) => program::answer::<f32>(case),
        (Some("program"), _) => program::answer::<f64>(case),
        (Some("layer"), Some("f32")) => layers::answer::<f32>(case),
        (Some("layer"), _) => layers::answer::<f64>(case),
        (Some("optimiser"), _) => optimisers::answer(case),
        (Some("solver"), _) => solvers::answer(case),
        (Some("whole"), _) => whole::answer(case),
        (kind, _) => panic!("there are no cases of kind {kind:?}"),
    }
}

fn main() {
    // The message goes into the answer.
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line.expect("a line")).expect("a case");
        let answer = catch_unwind(AssertUnwindSafe(|| answer(&case))).unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            json!({ "panic": text.or(cause.downcast_ref::<&str>().copied()).unwrap_or("no text") })
        });
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("the other end listens");
    }
}
