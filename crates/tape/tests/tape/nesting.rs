//! Transforms inside transforms, without one's derivatives getting into the other's.

use wengert_tape::{Tape, Var, grad, hessian, hvp, jacobian_forward, jvp, vjp};

fn scalar(x: f64) -> Var<f64> {
    Var::scalar(x)
}

#[test]
fn perturbations_are_not_confused() {
    // d/dx [x · d/dy (x + y)] = 1.
    let inner = |x: &Var<f64>| grad(|y: &Var<f64>| x + y, &scalar(2.0));
    assert_eq!(grad(|x: &Var<f64>| x * inner(x), &scalar(1.0)).item(), 1.0);
    let forward = |x: &Var<f64>| jvp(|y: &Var<f64>| x + y, &scalar(2.0), &scalar(1.0)).1;
    assert_eq!(jvp(|x: &Var<f64>| x * forward(x), &scalar(1.0), &scalar(1.0)).1.item(), 1.0);
    assert_eq!(grad(|x: &Var<f64>| x * forward(x), &scalar(1.0)).item(), 1.0);
    assert_eq!(jvp(|x: &Var<f64>| x * inner(x), &scalar(1.0), &scalar(1.0)).1.item(), 1.0);
    // d/dx [x · d/dy (x·y)] = 2x.
    let product = |x: &Var<f64>| x * grad(|y: &Var<f64>| x * y, &scalar(5.0));
    assert_eq!(grad(product, &scalar(3.0)).item(), 6.0);
    // The same variable as the point of the inner derivative: d/dx [x · (d/dy y²)(x)] = 4x.
    let at_itself = |x: &Var<f64>| x * grad(|y: &Var<f64>| y * y, x);
    assert_eq!(grad(at_itself, &scalar(3.0)).item(), 12.0);
    // And captured besides: d/dx (d/dy x·y²)(x) = d/dx 2x² = 4x.
    let both = |x: &Var<f64>| grad(|y: &Var<f64>| x * y * y, x);
    assert_eq!(grad(both, &scalar(3.0)).item(), 12.0);
}

/// (Σx)⁴ / 24 + Σx⁴ / 24, whose derivatives are known.
fn quartic(x: &Var<f64>) -> Var<f64> {
    (x.sum().powi(4) + x.powi(4).sum()) / 24.0
}

/// The k-th derivative of [`quartic`] at `x`, contracted with `directions`, as the gradient of the rest: element i of
/// `s^(4−k)/(4−k)! · Π Σv + x_i^(4−k)/(4−k)! · Π v_i`.
fn contracted(x: &[f64], directions: &[&[f64]]) -> Vec<f64> {
    let k = directions.len() as i32 + 1;
    let factorial: f64 = (1..=4 - k).map(f64::from).product();
    let sums: f64 = directions.iter().map(|v| v.iter().sum::<f64>()).product();
    let total = x.iter().sum::<f64>().powi(4 - k) / factorial * sums;
    let own = |i: usize| x[i].powi(4 - k) / factorial * directions.iter().map(|v| v[i]).product::<f64>();
    (0..x.len()).map(|i| total + own(i)).collect()
}

fn assert_close(found: &Var<f64>, expected: &[f64]) {
    let found = found.value().to_vec();
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-13 * (1.0 + e.abs()), "{found:?} is not {expected:?}");
    }
}

const X: [f64; 3] = [0.5, -1.25, 2.0];
const V: [f64; 3] = [1.0, 2.0, -0.5];
const W: [f64; 3] = [-0.25, 0.75, 1.5];

#[test]
fn every_composition_of_two() {
    let (x, v) = (Var::from(X), Var::from(V));
    let expected = contracted(&X, &[&V]);
    assert_close(&hvp(quartic, &x, &v), &expected);
    assert_close(&jvp(|x: &Var<f64>| grad(quartic, x), &x, &v).1, &expected);
    assert_close(&grad(|x: &Var<f64>| jvp(quartic, x, &v).1, &x), &expected);
    assert_close(&grad(|x: &Var<f64>| (grad(quartic, x) * &v).sum(), &x), &expected);
    let twice = jvp(|x: &Var<f64>| jvp(quartic, x, &v).1, &x, &v).1.item();
    let vhv: f64 = expected.iter().zip(V).map(|(h, v)| h * v).sum();
    assert!((twice - vhv).abs() < 1e-13);
}

#[test]
fn every_composition_of_three() {
    let (x, v, w) = (Var::from(X), Var::from(V), Var::from(W));
    let expected = contracted(&X, &[&V, &W]);
    // Gradient of a Hessian–vector product.
    assert_close(&grad(|x: &Var<f64>| (hvp(quartic, x, &v) * &w).sum(), &x), &expected);
    // Forward over a Hessian–vector product.
    assert_close(&jvp(|x: &Var<f64>| hvp(quartic, x, &v), &x, &w).1, &expected);
    // Hessian–vector product of a directional derivative, and of a contracted gradient.
    assert_close(&hvp(|x: &Var<f64>| jvp(quartic, x, &v).1, &x, &w), &expected);
    assert_close(&hvp(|x: &Var<f64>| (grad(quartic, x) * &v).sum(), &x, &w), &expected);
    // Three gradients.
    let second = |x: &Var<f64>| grad(|x: &Var<f64>| (grad(quartic, x) * &v).sum(), x);
    assert_close(&grad(|x: &Var<f64>| (second(x) * &w).sum(), &x), &expected);
    // A Hessian inside a gradient, and a Jacobian of one.
    let curvature = |x: &Var<f64>| (hessian(quartic, x).matmul(&v) * &w).sum();
    assert_close(&grad(curvature, &x), &expected);
    let derivative = jacobian_forward(|x: &Var<f64>| hessian(quartic, x).matmul(&v), &x).matmul(&w);
    assert_close(&derivative, &expected);
}

#[test]
fn fourth_order() {
    let (x, v, w) = (Var::from(X), Var::from(V), Var::from(W));
    let third = |x: &Var<f64>| grad(|x: &Var<f64>| (hvp(quartic, x, &v) * &w).sum(), x);
    assert_close(&jvp(third, &x, &v).1, &contracted(&X, &[&V, &W, &V]));
}

/// Rules that read their saved output see it as a function of the point.
#[test]
fn saved_outputs_at_third_order() {
    let third = |f: fn(&Var<f64>) -> Var<f64>, x: f64| {
        let first = move |x: &Var<f64>| grad(|x: &Var<f64>| f(x), x);
        let second = move |x: &Var<f64>| grad(first, x);
        grad(second, &scalar(x)).item()
    };
    let x: f64 = 0.7;
    let t = x.tanh();
    // tanh''' = −2 (1 − t²) (1 − 3t²).
    let tanh = -2.0 * (1.0 - t * t) * (1.0 - 3.0 * t * t);
    assert!((third(|x| x.tanh(), x) / tanh - 1.0).abs() < 1e-14);
    assert!((third(|x| x.exp(), x) / x.exp() - 1.0).abs() < 1e-14);
    assert!((third(|x| x.recip(), x) * x.powi(4) / -6.0 - 1.0).abs() < 1e-14);
    assert!((third(|x| x.sqrt(), x) * x.powf(2.5) / 0.375 - 1.0).abs() < 1e-14);
    let s = 1.0 / (1.0 + (-x).exp());
    let sigmoid = s * (1.0 - s) * (1.0 - 6.0 * s * (1.0 - s));
    assert!((third(|x| x.sigmoid(), x) / sigmoid - 1.0).abs() < 1e-13);
}

/// d/da of the trace of the Hessian of a · Σx³, which is Σ 6x.
#[test]
fn a_hessian_of_a_function_that_captures_a_variable() {
    let x = Var::from(X);
    let trace = |a: &Var<f64>| {
        let hessian = hessian(|x: &Var<f64>| a * x.powi(3).sum(), &x);
        hessian.diagonal(0).sum()
    };
    let expected: f64 = X.iter().map(|x| 6.0 * x).sum();
    assert!((grad(trace, &scalar(1.5)).item() - expected).abs() < 1e-13);
    assert!((jvp(trace, &scalar(1.5), &scalar(1.0)).1.item() - expected).abs() < 1e-13);
    // Captured only in the direction: d/da Σ w·H·(a·v).
    let (v, w) = (Var::from(V), Var::from(W));
    let directed = |a: &Var<f64>| (hvp(quartic, &x, &(a * &v)) * &w).sum();
    let hv = contracted(&X, &[&V]);
    let expected: f64 = hv.iter().zip(W).map(|(h, w)| h * w).sum();
    assert!((grad(directed, &scalar(2.0)).item() - expected).abs() < 1e-13);
}

/// A cotangent or a tangent that is itself tracked.
#[test]
fn derivatives_with_respect_to_the_direction() {
    let x = Var::from(X);
    let along = |v: &Var<f64>| jvp(|x: &Var<f64>| x.powi(2).sum(), &x, v).1;
    assert_eq!(grad(along, &Var::from(V)).value().to_vec(), X.map(|x| 2.0 * x));
    let pulled = |u: &Var<f64>| vjp(|x: &Var<f64>| x.powi(2), &x).1.apply(u).sum();
    assert_eq!(grad(pulled, &Var::from(V)).value().to_vec(), X.map(|x| 2.0 * x));
}

/// A transform inside the recording of an explicit tape, with a variable of that tape inside and outside.
#[test]
fn transforms_on_an_explicit_tape() {
    let tape = Tape::new();
    let x = tape.var(Var::from(X).into_value());
    let (y, pullback) = vjp(|z: &Var<f64>| z * &x, &x);
    let g = pullback.apply(&Var::ones([3]));
    drop(pullback);
    assert!(y.is_tracked() && g.is_tracked());
    // Σ (x² + x), since the pullback is x itself.
    let found = tape.gradients(&(y + g).sum(), &[&x]);
    assert_eq!(found[0].value().to_vec(), X.map(|x| 2.0 * x + 1.0));
}

#[test]
fn stopped_gradients_stay_stopped() {
    let x = Var::from(X);
    let f = |x: &Var<f64>| (x.stop_gradient() * x * x).sum();
    assert_eq!(grad(f, &x).value().to_vec(), X.map(|x| 2.0 * x * x));
    // The gradient 2x·x₀ with x₀ stopped has the slope 2x₀.
    let second = grad(|x: &Var<f64>| grad(f, x).sum(), &x);
    assert_eq!(second.value().to_vec(), X.map(|x| 2.0 * x));
    assert_eq!(jvp(|x: &Var<f64>| x.stop_gradient(), &x, &Var::from(V)).1.value().to_vec(), [0.0; 3]);
}
