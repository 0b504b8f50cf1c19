//! Misuse of elementwise functions and of random numbers.

use super::x;
use crate::panics::caught;
use wengert_tape::{Index, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

#[test]
fn orders_of_derivatives() {
    assert_panics!(x().polygamma(101), "polygamma", "101", "100");
    assert_eq!(x().polygamma(100).len(), 3);
}

#[test]
fn shapes_that_do_not_broadcast() {
    let b = Var::<f64>::ones([2]);
    assert_panics!(x().atan2(&b), "atan2", "[3]", "[2]", "broadcast");
    assert_panics!(x().hypot(&b), "hypot", "[3]", "[2]");
    assert_panics!(x().pow(&b), "pow", "[3]", "[2]");
    assert_panics!(x().ldexp(&b), "ldexp", "[3]", "[2]");
    assert_panics!(x().logaddexp(&b), "logaddexp", "[3]", "[2]");
    assert_panics!(x().logaddexp2(&b), "logaddexp2", "[3]", "[2]");
    assert_panics!(x().xlogy(&b), "xlogy", "[3]", "[2]");
    assert_panics!(x().xlog1py(&b), "xlog1py", "[3]", "[2]");
    assert_panics!(x().fmod(&b), "fmod", "[3]", "[2]");
    assert_panics!(x().remainder(&b), "remainder", "[3]", "[2]");
    assert_panics!(x().floor_divide(&b), "floor_divide", "[3]", "[2]");
    assert_panics!(x().copysign(&b), "copysign", "[3]", "[2]");
    assert_panics!(x().heaviside(&b), "heaviside", "[3]", "[2]");
    assert_panics!(x().fmax(&b), "fmax", "[3]", "[2]");
    assert_panics!(x().fmin(&b), "fmin", "[3]", "[2]");
    assert_panics!(x().is_close(&b, 0.0, 0.0), "is_close", "[3]", "[2]");
    assert_panics!(x().lerp(&b, 0.5), "lerp", "[3]", "[2]");
    assert_panics!(x().lerp(&x(), &b), "lerp", "[3]", "[2]");
    assert_panics!(x().clamp_to(&b, &x()), "clamp_to", "[3]", "[2]");
    assert_panics!(x().clamp_to(&x(), &b), "clamp_to", "[3]", "[2]");
}

#[test]
fn random_numbers() {
    let key = Index::key(&Generator::seeded(0));
    let single: Index<f32> = Index::key(&Generator::seeded(0));
    let short = Index::constant(Tensor::vector(&[1u32, 2]));
    let v = |numbers: [f64; 2]| Var::from(numbers);
    assert_panics!(Var::uniform([2], 2.0, 1.0, &key), "uniform", "[2, 1)");
    assert_panics!(Var::uniform([2], 0.0, 1e300, &single), "uniform", "f32");
    assert_panics!(Var::uniform([2], 0.0, 1.0, &short), "uniform", "six words", "[2]");
    assert_panics!(Var::normal([2], 0.0, -1.0, &key), "normal", "-1");
    assert_panics!(Var::normal([2], f64::NAN, 1.0, &key), "normal", "NaN");
    assert_panics!(Var::exponential([2], 0.0, &key), "exponential", "rate 0");
    assert_panics!(Var::gumbel([2], &short), "gumbel", "six words");
    assert_panics!(Var::gumbel([usize::MAX, 3], &key), "gumbel");
    assert_panics!(v([0.5, 1.5]).bernoulli(&key), "bernoulli", "1.5");
    assert_panics!(v([0.5, f64::NAN]).bernoulli(&key), "bernoulli", "NaN");
    assert_panics!(v([0.5, -1.0]).poisson(&key), "poisson", "-1");
    assert_panics!(v([0.5, f64::INFINITY]).poisson(&key), "poisson", "inf");
    assert_panics!(v([0.5, f64::NAN]).categorical(&key), "categorical", "NaN");
    assert_panics!(v([f64::NEG_INFINITY; 2]).categorical(&key), "categorical", "row 0");
    assert_panics!(Var::scalar(1.0).categorical(&key), "categorical", "[]");
    assert_panics!(Var::<f64>::ones([2, 0]).categorical(&key), "categorical", "[2, 0]");
    assert_panics!(v([1.0, -1.0]).multinomial(1, true, &key), "multinomial", "-1");
    assert_panics!(v([0.0, 0.0]).multinomial(1, true, &key), "multinomial", "0 positive");
    assert_panics!(v([1.0, 0.0]).multinomial(2, false, &key), "multinomial", "1 positive", "2 are needed");
    assert_panics!(v([1.0, 2.0]).multinomial(1, true, &short), "multinomial", "six words");
    assert_panics!(x().gumbel_softmax(0.0, false, 0, &key), "gumbel_softmax", "temperature 0");
    assert_panics!(x().gumbel_softmax(1.0, false, 1, &key), "gumbel_softmax", "1", "[3]");
    assert_panics!(Index::<f64>::permutation(3, &short), "permutation", "six words");
}
