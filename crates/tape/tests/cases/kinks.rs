//! Where there is no derivative, the one that is documented; in both modes.

use super::at;
use wengert_tape::{Var, grad, hessian, jacobian_forward, jvp};
use wengert_tensor::Tensor;

/// The gradient of the sum of `f` by both modes.
fn slopes(f: impl Fn(&Var<f64>) -> Var<f64> + Copy, x: &Var<f64>) -> Vec<f64> {
    let total = |x: &Var<f64>| f(x).sum();
    let reverse = grad(total, x).value().to_vec();
    let forward = jacobian_forward(total, x).value().to_vec();
    assert_eq!(forward, reverse, "the two modes differ");
    reverse
}

#[test]
fn functions_of_one_variable() {
    let zero = at([0.0, -0.0]);
    assert_eq!(slopes(|x| x.relu(), &zero), [0.0; 2]);
    assert_eq!(slopes(|x| x.abs(), &zero), [0.0; 2]);
    assert_eq!(slopes(|x| x.sign(), &zero), [0.0; 2]);
    assert_eq!(slopes(|x| x.clamp(-1.0, 2.0), &at([-1.0, 2.0, 0.0, -1.5, 2.5])), [1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(slopes(|x| x.clamp(1.0, 1.0), &at([1.0, 0.0, 2.0])), [1.0, 0.0, 0.0]);
    assert_eq!(slopes(|x| x.sqrt(), &at([0.0])), [f64::INFINITY]);
    assert_eq!(slopes(|x| x.powf(0.5), &at([0.0])), [f64::INFINITY]);
    assert_eq!(slopes(|x| x.powf(1.0), &at([0.0])), [1.0]);
    assert_eq!(slopes(|x| x.powf(0.0), &at([0.0])), [0.0]);
    assert_eq!(slopes(|x| x.powi(0), &at([0.0])), [0.0]);
    assert_eq!(slopes(|x| x.powi(1), &at([0.0])), [1.0]);
}

/// The derivatives of low powers at 0, of every order, are numbers.
#[test]
fn powers_at_zero() {
    let second = |f: fn(&Var<f64>) -> Var<f64>| hessian(|x: &Var<f64>| f(x).sum(), &at([0.0])).item();
    assert_eq!(second(|x| x.powf(2.0)), 2.0);
    assert_eq!(second(|x| x.powf(1.0)), 0.0);
    assert_eq!(second(|x| x.powi(3)), 0.0);
    let third = grad(|x: &Var<f64>| hessian(|x: &Var<f64>| x.powf(2.0).sum(), x).sum(), &at([0.0]));
    assert_eq!(third.item(), 0.0);
}

#[test]
fn equal_extremes_share_evenly() {
    let x = at([[2.0, 5.0, 5.0], [5.0, 1.0, 1.0]]);
    let third = 1.0 / 3.0;
    assert_eq!(slopes(|x| x.max(), &x), [0.0, third, third, third, 0.0, 0.0]);
    assert_eq!(slopes(|x| x.max_axes(1, false), &x), [0.0, 0.5, 0.5, 1.0, 0.0, 0.0]);
    assert_eq!(slopes(|x| x.max_axes(0, true), &x), [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(slopes(|x| x.min(), &x), [0.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
    assert_eq!(slopes(|x| x.min_axes(0, false), &x), [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(slopes(|x| x.max(), &at([f64::NEG_INFINITY; 2])), [0.5; 2]);
    assert_eq!(slopes(|x| x.max(), &at([1.0, f64::NAN])), [0.0, 1.0]);
}

#[test]
fn equal_operands_get_half_each() {
    let (a, b) = (at([1.0, 2.0, 3.0]), at([1.0, 3.0, 2.0]));
    for f in [|a: &Var<f64>, b: &Var<f64>| a.maximum(b), |a: &Var<f64>, b: &Var<f64>| -(-a).minimum(&-b)] {
        assert_eq!(slopes(|x| f(x, &b), &a), [0.5, 0.0, 1.0]);
        assert_eq!(slopes(|x| f(&a, x), &b), [0.5, 1.0, 0.0]);
        assert_eq!(slopes(|x| f(x, x), &a), [1.0; 3]);
    }
}

#[test]
fn norms_at_zero() {
    let zero = at([0.0, 0.0, 0.0]);
    for p in [1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
        assert_eq!(slopes(|x| x.norm(p), &zero), [0.0; 3], "p = {p}");
    }
    // One row at 0 does not disturb the other.
    let rows = at([[0.0, 0.0], [3.0, -4.0]]);
    assert_eq!(slopes(|x| x.norm_axes(2.0, 1, false), &rows), [0.0, 0.0, 0.6, -0.8]);
    let curved = hessian(|x: &Var<f64>| x.norm_axes(2.0, 1, false).sum(), &rows);
    assert!(curved.value().to_vec().iter().all(|h| h.is_finite()), "{curved}");
    // ‖x‖² has no kink.
    assert_eq!(slopes(|x| x.norm(2.0).square(), &zero), [0.0; 3]);
}

#[test]
fn the_deviation_of_equal_elements() {
    let equal = at([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]]);
    let total = |x: &Var<f64>| x.std_axes(1, 1, false).sum();
    for found in [grad(total, &equal), jacobian_forward(total, &equal)] {
        let expected = Tensor::from([[0.0, 0.0, 0.0], [-0.5, 0.0, 0.5]]);
        assert!(found.value().all_close(&expected, 1e-15, 0.0), "{found}");
    }
}

/// What is not taken does not matter, not even if it is NaN or infinite.
#[test]
fn nan_in_the_branch_not_taken() {
    let mask = Tensor::from([true, false]);
    let x = at([4.0, -1.0]);
    let chosen = |x: &Var<f64>| Var::select_where(&mask, x, &Var::scalar(f64::NAN)).slice(..1);
    assert_eq!(slopes(chosen, &x), [1.0, 0.0]);
    // The logarithm of −1 is NaN, its slope there is not, and the cotangent that meets it is 0.
    let logarithm = |x: &Var<f64>| Var::select_where(&mask, &x.ln(), &(x * 2.0));
    assert_eq!(slopes(logarithm, &x), [0.25, 2.0]);
    // The usual remedy for a function that is singular where it is not taken.
    let safe = |x: &Var<f64>| {
        let inside = Var::select_where(&mask, x, &Var::scalar(1.0));
        Var::select_where(&mask, &inside.sqrt(), &Var::scalar(0.0))
    };
    assert_eq!(slopes(safe, &x), [0.25, 0.0]);
    let curvature = hessian(|x: &Var<f64>| safe(x).sum(), &x).value().to_vec();
    assert_eq!(curvature, [-1.0 / 32.0, 0.0, 0.0, 0.0]);
    // A tangent that is NaN is not taken either.
    let (_, tangent) = jvp(|x: &Var<f64>| x.masked_fill(&mask, 0.0), &x, &at([f64::NAN, 3.0]));
    assert_eq!(tangent.value().to_vec(), [0.0, 3.0]);
}
