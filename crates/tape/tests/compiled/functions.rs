//! Functions that record themselves.

use std::cell::Cell;

use wengert_tape::{Index, Mask, Mismatch, Ran, Reason, Tape, Var, compile, grad, hvp, value_and_grad};
use wengert_tensor::Tensor;

#[test]
fn a_call_is_recorded_once_for_its_shapes() {
    let calls = Cell::new(0);
    let mut f = compile(|(x, index): &(Var<f64>, Index<f64>)| {
        calls.set(calls.get() + 1);
        x.exp().gather(0, index)
    });
    let at = |numbers: &[f64], places: &[u32]| -> (Var<f64>, Index<f64>) {
        (Var::from(Tensor::vector(numbers)), Index::from(Tensor::vector(places)))
    };
    for (count, numbers) in [[1.0, 2.0], [3.0, 0.0], [5.0, 1.0]].into_iter().enumerate() {
        let found = f.call(&at(&numbers, &[1, 1])).value().to_vec();
        assert_eq!(found, [Tensor::scalar(numbers[1]).exp().item(); 2]);
        assert_eq!(f.ran() == &Ran::Replayed, count > 0);
    }
    assert_eq!(calls.get(), 1);
    // Another shape, and back.
    assert_eq!(f.call(&at(&[0.0; 3], &[1, 2])).value().to_vec(), [1.0; 2]);
    let shape = Mismatch::Shape { input: 0, recorded: [2].into(), given: [3].into() };
    assert_eq!((f.ran(), calls.get()), (&Ran::Recorded(Some(shape)), 2));
    f.call(&at(&[0.0; 2], &[1, 0]));
    f.call(&at(&[0.0; 3], &[1, 0]));
    assert_eq!((f.ran(), calls.get()), (&Ran::Replayed, 2));
}

#[test]
fn too_many_shapes_are_computed_directly() {
    let mut f = compile(|x: &Var<f64>| x * 2.0);
    for length in 1..=10 {
        assert_eq!(f.call(&Var::ones([length])).value().to_vec(), vec![2.0; length]);
        match f.ran() {
            Ran::Recorded(_) => assert!(length <= 8),
            Ran::Directly(Reason::TooManyShapes(Mismatch::Shape { input: 0, .. })) => assert!(length > 8),
            other => panic!("{other:?}"),
        }
    }
    let Ran::Directly(reason) = f.ran() else { panic!() };
    assert!(reason.to_string().contains("recorded with shape [8], this one has shape [10]"), "{reason}");
}

#[test]
fn what_is_differentiated_is_recorded_there() {
    let tape = Tape::new();
    let captured = tape.var([3.0f64]);
    let mut f = compile(|x: &Var<f64>| x * &captured);
    // Not even the first call loses where the captured variable comes from.
    let y = f.call(&Var::from([2.0]));
    assert_eq!(f.ran(), &Ran::Directly(Reason::IsRecorded));
    assert_eq!(tape.gradients(&y, &[&captured])[0].item(), 2.0);
    let mut f = compile(|x: &Var<f64>| x.powi(3));
    f.call(&Var::from([2.0]));
    let tape = Tape::new();
    let x = tape.var([2.0]);
    let y = f.call(&x);
    assert_eq!(f.ran(), &Ran::Directly(Reason::IsRecorded));
    assert_eq!(tape.gradients(&y, &[&x])[0].item(), 12.0);
}

#[test]
fn derivatives_and_structures() {
    type Arguments = (Vec<Var<f64>>, [Mask<f64>; 1]);
    let f = |(v, [mask]): &Arguments| {
        let loss = |x: &Var<f64>| x.masked_fill(mask, 0.0).powi(3).sum();
        (grad(loss, &v[0]), vec![hvp(loss, &v[0], &v[1])])
    };
    let mut compiled = compile(f);
    let at = |x: [f64; 2], v: [f64; 2], mask: [bool; 2]| -> Arguments {
        (vec![Var::from(x), Var::from(v)], [Mask::from(Tensor::from(mask))])
    };
    for inputs in [at([1.0, 2.0], [1.0, 0.0], [false, true]), at([3.0, -1.0], [1.0, 2.0], [true, false])] {
        let (slope, product) = compiled.call(&inputs);
        let (direct, direct_product) = f(&inputs);
        assert!(!slope.is_tracked());
        assert_eq!(slope.value(), direct.value());
        assert_eq!(product[0].value(), direct_product[0].value());
    }
    assert_eq!(compiled.ran(), &Ran::Replayed);
}

#[test]
fn least_squares_find_the_order_of_rows_anew() {
    let numbers = |shape: [usize; 2], factors: &[f64]| {
        let number = |i: &[usize]| ((7 * i[0] + 3 * i[1] + 2 * i[0] * i[1]) % 11) as f64 - 4.2;
        Var::constant(Tensor::<f64>::from_fn(shape, |i| number(i) * factors[i[0] % factors.len()]))
    };
    for [m, n] in [[6, 3], [3, 6], [4, 4]] {
        let slope = |(a, b): &(Var<f64>, Var<f64>)| {
            value_and_grad(|a: &Var<f64>| a.lstsq(b).unwrap().square().sum(), a)
        };
        let mut recorded = compile(slope);
        let b = numbers([m, 2], &[1.0]);
        for factors in [&[1.0, 1.1][..], &[1.0, 1e9], &[1e-7, 1e7, 1.0], &[1e-60, 1.0], &[1.0]] {
            let at = (numbers([m, n], factors), b.clone());
            let (direct, replayed) = (slope(&at), recorded.call(&at));
            assert_eq!(replayed.0.value(), direct.0.value(), "{m} × {n}, {factors:?}");
            assert_eq!(replayed.1.value(), direct.1.value(), "{m} × {n}, {factors:?}");
        }
        assert_eq!(recorded.ran(), &Ran::Replayed);
    }
}
