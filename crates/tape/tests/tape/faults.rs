//! The first operation that makes a NaN or an infinity.

use wengert_tape::{Fault, Pass, Sweep, Tape, Var, checkpoint, find_fault, grad, hvp, value_and_grad};
use wengert_tensor::Tensor;

fn found<R>(work: impl FnOnce() -> R) -> Fault {
    find_fault(work).1.expect("a fault")
}

#[test]
fn a_forward_fault_names_the_operation_its_inputs_and_the_line() {
    let x = Var::from([[1.0f64, -4.0], [2.0, 0.5]]);
    let mut line = 0;
    let fault = found(|| {
        value_and_grad(
            |x: &Var<f64>| {
                line = line!() + 1;
                let y = (x * 2.0).ln();
                (y.sqrt() + x).sum()
            },
            &x,
        )
    });
    assert_eq!((fault.operation.as_str(), fault.pass, fault.location.line()), ("ln", Pass::Forward, line));
    assert!(fault.location.file().ends_with("faults.rs"));
    assert_eq!(fault.inputs.len(), 1);
    assert_eq!((fault.inputs[0].least, fault.inputs[0].largest), (-8.0, 4.0));
    assert_eq!((fault.output.nan, fault.output.infinite), (1, 0));
    assert_eq!((&fault.cotangent, &fault.derivative), (&None, &None));
    let text = fault.to_string();
    assert!(text.starts_with("`ln` at ") && text.contains("made [2, 2] from"), "{text}");
    assert!(text.ends_with(", 1 NaN\n  input 0: [2, 2] from -8 to 4"), "{text}");
}

#[test]
fn a_backward_fault_names_where_the_operation_was_applied() {
    let x = Var::from([4.0f64, 0.0]);
    let mut line = 0;
    let fault = found(|| {
        grad(
            |x: &Var<f64>| {
                line = line!() + 1;
                let y = x.sqrt();
                (y * 3.0).sum()
            },
            &x,
        )
    });
    assert_eq!((fault.operation.as_str(), fault.pass, fault.location.line()), ("sqrt", Pass::Backward, line));
    assert_eq!(
        (fault.cotangent.as_ref().unwrap().least, fault.derivative.as_ref().unwrap().infinite),
        (3.0, 1)
    );
    assert!(fault.to_string().contains("derivative that it was given: [2] from 3 to 3"), "{fault}");
    // NaN times 0: the first that made it, not those that pass it on.
    let fault = found(|| grad(|x: &Var<f64>| (x * 0.0).sqrt().exp().sum(), &x));
    assert_eq!(fault.operation, "sqrt");
}

#[test]
fn what_was_there_before_is_seen_as_an_input() {
    let bad = Tensor::from([f64::NAN, 1.0]);
    let fault = found(|| grad(|x: &Var<f64>| (x * &bad).sum(), &Var::from([1.0, 2.0])));
    assert_eq!((fault.operation.as_str(), fault.inputs[1].nan), ("mul", 1));
    let inf = Var::from([f64::INFINITY]);
    let fault = found(|| grad(|x: &Var<f64>| (x + 1.0).sum(), &inf));
    assert_eq!((fault.inputs[0].infinite, fault.output.infinite), (1, 1));
    assert!(fault.inputs[0].least.is_nan());
}

#[test]
fn nothing_is_found_where_all_is_finite_and_results_are_the_same() {
    let x = Var::from([0.3f64, -0.2, 0.9]);
    let f = |x: &Var<f64>| (x.tanh() * x.exp()).sum().square();
    let plain = value_and_grad(f, &x);
    let ((value, gradient), fault) = find_fault(|| value_and_grad(f, &x));
    assert!(fault.is_none());
    assert_eq!((value.item(), gradient.value()), (plain.0.item(), plain.1.value()));
    let v = Var::ones([3]);
    let (product, fault) = find_fault(|| hvp(f, &x, &v));
    assert!(fault.is_none());
    assert_eq!(product.value(), hvp(f, &x, &v).value());
}

#[test]
fn all_kinds_of_recordings_are_searched() {
    let x = Var::from([-1.0f64, 2.0]);
    let fault = found(|| grad(|x: &Var<f64>| checkpoint(|v| v[0].ln().sum(), &[x]), &x));
    assert_eq!((fault.operation.as_str(), fault.pass), ("checkpoint", Pass::Forward));
    // The inner gradient of √x is what the outer one is taken of.
    let zero = Var::from([0.0f64]);
    let fault = found(|| grad(|x: &Var<f64>| grad(|x: &Var<f64>| x.sqrt().sum(), x).sum(), &zero));
    assert_eq!((fault.operation.as_str(), fault.pass), ("sqrt", Pass::Backward));
    let fault = found(|| {
        let tape = Tape::new();
        let x = tape.var([0.0f64]);
        let y = x.abs().powf(0.5);
        tape.pull_back(&y, Var::ones([1]), &[&x], Sweep::Retain)
    });
    assert_eq!(fault.pass, Pass::Backward);
    let fault = found(|| Tape::complete().var([0.0f32]).ln());
    assert_eq!((fault.operation.as_str(), fault.output.infinite), ("ln", 1));
}

#[test]
fn a_search_ends_with_its_work() {
    let bad = || grad(|x: &Var<f64>| x.ln().sum(), &Var::from([-1.0]));
    let ((inner, outer_after), outer) = find_fault(|| (find_fault(bad).1, find_fault(|| ()).1));
    assert!(inner.is_some() && outer_after.is_none() && outer.is_none());
    // Also by a panic.
    let caught = std::panic::catch_unwind(|| find_fault(|| -> () { panic!("of the work") }));
    assert!(caught.is_err());
    let (_, fault) = find_fault(|| bad());
    assert_eq!(fault.unwrap().operation, "ln");
    // A tape of before is not searched.
    let tape = Tape::new();
    let x = tape.var([-1.0f64]);
    assert!(find_fault(|| x.ln()).1.is_none());
}
