//! Operators in every mix of operands, and how variables print.

use wengert_tape::{Tape, Var};
use wengert_tensor::Tensor;

/// All mixes of what may stand beside a variable, by one operator and by the one that assigns.
macro_rules! mixes {
    ($op:tt, $assign:tt, $of:expr) => {{
        let (x, y) = (Var::from([6.0f32, -3.0]), Tensor::from([4.0f32, 0.5]));
        let v = Var::from(y.clone());
        let expected = |a: &[f32], b: &[f32]| -> Vec<f32> {
            let f: fn(f32, f32) -> f32 = $of;
            a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
        };
        let with = expected(&[6.0, -3.0], &[4.0, 0.5]);
        let right = [&x $op &v, &x $op v.clone(), x.clone() $op &v, x.clone() $op v.clone(), &x $op &y, &x $op y.clone()];
        for z in right.into_iter().chain([x.clone() $op &y, x.clone() $op y.clone()]) {
            assert_eq!(z.value().to_vec(), with);
        }
        let with = expected(&[4.0, 0.5], &[6.0, -3.0]);
        for z in [&y $op &x, &y $op x.clone(), y.clone() $op &x, y.clone() $op x.clone()] {
            assert_eq!(z.value().to_vec(), with);
        }
        let with = expected(&[6.0, -3.0], &[2.0, 2.0]);
        let (single, double) = (2.0f32, 2.0f64);
        for z in [&x $op single, x.clone() $op single, &x $op double, &x $op 2, x.clone() $op 2] {
            assert_eq!(z.value().to_vec(), with);
        }
        let with = expected(&[2.0, 2.0], &[6.0, -3.0]);
        for z in [double $op &x, double $op x.clone(), 2 $op &x, 2 $op x.clone()] {
            assert_eq!(z.value().to_vec(), with);
        }
        let mut z = x.clone();
        z $assign &v;
        z $assign y.clone();
        z $assign single;
        z $assign 2;
        z $assign 2.0;
        let twice = &x $op &v $op &v $op 2.0 $op 2.0 $op 2.0;
        assert_eq!(z.value(), twice.value());
        assert_eq!(x.value().to_vec(), [6.0, -3.0]);
        // The type of the result is known before that of the literal.
        assert_eq!((&x $op 2.0).sum().shape(), &[]);
        assert_eq!((2.0 $op &x).sum().shape(), &[]);
        assert_eq!((2 $op &x $op 1).sum().shape(), &[]);
    }};
}

#[test]
fn every_mix_of_operands() {
    mixes!(+, +=, |a, b| a + b);
    mixes!(-, -=, |a, b| a - b);
    mixes!(*, *=, |a, b| a * b);
    mixes!(/, /=, |a, b| a / b);
}

#[test]
fn sums_over_iterators() {
    let parts = vec![Var::from([1.0f64, 2.0]), Var::from([10.0, 20.0]), Var::scalar(0.5)];
    let total: Var<f64> = parts.iter().sum();
    assert_eq!(total.value().to_vec(), [11.5, 22.5]);
    assert_eq!(parts[0].value().to_vec(), [1.0, 2.0]);
    assert_eq!(parts.into_iter().sum::<Var<f64>>().value(), total.value());
    let nothing: Var = std::iter::empty::<Var>().sum();
    assert_eq!((nothing.item(), nothing.rank()), (0.0, 0));
    let tape = Tape::new();
    let x = tape.var([3.0f64]);
    let y: Var<f64> = (1..4).map(|n| x.powi(n)).sum();
    assert_eq!(tape.gradients(&y, &[&x])[0].item(), 1.0 + 6.0 + 27.0);
}

#[test]
fn variables_print_as_their_tensors_do() {
    let tensor = Tensor::from([[1.0f32, 2.0]]);
    let tape = Tape::new();
    for x in [Var::from(tensor.clone()), tape.var(tensor.clone())] {
        assert_eq!((x.to_string(), format!("{x:.2}")), (tensor.to_string(), format!("{tensor:.2}")));
    }
    assert_eq!(Var::from(tensor.clone()).to_string(), "[[1., 2.]]");
    assert_eq!(format!("{:?}", Var::from(tensor.clone())), "Tensor([[1., 2.]], shape [1, 2], f32)");
    assert_eq!(format!("{:?}", tape.var(tensor.clone())), "tracked Tensor([[1., 2.]], shape [1, 2], f32)");
    // One that is computed only when it is read is computed for this.
    let doubled = tape.deferring(|| tape.var(tensor) * 2.0);
    assert_eq!(format!("{doubled:?}"), "tracked [1, 2] (not computed)");
    assert_eq!(doubled.to_string(), "[[2., 4.]]");
}

#[test]
fn a_detached_variable_is_a_constant() {
    let tape = Tape::new();
    let x = tape.var([3.0f64]);
    assert!(!x.detach().is_tracked());
    let y = &x * x.detach();
    assert_eq!(tape.gradients(&y, &[&x])[0].item(), 3.0);
}
