//! Losses and normalisations of numbers whose squares leave the range of single precision: what double precision gives.

use wengert_nn::{CosineEmbedding, GaussianNll, Layer, LocalResponseNorm, Params, Reduction};
use wengert_tape::{Var, grad, hvp, jvp};
use wengert_tensor::Float;

/// Numbers, times a unit.
fn numbers<T: Float>(shape: [usize; 2], phase: f64, unit: f64) -> Var<T> {
    let x: Vec<T> =
        (0..shape[0] * shape[1]).map(|i| T::from_f64((1.7 * i as f64 + phase).sin() * unit)).collect();
    Var::from(x).reshape(shape)
}

fn doubled(x: &Var<f32>) -> Vec<f64> {
    x.value().to_vec().into_iter().map(f64::from).collect()
}

fn assert_near(what: &str, found: &Var<f32>, exact: &Var<f64>) {
    let exact = exact.value().to_vec();
    let largest = exact.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (found, exact) in doubled(found).into_iter().zip(exact) {
        let error = (found - exact).abs();
        assert!(error <= 2e-5 * largest + 1e-44, "{what}: {found:e}, not {exact:e}");
    }
}

type Of<T> = fn(&Var<T>) -> Var<T>;

/// Value, gradient and second derivatives in every nesting.
fn compare(name: &str, single: Of<f32>, double: Of<f64>, unit: f64) {
    let (x, y) = (numbers::<f32>([3, 4], 0.3, unit), numbers::<f64>([3, 4], 0.3, unit));
    let (t, u) = (numbers::<f32>([3, 4], 1.3, unit), numbers::<f64>([3, 4], 1.3, unit));
    let name = format!("{name} in units of {unit:e}");
    assert_near(&name, &single(&x), &double(&y));
    assert_near(&format!("gradient of {name}"), &grad(single, &x), &grad(double, &y));
    assert_near(&format!("tangent of {name}"), &jvp(single, &x, &t).1, &jvp(double, &y, &u).1);
    let second = hvp(double, &y, &u);
    assert_near(&format!("second derivative of {name}"), &hvp(single, &x, &t), &second);
    let twice = grad(|x: &Var<f32>| (grad(single, x) * &t).sum(), &x);
    assert_near(&format!("gradient of the gradient of {name}"), &twice, &second);
    let backwards = grad(|x: &Var<f32>| jvp(single, x, &t).1, &x);
    assert_near(&format!("gradient of the tangent of {name}"), &backwards, &second);
    // To third order the rules are recorded.
    let thrice = grad(|x: &Var<f32>| (hvp(single, x, &t) * &t).sum(), &x);
    let exact = grad(|x: &Var<f64>| (hvp(double, x, &u) * &u).sum(), &y);
    assert_near(&format!("third derivative of {name}"), &thrice, &exact);
}

const UNITS: [f64; 4] = [1.0, 1e19, 1e25, 1e-3];

#[test]
fn cosines_of_long_vectors() {
    fn loss<T: Float>(x: &Var<T>) -> Var<T> {
        let other = numbers([3, 4], 2.3, 1e25);
        let target = Var::from([1.0, -1.0, 1.0].map(T::from_f64));
        let loss = CosineEmbedding { reduction: Reduction::Sum, margin: -0.9 };
        loss.loss(x, &other, &target) + loss.loss(&other, x, &target)
    }
    for unit in UNITS {
        compare("cosine_embedding", loss, loss, unit);
    }
}

#[test]
fn densities_of_far_numbers() {
    fn loss<T: Float>(x: &Var<T>) -> Var<T> {
        let variance = Var::ones([3, 4]) * 1e30;
        GaussianNll::default().loss(x, &numbers([3, 4], 2.3, 1e19), &variance)
    }
    for unit in [1e18, 1e20, 1e24] {
        compare("gaussian_nll", loss, loss, unit);
    }
}

/// One number of what is normalised, by layers, roots, groups, examples and channels.
fn normalised<T: Float>(x: &Var<T>) -> Var<T> {
    let gain = |count: usize| numbers::<T>([1, count], 4.0, 1.0).reshape([count]) + 1.5;
    let weighted = |z: Var<T>| (z.reshape([3, 4]) * numbers::<T>([3, 4], 5.0, 1.0)).sum();
    let channels = x.reshape([1, 2, 6]);
    weighted(x.layer_norm(&gain(4), &gain(4), 1e-5))
        + weighted(x.rms_norm(&gain(4), 1e-5))
        + weighted(channels.group_norm(1, &gain(2), &gain(2), 1e-5))
        + weighted(channels.instance_norm(&gain(2), &gain(2), 1e-5))
        + weighted(x.batch_norm(&gain(4), &gain(4), 1e-5))
}

#[test]
fn normalisations_of_far_numbers() {
    for unit in [1.0, 1e19, 1e25, 1e30] {
        compare("normalisations", normalised, normalised, unit);
    }
}

/// Windows of three of four channels.
fn local_response<T: Float>(x: &Var<T>, norm: LocalResponseNorm) -> Var<T> {
    let params: Params<T> = Params::seeded(0);
    (params.infer(|cx| norm.forward(cx, x)) * numbers::<T>([3, 4], 5.0, 1.0)).sum()
}

fn with_constant<T: Float>(x: &Var<T>) -> Var<T> {
    local_response(x, LocalResponseNorm::new(3))
}

/// Nothing but the squares, of which a root is divided by.
fn without_constant<T: Float>(x: &Var<T>) -> Var<T> {
    local_response(x, LocalResponseNorm { k: 0.0, alpha: 2.0, beta: 0.25, ..LocalResponseNorm::new(3) })
}

#[test]
fn local_responses_of_far_numbers() {
    for unit in [1.0, 1e19, 1e25, 1e30, 1e-15, 1e-25, 1e-30] {
        compare("local_response_norm", with_constant, with_constant, unit);
        compare("local_response_norm without k", without_constant, without_constant, unit);
    }
    // In double precision, where x / (α/3 Σx²)^¾ is a number for any unit: 2⁶⁶⁴ is 1.2e200.
    let (x, t) = (numbers::<f64>([3, 4], 0.3, 1.0), numbers::<f64>([3, 4], 1.3, 1.0));
    let f = |x: &Var<f64>| local_response(x, LocalResponseNorm { k: 0.0, ..LocalResponseNorm::new(3) });
    for exponent in [664, 332, -332, -664] {
        let unit = f64::from(exponent).exp2();
        let far = &x * unit;
        let root = f64::from(exponent / 2).exp2();
        for (what, found, exact) in [
            ("value", f(&far) * root, f(&x)),
            ("gradient", grad(f, &far) * unit * root, grad(f, &x)),
            ("product", hvp(f, &far, &(&t * unit)) * unit * root, hvp(f, &x, &t)),
        ] {
            let error = (&found - &exact).abs().max().item();
            assert!(error < 1e-13 * exact.abs().max().item(), "2^{exponent}, {what}: {found}, not {exact}");
        }
    }
}
