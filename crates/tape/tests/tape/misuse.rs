//! Misuse of tapes and transforms: what the panic says, and that it names the caller's line.

use crate::panics::caught;
use wengert_tape::{
    HessianOperator, Mode, Tape, Var, checkpoint, grad, hessian, hvp, jvp, linearize, value_and_grad, vjp,
};
use wengert_tensor::Tensor;

/// Asserts that `$work` panics on its own line with a text that has all of the parts.
macro_rules! assert_panics {
    ($work:expr, $($part:expr),+) => {{
        let (panic, line) = (caught(|| $work), line!());
        $( assert!(panic.message.contains($part), "{:?} does not say {:?}", panic.message, $part); )+
        assert_eq!((&panic.file[..], panic.line), (file!(), line), "{}", panic.message);
    }};
}

fn x() -> Var<f64> {
    Var::from([1.0, 2.0, 3.0])
}

#[test]
fn two_tapes() {
    let (first, second) = (Tape::new(), Tape::new());
    let (a, b) = (first.var(Tensor::from([1.0f64])), second.var(Tensor::from([2.0])));
    assert_panics!(&a * &b, "mul", "two different tapes", "stop_gradient");
    assert_panics!(a.matmul(&b), "matmul", "two different tapes");
    assert_panics!(Var::cat(&[&a, &b], 0), "cat", "two different tapes");
    assert_eq!((&a * b.stop_gradient()).item(), 2.0);
}

#[test]
fn a_variable_that_escaped() {
    let mut kept = None;
    grad(
        |x: &Var<f64>| {
            kept = Some(x.clone());
            x.sum()
        },
        &x(),
    );
    let kept = kept.unwrap();
    assert_eq!(kept.value().to_vec(), [1.0, 2.0, 3.0]);
    assert_panics!(&kept + &kept, "escaped", "stop_gradient");
    assert_panics!(kept.exp(), "escaped");
    assert_panics!(kept.sum(), "escaped");
    assert_panics!(-&kept, "escaped");
    assert_panics!(&kept * 2.0, "escaped");
    assert_panics!(kept.powi(3), "escaped");
    assert_eq!(kept.stop_gradient().sum().item(), 6.0);
}

#[test]
fn a_tape_that_is_used_up() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0f64]));
    let y = x.square();
    assert_eq!(tape.gradients(&y, &[&x])[0].item(), 2.0);
    assert_panics!(&x * &y, "escaped");
    // Not a second gradient that is silently 0.
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0f64]));
    let y = x.square();
    tape.pull_back(&y, Var::ones([1]), &[&x], Mode::Consume);
    assert_panics!(tape.pull_back(&y, Var::ones([1]), &[&x], Mode::Consume), "pull_back", "used up");
    assert_panics!(tape.push_forward(&[&y], &[&x], &[Var::ones([1])]), "push_forward", "used up");
    assert_panics!(y.exp(), "escaped");
}

#[test]
fn a_gradient_of_several_values() {
    assert_panics!(grad(|x: &Var<f64>| x * x, &x()), "grad", "[3]", "sum");
    assert_panics!(value_and_grad(|x: &Var<f64>| x * x, &x()), "grad", "[3]");
    assert_panics!(hvp(|x: &Var<f64>| x * x, &x(), &x()), "hvp", "[3]");
    assert_panics!(hessian(|x: &Var<f64>| x * x, &x()), "[3]");
    assert_panics!(grad(|x: &Var<f64>| x.slice(..0), &x()), "grad", "[0]");
    let tape = Tape::new();
    let v = tape.var(x().into_value());
    assert_panics!(tape.recorded_gradients(&(&v * &v), &[&v]), "recorded_gradients", "[3]");
    assert_panics!(tape.gradients(&v, &[&v]), "gradients", "[3]");
}

#[test]
fn directions_of_other_shapes() {
    let wrong = Var::from([1.0, 2.0]);
    let (_, pullback) = vjp(|x: &Var<f64>| x * x, &x());
    assert_panics!(pullback.apply(&wrong), "pull_back", "[2]", "[3]");
    assert_panics!(jvp(|x: &Var<f64>| x * x, &x(), &wrong), "push_forward", "[2]", "[3]");
    let (_, linearized) = linearize(|x: &Var<f64>| x * x, &x());
    assert_panics!(linearized.apply(&wrong), "push_forward", "[2]", "[3]");
    assert_panics!(linearized.apply(&vec![x(), x()]), "push_forward", "1 variables but 2 tangents");
    let operator = HessianOperator::new(|x: &Var<f64>| x.square().sum(), &x());
    assert_panics!(operator.apply(&wrong), "push_forward", "[2]", "[3]");
    assert_panics!(hvp(|x: &Var<f64>| x.sum(), &x(), &wrong), "push_forward", "[2]", "[3]");
}

#[test]
fn variables_of_another_tape() {
    let (tape, another) = (Tape::new(), Tape::new());
    let (v, w) = (tape.var(x().into_value()), another.var(x().into_value()));
    let y = v.square();
    assert_panics!(tape.pull_back(&y, x(), &[&w], Mode::Retain), "pull_back", "[3]", "not on this tape");
    assert_panics!(tape.push_forward(&[&y], &[&w], &[x()]), "push_forward", "not on this tape");
    assert_panics!(tape.recorded_gradients(&y.sum(), &[&x()]), "not on this tape");
}

#[test]
fn a_checkpoint_that_captures() {
    let outer = Tape::new();
    let captured = outer.var(x().into_value());
    let inner = captured.clone();
    let product = move |v: &[Var<f64>]| &v[0] * &inner;
    assert_panics!(checkpoint(product, &[&captured]), "checkpoint", "captures", "input");
}
