//! Scans of inputs that have no steps in common, and steps that change their minds.

use crate::panics::caught;
use wengert_tape::{Scan, Tape, Var, scan};

fn same(carry: &Var<f64>, x: &Var<f64>) -> (Var<f64>, Var<f64>) {
    (carry.clone(), x.clone())
}

#[test]
fn inputs_without_a_first_axis_in_common() {
    let (zero, three) = (Var::scalar(0.0), Var::<f64>::zeros([3]));
    assert_panics!(scan(same, zero.clone(), &zero), "scan: inputs of shapes", "[]");
    let both = |c: &Var<f64>, x: &[Var<f64>; 2]| (c.clone(), x[0].clone());
    let xs = [three.clone(), Var::zeros([4, 2])];
    assert_panics!(scan(both, zero.clone(), &xs), "scan: ", "[3]", "[4, 2]");
    assert_panics!(Scan::new().apply(same, zero.clone(), &zero), "scan: inputs of shapes");
    assert_panics!(Scan::new().truncated(0), "truncated: derivatives of 0 steps");
    assert_panics!(Scan::new().recomputed().segment(0), "segment: 0 steps");
}

#[test]
fn a_carry_that_changes_its_shape() {
    let (zero, three) = (Var::scalar(0.0), Var::<f64>::zeros([3]));
    let grows = |c: &Var<f64>, x: &Var<f64>| (c.unsqueeze(0), x.clone());
    assert_panics!(scan(grows, zero.clone(), &three), "scan: a carry of shape [] becomes one of shape [1]");
    let more = |c: &Vec<Var<f64>>, x: &Var<f64>| (vec![c[0].clone(); 2], x.clone());
    assert_panics!(scan(more, vec![zero], &three), "scan: a carry of 1 variables becomes one of 2");
}

#[test]
fn a_recomputed_step_that_captures_a_variable() {
    let (tape, three) = (Tape::new(), Var::<f64>::zeros([3]));
    let a = tape.var([1.0]);
    let step = move |c: &Var<f64>, x: &Var<f64>, _: &Var<f64>| (c * &a, x.clone());
    let scan = Scan::new().recomputed();
    let (one, x) = (Var::ones([1]), tape.var([1.0]));
    // The line is the scan's own: segments are closures.
    let panic = caught(|| scan.apply(step, one, &three, &x));
    assert!(panic.message.contains("captures a tracked variable; pass it as an input"), "{}", panic.message);
}
