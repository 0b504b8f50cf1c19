//! Methods behind a box: the same runs, with callbacks and stopping rules.

use std::ops::ControlFlow;

use crate::methods::{Rosenbrock, START, Visit, every_method};
use wengert_optim::*;

#[test]
fn boxed_methods_take_callbacks_and_stopping_rules() {
    struct Boxed;
    impl Visit for Boxed {
        fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
            let f = Rosenbrock::new(1.0);
            // The same as through the method itself, one record for each call.
            let mut seen = Vec::new();
            let outcome = (method as &dyn Minimizer<f64>)
                .run_with(&f, &START, &mut |progress| {
                    seen.push(progress.current.value);
                    assert_eq!(progress.trace.len() as u64, progress.iterations + 1);
                    if progress.iterations < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })
                .unwrap();
            let values: Vec<f64> = outcome.trace.iter().map(|record| record.value).collect();
            assert_eq!(seen, values, "{name}");
            assert!(outcome.iterations < 3 || outcome.reason == Reason::Callback, "{name}: {outcome}");
        }
    }
    every_method(&Stopping { max_iterations: 20, ..Stopping::gradient(1e-8) }, 1.0, &mut Boxed);
    let mut method: Box<dyn Minimizer<f64>> = Box::new(Bfgs::default());
    method.set_stopping(Stopping { max_iterations: 2, ..Stopping::default() });
    assert_eq!(method.run(&Rosenbrock::new(1.0), &START).unwrap().iterations, 2);
}
