//! Large, small, infinite and undefined arguments: no NaN where the derivative is a number.

use super::at;
use wengert_tape::{Var, grad, hvp, jvp};

const INF: f64 = f64::INFINITY;

type Function = fn(&Var<f64>) -> Var<f64>;

/// Name, function, argument, slope.
#[rustfmt::skip]
const SLOPES: &[(&str, Function, f64, f64)] = &[
    ("tanh", |x| x.tanh(), 1000.0, 0.0),
    ("tanh", |x| x.tanh(), -INF, 0.0),
    ("tanh", |x| x.tanh(), 1e-300, 1.0),
    ("sigmoid", |x| x.sigmoid(), 1000.0, 0.0),
    ("sigmoid", |x| x.sigmoid(), -1000.0, 0.0),
    ("sigmoid", |x| x.sigmoid(), -INF, 0.0),
    ("sigmoid", |x| x.sigmoid(), INF, 0.0),
    ("softplus", |x| x.softplus(), 1000.0, 1.0),
    ("softplus", |x| x.softplus(), -1000.0, 0.0),
    ("softplus", |x| x.softplus(), INF, 1.0),
    ("softplus", |x| x.softplus(), -INF, 0.0),
    ("gelu", |x| x.gelu(), 40.0, 1.0),
    ("gelu", |x| x.gelu(), -40.0, 0.0),
    ("gelu", |x| x.gelu(), 1e200, 1.0),
    ("gelu", |x| x.gelu(), -1e200, 0.0),
    ("erf", |x| x.erf(), 1e200, 0.0),
    ("erf", |x| x.erf(), -INF, 0.0),
    ("erf", |x| x.erf(), 0.0, std::f64::consts::FRAC_2_SQRT_PI),
    ("erfc", |x| x.erfc(), 50.0, 0.0),
    ("erfc", |x| x.erfc(), INF, 0.0),
    ("exp", |x| x.exp(), -1000.0, 0.0),
    ("exp", |x| x.exp(), -INF, 0.0),
    ("exp", |x| x.exp(), 1000.0, INF),
    ("exp_m1", |x| x.exp_m1(), -INF, 0.0),
    ("exp_m1", |x| x.exp_m1(), 1e-300, 1.0),
    ("ln", |x| x.ln(), INF, 0.0),
    ("ln", |x| x.ln(), 1e-300, 1e300),
    ("ln", |x| x.ln(), 0.0, INF),
    ("ln_1p", |x| x.ln_1p(), 1e-300, 1.0),
    ("ln_1p", |x| x.ln_1p(), -1.0, INF),
    ("sqrt", |x| x.sqrt(), INF, 0.0),
    ("sqrt", |x| x.sqrt(), 4e-300, 0.25e150),
    ("rsqrt", |x| x.rsqrt(), INF, 0.0),
    ("recip", |x| x.recip(), INF, 0.0),
    ("recip", |x| x.recip(), -1e200, 0.0),
    ("square", |x| x.square(), 1e200, 2e200),
    ("abs", |x| x.abs(), -INF, -1.0),
    ("relu", |x| x.relu(), INF, 1.0),
    ("relu", |x| x.relu(), -INF, 0.0),
    ("relu", |x| x.relu(), 5e-324, 1.0),
    ("clamp", |x| x.clamp(-1.0, 1.0), INF, 0.0),
    ("clamp", |x| x.clamp(0.0, INF), 1e300, 1.0),
    ("atan", |x| x.atan(), 1e200, 0.0),
    ("atan", |x| x.atan(), -INF, 0.0),
    ("asin", |x| x.asin(), 1.0, INF),
    ("acos", |x| x.acos(), 1.0, -INF),
    ("asinh", |x| x.asinh(), 1e200, 1e-200),
    ("asinh", |x| x.asinh(), -INF, 0.0),
    ("asinh", |x| x.asinh(), 1e-300, 1.0),
    ("acosh", |x| x.acosh(), 4e200, 0.25e-200),
    ("acosh", |x| x.acosh(), 1.0, INF),
    ("atanh", |x| x.atanh(), 1.0, INF),
    ("atanh", |x| x.atanh(), 1e-300, 1.0),
    ("exp2", |x| x.exp2(), -INF, 0.0),
    ("exp2", |x| x.exp2(), 2000.0, INF),
    ("log2", |x| x.log2(), 0.0, INF),
    ("log2", |x| x.log2(), INF, 0.0),
    ("log10", |x| x.log10(), 1e300, std::f64::consts::LOG10_E * 1e-300),
    ("erfinv", |x| x.erfinv(), 1.0, INF),
    ("erfinv", |x| x.erfinv(), 1e-300, 0.886_226_925_452_758),
    ("ndtr", |x| x.ndtr(), 1e200, 0.0),
    ("ndtr", |x| x.ndtr(), -INF, 0.0),
    ("ndtri", |x| x.ndtri(), 0.0, INF),
    ("lgamma", |x| x.lgamma(), INF, INF),
    ("lgamma", |x| x.lgamma(), 1e-300, -1e300),
    ("digamma", |x| x.digamma(), 1e200, 1e-200),
    ("digamma", |x| x.digamma(), INF, 0.0),
    ("polygamma", |x| x.polygamma(2), INF, 0.0),
    ("sinc", |x| x.sinc(), 0.0, 0.0),
    ("sinc", |x| x.sinc(), INF, 0.0),
    ("sinc", |x| x.sinc(), 2.0, 0.5),
    ("log_sigmoid", |x| x.log_sigmoid(), -1e200, 1.0),
    ("log_sigmoid", |x| x.log_sigmoid(), 1e200, 0.0),
    ("logit", |x| x.logit(), 1e-300, 1e300),
    ("logit", |x| x.logit(), 1.0, INF),
    ("entr", |x| x.entr(), 0.0, INF),
    ("frac", |x| x.frac(), 1e200, 1.0),
    ("sinh", |x| x.sinh(), 0.0, 1.0),
    ("powi", |x| x.powi(3), 1e100, 3e200),
    ("powi", |x| x.powi(-2), INF, 0.0),
    ("powf", |x| x.powf(0.5), INF, 0.0),
    ("norm", |x| x.norm(2.0), 1e-200, 1.0),
    ("norm", |x| x.norm(2.0), -1e200, -1.0),
    ("norm 3", |x| x.norm(3.0), -1e200, -1.0),
    ("norm 3", |x| x.norm(3.0), 1e-200, 1.0),
];

#[test]
fn slopes_at_the_ends_of_the_range() {
    for &(name, f, x, expected) in SLOPES {
        let x = at([x]);
        let close = |found: f64| found == expected || (found - expected).abs() <= 4e-16 * expected.abs();
        let reverse = grad(|x: &Var<f64>| f(x).sum(), &x).item();
        assert!(close(reverse), "{name} at {x}: slope {reverse}, not {expected}");
        let forward = jvp(f, &x, &at([1.0])).1.item();
        assert!(close(forward), "{name} at {x}: forward slope {forward}, not {expected}");
    }
}

/// Where the slope is a number, so is the curvature.
#[test]
fn curvatures_far_out() {
    let functions: [(&str, Function); 8] = [
        ("ndtr", |x| x.ndtr()),
        ("log_sigmoid", |x| x.log_sigmoid()),
        ("tanh", |x| x.tanh()),
        ("sigmoid", |x| x.sigmoid()),
        ("softplus", |x| x.softplus()),
        ("gelu", |x| x.gelu()),
        ("erf", |x| x.erf()),
        ("atan", |x| x.atan()),
    ];
    for (name, f) in functions {
        for x in [40.0, -40.0, 1000.0, -1000.0] {
            let curvature = hvp(|x: &Var<f64>| f(x).sum(), &at([x]), &at([1.0])).item();
            assert!(curvature.abs() < 2e-4, "{name} at {x}: curvature {curvature}");
        }
    }
}

/// 1 − x² computed as such has few correct digits near 1.
#[test]
fn arcsine_near_one() {
    let x = 1.0 - 2f64.powi(-40);
    let exact = ((1.0 - x) * (1.0 + x)).sqrt().recip();
    let slope = |f: Function| grad(|x: &Var<f64>| f(x).sum(), &at([x])).item();
    assert!((slope(|x| x.asin()) / exact - 1.0).abs() < 1e-15);
    assert!((slope(|x| x.acos()) / exact + 1.0).abs() < 1e-15);
}

#[test]
fn logsumexp_and_softmax_with_infinities() {
    let gradient =
        |f: Function, x: [f64; 3]| grad(|x: &Var<f64>| f(x).slice(..1).sum(), &at(x)).value().to_vec();
    let lse: Function = |x| x.logsumexp(0, true);
    assert_eq!(gradient(lse, [0.0, -INF, 0.0]), [0.5, 0.0, 0.5]);
    assert_eq!(gradient(lse, [-INF; 3]), [0.0; 3]);
    assert_eq!(gradient(lse, [1e300, -1e300, 0.0]), [1.0, 0.0, 0.0]);
    assert_eq!(gradient(|x| x.softmax(0), [0.0, -INF, 0.0]), [0.25, 0.0, -0.25]);
    assert_eq!(gradient(|x| x.log_softmax(0), [0.0, -INF, 0.0]), [0.5, 0.0, -0.5]);
    assert_eq!(gradient(|x| x.log_softmax(0), [1e4, -1e4, 0.0]), [0.0; 3]);
    for f in [lse, |x| x.softmax(0).square().sum(), |x| x.log_softmax(0).exp().square().sum()] {
        let hv =
            hvp(|x: &Var<f64>| f(x).sum(), &at([0.5, -INF, 0.0]), &at([1.0, 2.0, -1.0])).value().to_vec();
        assert!(hv.iter().all(|h| h.is_finite()) && hv[1] == 0.0, "{hv:?}");
    }
}

/// A NaN shows.
#[test]
fn nan_arguments_give_nan_values() {
    let nan = at([f64::NAN]);
    let functions: [Function; 10] = [
        |x| x.relu(),
        |x| x.clamp(0.0, 1.0),
        |x| x.gelu(),
        |x| x.softplus(),
        |x| x.sigmoid(),
        |x| x.tanh(),
        |x| x.max(),
        |x| x.maximum(&Var::scalar(0.0)),
        |x| x.norm(2.0),
        |x| x.logsumexp(0, false),
    ];
    for f in functions {
        assert!(f(&nan).value().to_vec()[0].is_nan());
    }
}

#[test]
fn single_precision_at_the_ends_of_the_range() {
    let slope =
        |f: fn(&Var<f32>) -> Var<f32>, x: f32| grad(|x: &Var<f32>| f(x).sum(), &Var::from([x])).item();
    for (f, at_large, at_small) in [
        ((|x| x.tanh()) as fn(&Var<f32>) -> Var<f32>, 0.0, 0.0),
        (|x| x.sigmoid(), 0.0, 0.0),
        (|x| x.softplus(), 1.0, 0.0),
        (|x| x.gelu(), 1.0, 0.0),
        (|x| x.erf(), 0.0, 0.0),
        (|x| x.logsumexp(0, false), 1.0, 1.0),
    ] {
        for x in [150.0, 1e30] {
            assert_eq!((slope(f, x), slope(f, -x)), (at_large, at_small));
        }
    }
}

/// What leaves the range on the way to a derivative does not spoil one that is within.
#[test]
fn negative_powers_at_the_ends_of_the_range() {
    let near = |found: f32, expected: f64| {
        assert!((f64::from(found) / expected - 1.0).abs() < 1e-5, "{found:e}, not {expected:e}")
    };
    for (n, x, v) in [(-1, 1e-20f32, 1e-10f32), (-2, 1e-20, 1e-30), (-3, -1e-13, 1e-20), (-2, 1e15, 1e10)] {
        let exact = f64::from(v) * f64::from(n) * f64::from(x).powi(n - 1);
        near(grad(|x: &Var<f32>| (x.powi(n) * f64::from(v)).sum(), &Var::from([x])).item(), exact);
        near(jvp(|x: &Var<f32>| x.powi(n), &Var::from([x]), &Var::from([v])).1.item(), exact);
    }
    // The first alone counts.
    for p in [-1.0, -2.0, -2.5] {
        let x = Var::from([1e-24f32, -1e-3, 8e34]);
        let product = hvp(|x: &Var<f32>| x.norm(p), &x, &Var::from([0.0, 1.0, 1.0]));
        assert!(product.value().to_vec().iter().all(|h| h.is_finite()), "norm({p}): {product}");
        let slopes = grad(|x: &Var<f32>| x.norm(p), &x).value().to_vec();
        assert!(slopes[0] == 1.0 && slopes[1..].iter().all(|s| s.abs() < 1e-40), "norm({p}): {slopes:?}");
    }
}

/// A name, a function in both precisions, a point, and a cotangent.
type Sloped = (&'static str, fn(&Var<f32>) -> Var<f32>, fn(&Var<f64>) -> Var<f64>, f32, f32);

#[test]
fn slopes_beyond_the_range_times_small_cotangents() {
    let functions: [Sloped; 6] = [
        ("recip", |x| x.recip(), |x| x.recip(), 1e-20, 1e-10),
        ("2 / x", |x| 2.0 / x, |x| 2.0 / x, -1e-20, 1e-10),
        ("rsqrt", |x| x.rsqrt(), |x| x.rsqrt(), 1e-30, 1e-20),
        ("ln", |x| x.ln(), |x| x.ln(), 1e-40, 1e-5),
        ("powf(-1)", |x| x.powf(-1.0), |x| x.powf(-1.0), -1e-20, 1e-10),
        ("powf(-1.5)", |x| x.powf(-1.5), |x| x.powf(-1.5), 1e-20, 1e-20),
    ];
    for (name, single, double, x, v) in functions {
        let weight = f64::from(v);
        let found = grad(|x: &Var<f32>| (single(x) * weight).sum(), &Var::from([x])).item();
        let along = jvp(single, &Var::from([x]), &Var::from([v])).1.item();
        let exact = grad(|x: &Var<f64>| (double(x) * weight).sum(), &Var::from([f64::from(x)])).item();
        for found in [found, along] {
            assert!((f64::from(found) / exact - 1.0).abs() < 1e-5, "{name}: {found:e}, not {exact:e}");
        }
    }
}

type Single = fn(&Var<f32>) -> Var<f32>;

/// Parts of products leave the range, and the products with others that come behind or with the cotangent do not.
#[test]
fn gradients_of_products_in_parts_beyond_the_range() {
    fn last<T: wengert_tensor::Float>(x: &Var<T>) -> Var<T> {
        x.cumprod(0).select(0, -1)
    }
    let points: [(&[f32], f64); 6] = [
        (&[1e25, 1e25, 1e-30, 1e-30], 1.0),
        (&[1e-30, 1e10, 1e25, 1e25], 1.0),
        (&[1e-20, 1e20, 1e20], 1e-10),
        (&[0.0, 1e25, 1e25], 1e-20),
        (&[1e-25, 1e-25, 1e30, -1e30], 1.0),
        (&[1e-25, 1e-20, 3.0, 1e20], 1e30),
    ];
    for (x, weight) in points {
        let (single, double) =
            (Var::from(x.to_vec()), Var::from(x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>()));
        let exact = grad(|x: &Var<f64>| x.prod() * weight, &double).value().to_vec();
        for (name, found) in [
            ("prod", grad(|x: &Var<f32>| x.prod() * weight, &single)),
            ("cumprod", grad(|x: &Var<f32>| last(x) * weight, &single)),
        ] {
            assert_near(&found, &exact, &format!("{name} at {x:?}"));
        }
        // Along every axis, and along the point itself: forward mode and, in both nestings, the second order.
        let axes = (0..x.len()).map(|k| (0..x.len()).map(|i| f32::from(u8::from(i == k))).collect());
        let relative = x.iter().zip([0.5, -2.0, 1.0, 3.0]).map(|(x, t)| x * t).collect();
        for along in axes.chain([relative]) {
            let along: Vec<f32> = along;
            let (t, exact_t) = (
                Var::from(along.clone()),
                Var::from(along.iter().map(|&t| f64::from(t)).collect::<Vec<_>>()),
            );
            let exact = jvp(|x: &Var<f64>| x.prod(), &double, &exact_t).1.reshape([1]).value().to_vec();
            let second = hvp(|x: &Var<f64>| x.prod() * weight, &double, &exact_t).value().to_vec();
            let slope = |x: &Var<f64>| jvp(|x: &Var<f64>| x.prod(), x, &exact_t).1;
            let forwards = jvp(slope, &double, &exact_t).1.reshape([1]).value().to_vec();
            let both: [(&str, Single); 2] = [("prod", |x| x.prod()), ("cumprod", last)];
            for (name, f) in both {
                let label = format!("{name} at {x:?} along {along:?}");
                assert_near(&jvp(f, &single, &t).1.reshape([1]), &exact, &label);
                let weighted = |x: &Var<f32>| f(x) * weight;
                assert_near(&hvp(weighted, &single, &t), &second, &label);
                let twice = |x: &Var<f32>| (grad(weighted, x) * &t).sum();
                assert_near(&grad(twice, &single), &second, &label);
                let backwards = grad(|x: &Var<f32>| jvp(f, x, &t).1 * weight, &single);
                assert_near(&backwards, &second, &label);
                let twice_forwards = jvp(|x: &Var<f32>| jvp(f, x, &t).1, &single, &t).1.reshape([1]);
                assert_near(&twice_forwards, &forwards, &label);
            }
        }
    }
}

#[track_caller]
pub(super) fn assert_near(found: &Var<f32>, exact: &[f64], label: &str) {
    for (found, &exact) in found.value().to_vec().into_iter().zip(exact) {
        let near = (f64::from(found) / exact - 1.0).abs() < 1e-5;
        assert!(near || found == exact as f32, "{label}: {found:e}, not {exact:e}");
    }
}
