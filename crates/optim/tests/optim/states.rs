//! States of first-order methods come from files: whatever is done to one, loading it is an error that leaves the optimiser as it
//! was, or it steps on; never a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::mutation::{Draws, mutate};
use wengert_optim::{Layout, State, first};

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

#[test]
fn mutated_states_are_errors_or_go_on_and_never_panic() {
    let (mut loaded, mut refused, mut faults) = (0, 0, Vec::new());
    let gradient = |step: usize| -> Vec<f64> { (0..8).map(|i| ((3 * i + step) as f64).sin()).collect() };
    for method in first::methods::<f64>() {
        let build = || method.build(method.learning_rate, &layout()).unwrap();
        let mut states = Vec::new();
        let (mut optimizer, mut params) = (build(), vec![1.0; 8]);
        for step in 0..5 {
            states.push(serde_json::to_value(optimizer.state()).unwrap());
            optimizer.step(&mut params, &gradient(step));
        }
        let mut draws = Draws::seeded(7);
        for _ in 0..400 {
            let mut json = draws.of(&states).clone();
            (0..1 + draws.below(2)).for_each(|_| mutate(&mut json, &mut draws));
            let Ok(state) = serde_json::from_value::<State>(json.clone()) else { continue };
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut optimizer = build();
                let before = optimizer.state();
                match optimizer.load_state(&state) {
                    Err(error) => {
                        assert_eq!(optimizer.state(), before, "changed by a state that it refused: {error}");
                        assert!(
                            error.to_string().len() < 300,
                            "an error of {} characters",
                            error.to_string().len()
                        );
                        false
                    }
                    Ok(()) => {
                        let mut params = vec![1.0; 8];
                        (0..3).for_each(|step| optimizer.step(&mut params, &gradient(step)));
                        assert_eq!(params.len(), 8);
                        true
                    }
                }
            }));
            match result {
                Ok(true) => loaded += 1,
                Ok(false) => refused += 1,
                Err(panic) => {
                    let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                    faults.push(format!("{}: {message}: {json}", method.name));
                }
            }
        }
    }
    println!("{loaded} went on, {refused} were refused");
    assert!(faults.is_empty(), "{} faults: {:#?}", faults.len(), &faults[..faults.len().min(6)]);
    assert!(loaded > 500 && refused > 500, "{loaded} went on, {refused} were refused");
}
