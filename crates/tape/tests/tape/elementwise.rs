//! Elementwise functions: values and gradients against PyTorch's (`tests/golden/elementwise.py`), and special arguments.

use serde_json::Value;
use wengert_tape::{Var, grad, hvp, jvp};
use wengert_tensor::{Float, Tensor};

use crate::golden::{array, arrays};

fn function<T: Float>(name: &str, x: &[Var<T>]) -> Var<T> {
    let a = &x[0];
    let b = || &x[1];
    match name {
        "asinh" => a.asinh(),
        "acosh" => a.acosh(),
        "atanh" => a.atanh(),
        "exp2" => a.exp2(),
        "log2" => a.log2(),
        "log10" => a.log10(),
        "erfinv" => a.erfinv(),
        "ndtr" => a.ndtr(),
        "ndtri" => a.ndtri(),
        "lgamma" => a.lgamma(),
        "digamma" => a.digamma(),
        "polygamma 1" => a.polygamma(1),
        "polygamma 2" => a.polygamma(2),
        "sinc" => a.sinc(),
        "log_sigmoid" => a.log_sigmoid(),
        "logit" => a.logit(),
        "entr" => a.entr(),
        "frac" => a.frac(),
        "trunc" => a.trunc(),
        "ceil" => a.ceil(),
        "atan2" => a.atan2(b()),
        "hypot" => a.hypot(b()),
        "pow" => a.pow(b()),
        "ldexp" => a.ldexp(b()),
        "logaddexp" => a.logaddexp(b()),
        "logaddexp2" => a.logaddexp2(b()),
        "xlogy" => a.xlogy(b()),
        "xlog1py" => a.xlog1py(b()),
        "fmod" => a.fmod(b()),
        "remainder" => a.remainder(b()),
        "copysign" => a.copysign(b()),
        "fmax" => a.fmax(b()),
        "fmin" => a.fmin(b()),
        "lerp" => a.lerp(b(), 0.7),
        "clamp_to" => a.clamp_to(&-b().abs(), &b().abs()),
        _ => panic!("no function {name}"),
    }
}

fn compare<T: Float>(tolerance: f64) {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/elementwise.json")).expect("the file is JSON");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 35);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let inputs = arrays::<T>(&case["inputs"]);
        let value = function(name, &inputs);
        let weights = Var::constant(Tensor::linspace(1.0, 2.0, value.len()));
        let gradient = grad(|x: &Vec<Var<T>>| (function(name, x) * &weights).sum(), &inputs);
        close(name, &value, &case["value"], tolerance);
        for (i, found) in gradient.iter().enumerate() {
            close(&format!("{name}: gradient {i}"), found, &case["gradient"][i], tolerance);
        }
    }
}

/// Each element relative to itself, and to 1 where it is smaller.
fn close<T: Float>(what: &str, found: &Var<T>, expected: &Value, tolerance: f64) {
    let expected = array::<f64>(expected).value().to_vec();
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.value().to_vec().into_iter().zip(expected) {
        let error = (f.to_f64() - e).abs() / e.abs().max(1.0);
        assert!(error < tolerance, "{what}: {f}, not {e}");
    }
}

#[test]
fn double_precision() {
    compare::<f64>(1e-11);
}

#[test]
fn single_precision() {
    compare::<f32>(1e-5);
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// A function of two numbers, the numbers, the value, and the two slopes.
type Special = (&'static str, f64, f64, f64, [f64; 2]);

#[rustfmt::skip]
const SPECIAL: &[Special] = &[
    ("atan2", 0.0, 0.0, 0.0, [0.0, 0.0]),
    ("atan2", -0.0, -1.0, -std::f64::consts::PI, [-1.0, 0.0]),
    ("atan2", 3e200, 4e200, 0.643_501_108_793_284_4, [4.0 / 25.0 * 1e-200, -3.0 / 25.0 * 1e-200]),
    ("hypot", 0.0, 0.0, 0.0, [0.0, 0.0]),
    ("hypot", 3e200, -4e200, 5e200, [0.6, -0.8]),
    ("hypot", 3e-200, 4e-200, 5e-200, [0.6, 0.8]),
    ("hypot", 5e-324, -5e-324, 5e-324, [std::f64::consts::FRAC_1_SQRT_2, -std::f64::consts::FRAC_1_SQRT_2]),
    ("hypot", -1.5e-323, 2e-323, 2.5e-323, [-0.6, 0.8]),
    ("hypot", 1.5e-323, 5e-324, 1.5e-323, [0.948_683_298_050_513_8, 0.316_227_766_016_837_94]),
    ("hypot", 5e-324, 1.0, 1.0, [5e-324, 1.0]),
    ("pow", 0.0, 0.0, 1.0, [0.0, 0.0]),
    ("pow", 0.0, 2.0, 0.0, [0.0, 0.0]),
    ("pow", 0.0, 1.0, 0.0, [1.0, 0.0]),
    ("pow", 0.0, 0.5, 0.0, [INF, 0.0]),
    ("pow", -2.0, 2.0, 4.0, [-4.0, NAN]),
    ("pow", -2.0, 0.5, NAN, [NAN, NAN]),
    ("ldexp", 1.5, 2000.0, INF, [INF, INF]),
    ("ldexp", 5e-324, 1100.0, 67_108_864.0, [INF, 67_108_864.0 * std::f64::consts::LN_2]),
    ("ldexp", 1.0, -1074.0, 5e-324, [5e-324, 5e-324]),
    ("logaddexp", -INF, -INF, -INF, [0.5, 0.5]),
    ("logaddexp", INF, 1.0, INF, [1.0, 0.0]),
    ("logaddexp", INF, INF, INF, [0.5, 0.5]),
    ("logaddexp", -INF, 3.0, 3.0, [0.0, 1.0]),
    ("logaddexp", 1e300, 1e300, 1e300, [0.5, 0.5]),
    ("logaddexp2", 3.0, 3.0, 4.0, [0.5, 0.5]),
    ("logaddexp2", 1000.0, -1000.0, 1000.0, [1.0, 0.0]),
    ("xlogy", 0.0, 0.0, 0.0, [0.0, 0.0]),
    ("xlogy", 0.0, -1.0, 0.0, [0.0, 0.0]),
    ("xlogy", 0.0, INF, 0.0, [INF, 0.0]),
    ("xlogy", 1.0, 0.0, -INF, [-INF, INF]),
    ("xlog1py", 0.0, -1.0, 0.0, [0.0, 0.0]),
    ("xlog1py", 2.0, 1e-300, 2e-300, [1e-300, 2.0]),
    ("fmod", 5.0, 0.0, NAN, [1.0, -INF]),
    ("fmod", -5.0, INF, -5.0, [1.0, 0.0]),
    ("remainder", -5.0, 3.0, 1.0, [1.0, 2.0]),
    ("remainder", 1e300, 7.0, 1.0, [1.0, -1e300 / 7.0]),
    ("copysign", 0.0, -1.0, -0.0, [0.0, 0.0]),
    ("copysign", 2.0, -0.0, -2.0, [-1.0, 0.0]),
    ("fmax", NAN, 1.0, 1.0, [0.0, 1.0]),
    ("fmax", 1.0, NAN, 1.0, [1.0, 0.0]),
    ("fmax", 1.0, 1.0, 1.0, [0.5, 0.5]),
    ("fmax", NAN, NAN, NAN, [0.5, 0.5]),
    ("fmin", NAN, 1.0, 1.0, [0.0, 1.0]),
    ("fmin", 2.0, 1.0, 1.0, [0.0, 1.0]),
];

fn same(found: f64, expected: f64) -> bool {
    let close = (found - expected).abs() <= 1e-14 * expected.abs();
    (found.is_nan() && expected.is_nan())
        || (found == expected && found.is_sign_negative() == expected.is_sign_negative())
        || (found == 0.0 && expected == 0.0 && expected.is_sign_positive())
        || close && expected != 0.0
}

#[test]
fn special_arguments_of_two() {
    let mut wrong = String::new();
    for &(name, a, b, value, slopes) in SPECIAL {
        let point = vec![Var::from([a]), Var::from([b])];
        let found = function(name, &point).item();
        let gradient = grad(|x: &Vec<Var<f64>>| function(name, x).sum(), &point);
        let gradient: Vec<f64> = gradient.iter().map(Var::item).collect();
        let right = same(found, value) && same(gradient[0], slopes[0]) && same(gradient[1], slopes[1]);
        if !right {
            wrong += &format!("{name}({a}, {b}) = {found}, {gradient:?}, not {value}, {slopes:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn quotients_rounded_down() {
    for (a, b, expected) in [
        (7.0, 2.0, 3.0),
        (-7.0, 2.0, -4.0),
        (7.0, -2.0, -4.0),
        (-6.0, 2.0, -3.0),
        (0.0, -3.0, -0.0),
        (1.0, 0.1, 9.0),
        (1e300, 3.0, 1e300 / 3.0),
        (5.0, 0.0, INF),
        (-1.0, INF, -1.0),
        (1e-300, 1e300, 0.0),
    ] {
        let found = Var::from([a]).floor_divide(&Var::from([b])).item();
        assert!(same(found, expected), "{a} // {b} = {found}, not {expected}");
    }
    let single = Var::from([1.0f32]).floor_divide(&Var::from([0.1])).item();
    assert_eq!(single, 9.0);
}

/// Single precision divides in double precision where that is exact, and else as double precision does.
#[test]
fn remainders_in_single_precision_are_those_of_double() {
    let bits = |i: u32| i.wrapping_mul(2_654_435_761).wrapping_add(0x9e37_79b9);
    let near = |i: u32| {
        f32::from_bits(0x3f80_0000 + (bits(i) & 0x07ff_ffff)) * if i.is_multiple_of(2) { 1.0 } else { -1.0 }
    };
    // Of all sizes, of like sizes, multiples and their neighbours, and those that are no numbers.
    let mut pairs: Vec<(f32, f32)> =
        (0..4000).map(|i| (f32::from_bits(bits(i)), f32::from_bits(bits(i + 7)))).collect();
    pairs.extend((0..20_000).map(|i| (near(i), near(3 * i + 1))));
    for i in 0..4000 {
        let (b, times) = (near(i), (i % 97) as f32 - 48.0);
        let a = b * times;
        pairs.extend([(a, b), (a.next_up(), b), (a.next_down(), b), (times, 0.1)]);
    }
    let ends = [
        0.0,
        -0.0,
        1.0,
        -3.0,
        f32::MAX,
        f32::MIN_POSITIVE,
        1e-45,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    pairs.extend(ends.iter().flat_map(|&a| ends.map(|b| (a, b))));
    // Alone and beside ordinary numbers only.
    let ordinary: Vec<(f32, f32)> =
        pairs.iter().copied().filter(|(a, b)| (a / b).abs() < 1e6 && b.is_finite()).collect();
    assert!(ordinary.len() > 20_000);
    for pairs in [&pairs, &ordinary] {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
        let singles = [Var::from(Tensor::vector(&a)), Var::from(Tensor::vector(&b))];
        let double =
            |x: &[f32]| Var::from(Tensor::vector(&x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>()));
        let doubles = [double(&a), double(&b)];
        for (name, found, expected) in [
            ("fmod", singles[0].fmod(&singles[1]), doubles[0].fmod(&doubles[1])),
            ("remainder", singles[0].remainder(&singles[1]), doubles[0].remainder(&doubles[1])),
            ("floor_divide", singles[0].floor_divide(&singles[1]), doubles[0].floor_divide(&doubles[1])),
        ] {
            for (i, (found, expected)) in
                found.value().to_vec().iter().zip(expected.value().to_vec()).enumerate()
            {
                let (a, b, expected) = (a[i], b[i], expected as f32);
                let alike = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                assert!(alike, "{name}({a:e}, {b:e}) = {found:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn in_the_place_of_what_is_no_number() {
    let x = Var::from([NAN, INF, -INF, 2.0, -0.0]);
    assert_eq!(x.nan_to_num(1.0, 2.0, -3.0).value().to_vec(), [1.0, 2.0, -3.0, 2.0, -0.0]);
    assert_eq!(x.nan_to_num(0.0, None, None).value().to_vec(), [0.0, f64::MAX, f64::MIN, 2.0, -0.0]);
    let slopes = grad(|x: &Var<f64>| x.nan_to_num(0.0, None, None).sum(), &x);
    assert_eq!(slopes.value().to_vec(), [0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(x.is_nan().value().to_vec(), [true, false, false, false, false]);
    assert_eq!(x.is_inf().value().to_vec(), [false, true, true, false, false]);
    assert_eq!(x.is_finite().value().to_vec(), [false, false, false, true, true]);
    let y = Var::from([NAN, INF, INF, 2.0000001, 1e-9]);
    assert_eq!(x.is_close(&y, 1e-5, 1e-8).value().to_vec(), [false, true, false, true, true]);
    assert_eq!(x.is_close(&y, 1e-9, 0.0).value().to_vec(), [false, true, false, false, false]);
}

#[test]
fn steps_limits_and_ends() {
    let (x, values) = (Var::from([-1.0, 0.0, -0.0, 3.0, NAN]), Var::from([0.25, 0.5, 0.5, 1.5, 7.0]));
    let steps = x.heaviside(&values).value().to_vec();
    assert!(steps[..4] == [0.0, 0.5, 0.5, 1.0] && steps[4].is_nan(), "{steps:?}");
    let slopes = grad(|v: &Vec<Var<f64>>| v[0].heaviside(&v[1]).slice(..4).sum(), &vec![x, values]);
    assert_eq!(slopes[0].value().to_vec(), [0.0; 5]);
    assert_eq!(slopes[1].value().to_vec(), [0.0, 1.0, 1.0, 0.0, 0.0]);
    // Limits that cross: the upper one.
    let v = vec![
        Var::from([0.0, 3.0, 1.0, 3.0]),
        Var::from([1.0, 1.0, 1.0, 5.0]),
        Var::from([2.0, 2.0, 2.0, 4.0]),
    ];
    let clamped = |v: &Vec<Var<f64>>| v[0].clamp_to(&v[1], &v[2]);
    assert_eq!(clamped(&v).value().to_vec(), [1.0, 2.0, 1.0, 4.0]);
    let slopes = grad(|v: &Vec<Var<f64>>| clamped(v).sum(), &v);
    assert_eq!(slopes[0].value().to_vec(), [0.0, 0.0, 0.5, 0.0]);
    assert_eq!(slopes[1].value().to_vec(), [1.0, 0.0, 0.5, 0.0]);
    assert_eq!(slopes[2].value().to_vec(), [0.0, 1.0, 0.0, 1.0]);
    // Exact at both ends.
    let (a, b) = (Var::from([0.1, 1e16]), Var::from([0.3, -1.0]));
    assert_eq!(a.lerp(&b, 0.0).value(), a.value());
    assert_eq!(a.lerp(&b, 1.0).value(), b.value());
}

#[test]
fn rounding() {
    let x = Var::from([-1.5, -0.2, -0.0, 0.7, 2.0, 1e300, INF, -INF]);
    let bits = |v: Var<f64>| v.value().to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(x.trunc()), [-1.0, -0.0, -0.0, 0.0, 2.0, 1e300, INF, -INF].map(f64::to_bits));
    assert_eq!(bits(x.ceil()), [-1.0, -0.0, -0.0, 1.0, 2.0, 1e300, INF, -INF].map(f64::to_bits));
    assert_eq!(bits(x.floor()), [-2.0, -1.0, -0.0, 0.0, 2.0, 1e300, INF, -INF].map(f64::to_bits));
    assert_eq!(x.frac().slice(..6).value().to_vec(), [-0.5, -0.2, 0.0, 0.7, 0.0, 0.0]);
}

/// Logarithms of exact powers, in both precisions.
#[test]
fn exact_powers() {
    for k in -149..=127 {
        let x = Var::from([2f64.powi(k) as f32]);
        assert_eq!(x.log2().item(), k as f32);
        assert_eq!(Var::from([k as f32]).exp2().item(), x.item());
    }
    for k in -1074..=1023i32 {
        // Multiplied, because powers of subnormal size are not exact by `powi`.
        let x = (0..k.abs()).fold(1.0, |x, _| if k > 0 { x * 2.0 } else { x * 0.5 });
        assert_eq!(Var::from([x]).log2().item(), f64::from(k));
        assert_eq!(Var::from([f64::from(k)]).exp2().item(), x);
    }
    for k in 0..=22 {
        assert_eq!(Var::from([10f64.powi(k)]).log10().item(), f64::from(k));
        assert_eq!(Var::from([10f64.powi(k) as f32]).log10().item(), k as f32);
    }
}

/// Where a ln b is 0 since a is, though the logarithm is infinite or NaN, it is flat to every order in every mode.
#[test]
fn the_corner_of_a_logarithm_times_zero() {
    for b in [0.0, -1.0] {
        let f = |x: &Var<f64>| {
            (x.slice(..1).xlogy(&x.slice(1..)) + x.slice(..1).xlog1py(&(x.slice(1..) - 1.0))).sum()
        };
        let (x, v) = (Var::from([0.0, b]), Var::from([2.0, 3.0]));
        assert_eq!(hvp(f, &x, &v).value().to_vec(), [0.0, 0.0]);
        assert_eq!(grad(|x: &Var<f64>| jvp(f, x, &v).1, &x).value().to_vec(), [0.0, 0.0]);
        assert_eq!(grad(|x: &Var<f64>| (grad(f, x) * &v).sum(), &x).value().to_vec(), [0.0, 0.0]);
    }
}

/// x + g(s(x)) squared, of a flat s at whose values the slope of g is infinite: as if the second term were a constant, in every
/// mode and to second order. The square makes the cotangent that meets the slope depend on x.
#[test]
fn flat_functions_before_infinite_slopes() {
    type Function = fn(&Var<f64>) -> Var<f64>;
    let functions: [(&str, f64, Function, f64); 5] = [
        ("acos of a sign", 2.0, |x| x.sign().acos(), 0.0),
        ("asin of a sign", 2.0, |x| x.sign().asin(), std::f64::consts::FRAC_PI_2),
        ("root of a sign", 0.0, |x| x.sign().sqrt(), 0.0),
        ("root of a rounded number", 0.3, |x| x.floor().sqrt(), 0.0),
        ("power of a sign", 0.0, |x| x.sign().powf(0.7), 0.0),
    ];
    for (name, at, function, constant) in functions {
        let f = |x: &Var<f64>| (x + function(x)).square().sum();
        let (x, v) = (Var::from([at]), Var::from([3.0]));
        let along = |x: &Var<f64>| jvp(f, x, &v).1;
        let found = [
            grad(f, &x).item() - 2.0 * (at + constant),
            along(&x).item() - 6.0 * (at + constant),
            hvp(f, &x, &v).item() - 6.0,
            grad(|x: &Var<f64>| (grad(f, x) * &v).sum(), &x).item() - 6.0,
            grad(along, &x).item() - 6.0,
            jvp(along, &x, &v).1.item() - 18.0,
        ];
        assert!(found.iter().all(|difference| difference.abs() < 1e-12), "{name}: {found:?}");
    }
}

/// The product of both tangents is beyond the range; with the curvature it is 0, or a number.
#[test]
fn curvatures_meet_tangents_whose_product_is_out_of_range() {
    type Function = fn(&Var<f64>) -> Var<f64>;
    let cases: [(&str, Function, f64, f64); 6] = [
        ("exp_m1", |x| x.exp_m1(), -1e160, 0.0),
        ("exp", |x| x.exp(), -1e160, 0.0),
        ("sigmoid", |x| x.sigmoid(), -1e160, 0.0),
        ("softplus", |x| x.softplus(), 1e160, 0.0),
        ("tanh", |x| x.tanh(), 1e160, 0.0),
        ("ln", |x| x.ln(), 1e153, -1e14),
    ];
    let along = Var::from([1e160]);
    for (name, f, x, expected) in cases {
        let x = Var::from([x]);
        let tangent = |x: &Var<f64>| jvp(f, x, &along).1;
        let forward = jvp(tangent, &x, &along).1.item();
        let reverse = hvp(|x: &Var<f64>| (f(x) * 1e160).sum(), &x, &along).item();
        for found in [forward, reverse] {
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs(),
                "{name}: {found:e}, not {expected:e}"
            );
        }
    }
}

#[test]
fn rms_norm_keeps_the_sign_of_zero() {
    let y = Var::from([[0.0f64, 1.0]]).rms_norm(&Var::from([-1.0, 1.0]), 1e-5).value().to_vec();
    assert!(y[0] == 0.0 && y[0].is_sign_negative(), "{y:?}");
}

/// At −0 a power that is no whole number is that of +0, with all its slopes.
#[test]
fn powers_of_negative_zero() {
    for power in [0.25, -1.5, 1.5] {
        let derivatives = |x: f64| {
            let (x, one) = (Var::scalar(x), Var::scalar(1.0));
            let f = |x: &Var<f64>| x.powf(power);
            [f(&x), grad(f, &x), jvp(f, &x, &one).1, hvp(f, &x, &one)].map(|y| y.item())
        };
        assert_eq!(derivatives(-0.0), derivatives(0.0), "{power}");
    }
    assert_eq!(grad(|x: &Var<f64>| x.powf(-2.0), &Var::scalar(-0.0)).item(), f64::INFINITY);
}

/// 2 to the power of infinity is infinite, and to that of −∞ it is 0.
#[test]
fn infinite_powers_of_two() {
    let (x, n) =
        (Var::from([-1.5f64, 0.5, 2.0]), Var::from([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY]));
    assert_eq!(x.ldexp(&n).value().to_vec(), [f64::NEG_INFINITY, f64::INFINITY, 0.0]);
    let of_x = grad(|x: &Var<f64>| x.ldexp(&n).sum(), &x);
    assert_eq!(of_x.value().to_vec(), [f64::INFINITY, f64::INFINITY, 0.0]);
}

/// An infinite element of a product has the others' product for its slope, in both modes.
#[test]
fn products_with_an_infinite_element() {
    for x in [vec![f64::NEG_INFINITY], vec![f64::INFINITY, 2.0], vec![2.0, f64::INFINITY]] {
        let n = x.len();
        let (x, v) = (Var::from(Tensor::vector(&x)), Var::from(Tensor::<f64>::full([n], 0.5)));
        let slopes = grad(|x: &Var<f64>| x.prod(), &x);
        let along = jvp(|x: &Var<f64>| x.prod(), &x, &v).1;
        assert_eq!(along.item(), (slopes * &v).sum().item(), "{x:?}");
        assert!(!along.item().is_nan());
    }
}
