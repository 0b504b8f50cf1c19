//! Derivatives of products whose operands are rounded to bfloat16.

use wengert_tape::{Ran, Var, compile, grad, hvp};
use wengert_tensor::Tensor;
use wengert_tensor::gemm::{with_bf16_products, with_full_products};
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

fn loss(x: &Var<f32>, weight: &Var<f32>) -> Var<f32> {
    x.matmul(weight).tanh().matmul(&weight.t()).square().mean()
}

#[test]
fn of_first_and_second_order_are_near_those_of_full_precision() {
    let mut rng = Generator::seeded(5);
    let x = Var::constant(Tensor::normal([48, 40], 0.0, 1.0, &mut rng));
    let weight = Var::constant(Tensor::normal([40, 64], 0.0, 0.2, &mut rng));
    let along = Var::constant(Tensor::normal([40, 64], 0.0, 1.0, &mut rng));
    let f = |w: &Var<f32>| loss(&x, w);
    for (full, rounded) in [
        (grad(f, &weight), with_bf16_products(|| grad(f, &weight))),
        (hvp(f, &weight, &along), with_bf16_products(|| hvp(f, &weight, &along))),
    ] {
        let error = (&full - &rounded).square().sum().sqrt() / full.square().sum().sqrt();
        assert!(error.item() < 0.02 && error.item() > 0.0, "{error:?}");
    }
}

/// A recording is run as it is asked for: what is rounded is no part of it.
#[test]
fn of_recordings_have_the_bits_of_what_is_recorded_anew() {
    let mut rng = Generator::seeded(6);
    let mut tensor = |shape| Tensor::<f32>::normal(shape, 0.0, 0.3, &mut rng);
    let (x, weight) = (tensor([32, 24]), tensor([24, 48]));
    let (x, weight) = (Var::constant(x), Var::constant(weight));
    let slope = |(x, weight): &(Var<f32>, Var<f32>)| grad(|w: &Var<f32>| loss(x, w), weight);
    let inputs = (x, weight);
    let (full, rounded) = (slope(&inputs), with_bf16_products(|| slope(&inputs)));
    assert_ne!(full.value(), rounded.value());
    let mut recorded = compile(slope);
    assert_eq!(recorded.call(&inputs).value(), full.value());
    assert_eq!(with_bf16_products(|| recorded.call(&inputs)).value(), rounded.value());
    assert_eq!(*recorded.ran(), Ran::Replayed);
    assert_eq!(recorded.call(&inputs).value(), full.value());
}

/// Linear algebra is full precision, also what its rules multiply, on any number of threads and in a replay.
#[test]
fn decompositions_and_solutions_are_not_rounded() {
    let mut rng = Generator::seeded(7);
    let a = Var::constant(Tensor::<f32>::normal([2, 40, 24], 0.0, 1.0, &mut rng));
    let b = Var::constant(Tensor::<f32>::normal([2, 40, 20], 0.0, 1.0, &mut rng));
    type Function = fn(&Var<f32>, &Var<f32>) -> Var<f32>;
    let functions: [(&str, Function); 8] = [
        ("qr", |a, _| a.qr().unwrap().1),
        ("pinv", |a, _| a.pinv(None).unwrap()),
        ("lstsq", |a, b| a.lstsq(b).unwrap()),
        ("svd", |a, _| a.svd().unwrap().u),
        ("solve", |a, b| a.slice_axis(1, ..24).solve(&b.slice_axis(1, ..24)).unwrap()),
        ("eigh", |a, b| (a.slice_axis(1, ..24) + b.mean()).eigvalsh().unwrap()),
        ("cholesky", |a, _| {
            let x = a.slice_axis(1, ..24);
            (x.square() + x.t().square() + 90.0 * Var::constant(Tensor::eye(24))).cholesky().unwrap()
        }),
        ("matrix_power", |a, _| (0.1 * a.slice_axis(1, ..24)).matrix_power(5).unwrap()),
    ];
    for (name, f) in functions {
        let slope = |(a, b): &(Var<f32>, Var<f32>)| {
            let slope = grad(|a: &Var<f32>| f(a, b).square().sum(), a);
            Var::cat(&[&f(a, b).reshape([-1]), &slope.reshape([-1])], 0)
        };
        let inputs = (a.clone(), b.clone());
        let full = slope(&inputs);
        let mut recorded = compile(slope);
        let first = with_bf16_products(|| recorded.call(&inputs));
        let again = with_bf16_products(|| recorded.call(&inputs));
        assert_eq!((first.value(), again.value()), (full.value(), full.value()), "{name}");
        for threads in [1, 2, 3] {
            let found = with_threads(threads, || with_bf16_products(|| slope(&inputs)));
            assert_eq!(found.value(), full.value(), "{name} on {threads} threads");
        }
    }
}

#[test]
fn what_is_exempt_is_not_rounded() {
    let mut rng = Generator::seeded(8);
    let a = Var::constant(Tensor::<f32>::normal([32, 32], 0.0, 1.0, &mut rng));
    let full = a.matmul(&a);
    with_bf16_products(|| {
        assert_ne!(a.matmul(&a).value(), full.value());
        assert_eq!(with_full_products(|| a.matmul(&a)).value(), full.value());
        assert_ne!(a.matmul(&a).value(), full.value());
    });
}
