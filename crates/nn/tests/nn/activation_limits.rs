//! Activations at the ends of the range: their limits, and not the NaN of a product on the way.

#[path = "../../../tape/tests/cases/limits/check.rs"]
mod check;

use std::f64::consts::LN_2;

use check::{Limits, check_limits, limits};
use wengert_nn::Activations;
use wengert_tape::{Var, grad, jvp};

/// What is not to be checked.
const NONE: f64 = f64::NAN;

#[rustfmt::skip]
#[test]
fn activations_at_the_ends_of_the_range() {
    check_limits(&[
        limits!("silu", |x| x.silu(), |_| [0.0; 3], |x| [0.5 * x, 0.5, 0.5], |x| [x, 1.0, 0.0]),
        limits!("swish", |x| x.swish(2.0), |_| [0.0; 3], |x| [0.5 * x, 0.5, 1.0], |x| [x, 1.0, 0.0]),
        limits!("swish of a negative factor", |x| x.swish(-2.0), |x| [x, 1.0, 0.0], |x| [0.5 * x, 0.5, -1.0], |_| [0.0; 3]),
        limits!("mish", |x| x.mish(), |_| [0.0; 3], |x| [0.6 * x, 0.6, 0.64], |x| [x, 1.0, 0.0]),
        limits!("gelu_tanh", |x| x.gelu_tanh(), |_| [0.0; 3], |x| [0.5 * x, 0.5, NONE], |x| [x, 1.0, 0.0]),
        limits!("elu", |x| x.elu(1.5), |_| [-1.5, 0.0, 0.0], |x| [if x > 0.0 { 1.0 } else { 1.5 } * x, NONE, NONE], |x| [x, 1.0, 0.0]),
        limits!("celu", |x| x.celu(2.0), |_| [-2.0, 0.0, 0.0], |x| [x, 1.0, NONE], |x| [x, 1.0, 0.0]),
        limits!("selu", |x| x.selu(), |_| [-1.758_099_340_847_377, 0.0, 0.0], |x| [if x > 0.0 { 1.050_700_987_355_480_5 } else { 1.758_099_340_847_377 } * x, NONE, NONE], |x| [1.050_700_987_355_480_5 * x, 1.050_700_987_355_480_5, 0.0]),
        limits!("softsign", |x| x.softsign(), |x| [-1.0, 1.0 / x / x, 0.0], |x| [x, 1.0, NONE], |x| [1.0, 1.0 / x / x, 0.0]),
        limits!("tanhshrink", |x| x.tanhshrink(), |x| [x, 1.0, 0.0], |x| [0.0, 0.0, 2.0 * x], |x| [x, 1.0, 0.0]),
        limits!("hardswish", |x| x.hardswish(), |_| [0.0; 3], |x| [0.5 * x, 0.5, 1.0 / 3.0], |x| [x, 1.0, 0.0]),
        limits!("hardsigmoid", |x| x.hardsigmoid(), |_| [0.0; 3], |_| [0.5, 1.0 / 6.0, 0.0], |_| [1.0, 0.0, 0.0]),
        limits!("hardtanh", |x| x.hardtanh(-1.0, 1.0), |_| [-1.0, 0.0, 0.0], |x| [x, 1.0, 0.0], |_| [1.0, 0.0, 0.0]),
        limits!("squared_relu", |x| x.squared_relu(), |_| [0.0; 3], |x| [0.0, 2.0 * x.max(0.0), NONE], |x| [x * x, 2.0 * x, 2.0]),
        limits!("leaky_relu", |x| x.leaky_relu(0.5), |x| [0.5 * x, 0.5, 0.0], |_| [0.0, NONE, 0.0], |x| [x, 1.0, 0.0]),
        limits!("hardshrink", |x| x.hardshrink(0.5), |x| [x, 1.0, 0.0], |_| [0.0; 3], |x| [x, 1.0, 0.0]),
        limits!("softshrink", |x| x.softshrink(0.5), |x| [x + 0.5, 1.0, 0.0], |_| [0.0; 3], |x| [x - 0.5, 1.0, 0.0]),
        limits!("log_sigmoid", |x| Activations::log_sigmoid(x), |x| [x, 1.0, 0.0], |_| [-LN_2, 0.5, -0.25], |_| [0.0; 3]),
    ]);
}

/// (1 + tanh u)/2 has no digits left where it is small. Numbers of 50 digits, rounded.
#[test]
fn gelu_tanh_keeps_its_digits_in_the_lower_tail() {
    let x = Var::from([-3.0f64, -4.0, -5.0]);
    let exact = [-0.0036373920817730188, -7.024594819237269e-5, -2.291796196629506e-7];
    for ((y, exact), single) in x
        .gelu_tanh()
        .value()
        .iter()
        .zip(exact)
        .zip(Var::from([-3.0f32, -4.0, -5.0]).gelu_tanh().value().iter())
    {
        assert!((y - exact).abs() < 1e-14 * exact.abs(), "{y} instead of {exact}");
        assert!((f64::from(single) - exact).abs() < 3e-6 * exact.abs(), "{single} instead of {exact}");
    }
}

/// The difference of x and tanh x has no digits near 0. Numbers of 50 digits, rounded.
#[test]
fn tanhshrink_keeps_its_digits_near_zero() {
    let exact = [
        (1e-8f64, 3.333_333_333_333_333_5e-25f64),
        (1e-3, 3.333_332_000_000_54e-10),
        (0.0625, 8.125_325_248_748_551e-5),
        (0.5, 0.037_882_842_739_990_24),
        (0.624, 0.070_093_080_796_085_45),
        (0.626, 0.070_708_242_535_808_61),
        (1.0, 0.238_405_844_044_235_12),
    ];
    for (x, exact) in exact.iter().flat_map(|&(x, y)| [(x, y), (-x, -y)]) {
        let y = Var::scalar(x).tanhshrink().item();
        assert!((y - exact).abs() <= 4e-15 * exact.abs(), "{y} instead of {exact} at {x}");
    }
    for (x, exact) in
        [(1e-4f32, 3.333_333_2e-13f32), (0.0625, 8.125_325e-5), (0.5, 0.037_882_843), (1.0, 0.238_405_84)]
    {
        let y = Var::scalar(x).tanhshrink().item();
        assert!((y - exact).abs() <= 2e-6 * exact, "{y} instead of {exact} at {x}");
    }
}

/// A slope that is not taken may be infinite.
#[test]
fn prelu_with_an_infinite_slope() {
    let (x, slope) = (Var::from([0.5f64, f64::INFINITY]), Var::scalar(f64::NEG_INFINITY));
    let f = |x: &Var<f64>| x.prelu(&slope);
    assert_eq!(f(&x).value().to_vec(), [0.5, f64::INFINITY]);
    assert_eq!(grad(|x: &Var<f64>| f(x).sum(), &x).value().to_vec(), [1.0, 1.0]);
    assert_eq!(jvp(f, &x, &Var::from([1.0, 3.0])).1.value().to_vec(), [1.0, 3.0]);
    assert_eq!(grad(|slope: &Var<f64>| x.prelu(slope).sum(), &slope).item(), 0.0);
}
