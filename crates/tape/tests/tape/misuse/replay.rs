use wengert_tape::{Feed, Tape, Var, compile};
use wengert_tensor::Tensor;

use crate::panics::caught;

#[test]
fn programs_of_what_was_not_entered() {
    let tape = Tape::<f64>::complete();
    let (x, y) = (tape.var([1.0]), tape.var([2.0]));
    let sum = &x + &y;
    let elsewhere = Tape::complete().var([1.0]);
    let ordinary = Tape::new();
    let z = ordinary.var([1.0]);
    assert_panics!(tape.compile(&[&x], &[&sum]), "compile: ", "step 1, is needed and not among the inputs");
    assert_panics!(tape.compile(&[&x, &sum], &[&sum]), "compile: input 1 was not entered on this tape");
    assert_panics!(tape.compile(&[&elsewhere], &[&sum]), "compile: input 0 was not entered on this tape");
    assert_panics!(ordinary.compile(&[&z], &[&z]), "compile: not a complete tape");
    let program = tape.compile(&[&x], &[&x.exp()]);
    assert_panics!(program.needs(1), "needs: there is no input 1 of 1");
}

#[test]
fn operations_that_fail_in_a_replay() {
    let tape = Tape::<f64>::complete();
    let (x, order) = (tape.var([1.0, 2.0]), tape.discrete(Tensor::from([0u32, 1])));
    let mut program = tape.compile(&[&x, &order], &[&x.gather(0, &order)]);
    let (x, wrong) = (Tensor::from([1.0, 2.0]), Tensor::from([0u32, 2]));
    let feeds = [Feed::from(&x), Feed::from(&wrong)];
    assert_panics!(program.run(&feeds).map(<[_]>::len), "gather: ", "2");
    let mut inverse = compile(|a: &Var<f64>| a.inv().unwrap());
    inverse.call(&Var::constant(Tensor::eye(2)));
    assert_panics!(inverse.call(&Var::ones([2, 2])), "singular");
}
