//! Misuse of elementwise functions.

use super::x;
use crate::panics::caught;
use wengert_tape::Var;

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
