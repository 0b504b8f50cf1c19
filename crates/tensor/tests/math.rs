//! The error bounds of the transcendental functions, and their special values.

use wengert_tensor::Float;
use wengert_tensor::math::{Transcendental, log_gamma_sample_derivative};
use wengert_tensor::simd::{Baseline, Isa, Kernel, dispatch};

/// Applies the function of that name to a slice.
struct Map<'a, T> {
    name: &'static str,
    x: &'a [T],
    y: &'a mut [T],
}

macro_rules! functions {
    ($($name:ident),*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl<T: Float> Kernel for Map<'_, T> {
            type Output = ();
            #[inline(always)]
            fn run<I: Isa>(self) {
                match self.name {
                    $(stringify!($name) => self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y = x.$name::<I>()),)*
                    name => panic!("no function {name}"),
                }
            }
        }

        /// A test for each, as they run side by side.
        mod f32_is_within_its_bound_over_all_exponents {
            $(#[test]
            fn $name() {
                super::f32_is_within_its_bound(stringify!($name));
            })*
        }
    };
}
functions!(
    exp, exp_m1, ln, ln_1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, sigmoid, softplus, erf, erfc,
    gelu, rsqrt, exp2, log2, log10, asinh, acosh, atanh, ndtr, ndtri, erfinv, lgamma, digamma, erfcx,
    log_ndtr
);

/// xʸ over slices; the second operand is in the output.
struct Power<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel for Power<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y = x.powf::<I>(*y));
    }
}

/// The results on the best instruction set, then those on the baseline.
fn both<T: Float>(name: &'static str, x: &[T]) -> [Vec<T>; 2] {
    let mut best = vec![T::ZERO; x.len()];
    let mut baseline = best.clone();
    dispatch(Map { name, x, y: &mut best });
    Map { name, x, y: &mut baseline }.run::<Baseline>();
    [best, baseline]
}

fn both_powers<T: Float>(x: &[T], y: &[T]) -> [Vec<T>; 2] {
    let (mut best, mut baseline) = (y.to_vec(), y.to_vec());
    dispatch(Power { x, y: &mut best });
    Power { x, y: &mut baseline }.run::<Baseline>();
    [best, baseline]
}

/// The documented bounds, in ulp: f32, f64.
fn bound(name: &str) -> (f64, f64) {
    match name {
        "exp" | "ln" | "sin" | "cos" | "powf" | "exp2" | "log2" | "log10" => (1.0, 1.0),
        "rsqrt" => (1.5, 1.5),
        "gelu" | "ndtr" => (3.5, 2.0),
        "erfcx" | "log_ndtr" => (3.5, 3.5),
        _ => (2.0, 2.0),
    }
}

/// The distance of `got` from `expected` in units in the last place of an f32 of `expected`'s size.
fn ulps_f32(got: f32, expected: f64) -> f64 {
    let rounded = expected as f32;
    if got.to_bits() == rounded.to_bits() || (got.is_nan() && rounded.is_nan()) {
        return if rounded.is_finite() { distance_f32(got, expected) } else { 0.0 };
    }
    if !got.is_finite() && !rounded.is_finite() {
        return f64::INFINITY;
    }
    // An overflow that should have been the largest number, or the reverse, is a matter of ulps.
    let finite = |v: f32| if v.is_finite() { f64::from(v) } else { 2f64.powi(128).copysign(f64::from(v)) };
    if got.is_nan() || rounded.is_nan() || (got == 0.0 && rounded == 0.0) {
        return f64::INFINITY;
    }
    (finite(got) - expected).abs() / ulp_f32(expected)
}

fn distance_f32(got: f32, expected: f64) -> f64 {
    (f64::from(got) - expected).abs() / ulp_f32(expected)
}

fn ulp_f32(expected: f64) -> f64 {
    let exponent = ((expected.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    2f64.powi(exponent - 23)
}

fn reference(name: &str, x: f64) -> f64 {
    match name {
        "exp" => x.exp(),
        "exp_m1" => x.exp_m1(),
        "ln" => x.ln(),
        "ln_1p" => x.ln_1p(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "sigmoid" if x < 0.0 => x.exp() / (1.0 + x.exp()),
        "sigmoid" => 1.0 / (1.0 + (-x).exp()),
        "softplus" => x.max(0.0) + if x.is_nan() { x } else { (-x.abs()).exp().ln_1p() },
        // Not in the standard library: the f64 functions, which have golden values.
        "ndtr" => Transcendental::ndtr::<Baseline>(x),
        "erfcx" => Transcendental::erfcx::<Baseline>(x),
        "log_ndtr" => Transcendental::log_ndtr::<Baseline>(x),
        "ndtri" => Transcendental::ndtri::<Baseline>(x),
        "erfinv" => Transcendental::erfinv::<Baseline>(x),
        "lgamma" => Transcendental::lgamma::<Baseline>(x),
        "digamma" => Transcendental::digamma::<Baseline>(x),
        "exp2" => x.exp2(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        // The standard library's are less accurate than these, which have golden values.
        "asinh" => Transcendental::asinh::<Baseline>(x),
        "acosh" => Transcendental::acosh::<Baseline>(x),
        "atanh" => Transcendental::atanh::<Baseline>(x),
        "erf" => Transcendental::erf::<Baseline>(x),
        "erfc" => Transcendental::erfc::<Baseline>(x),
        "gelu" => Transcendental::gelu::<Baseline>(x),
        "rsqrt" => 1.0 / x.sqrt(),
        _ => panic!("no reference for {name}"),
    }
}

fn f32_is_within_its_bound(name: &'static str) {
    // Every 1021st bit pattern: 8225 significands for each exponent and sign, zeros, infinities and NaNs included.
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(1021).map(f32::from_bits).collect();
    x.extend([0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN]);
    x.extend([f32::MIN_POSITIVE, f32::from_bits(1), -f32::from_bits(1)]);
    // Densely where the results are interesting.
    x.extend((0..400_000).map(|i| -110.0 + 200.0 * (i as f32 / 400_000.0)));
    x.extend((0..400_000).map(|i| -5.0 + 10.0 * (i as f32 / 400_000.0)));
    let [best, baseline] = both(name, &x);
    let mut worst = [(0.0, 0.0); 2];
    for ((&x, &best), &baseline) in x.iter().zip(&best).zip(&baseline) {
        let exact = reference(name, f64::from(x));
        for (worst, y) in worst.iter_mut().zip([best, baseline]) {
            let ulps = ulps_f32(y, exact);
            if ulps > worst.0 {
                *worst = (ulps, x);
            }
        }
    }
    for (level, (worst, at)) in ["dispatch", "baseline"].into_iter().zip(worst) {
        println!("f32 {name:>9} {level:>9}: {worst:.3} ulp at {at:e}");
        assert!(worst <= bound(name).0, "{name} ({level}): {worst} ulp at {at:e}");
    }
}

/// Where an angle is close to a multiple of π/2 and most of its digits are lost to that, on both sides of where they are reduced
/// another way; and the same in a loop that knows that its numbers are near.
#[test]
fn angles_close_to_multiples_of_a_quadrant() {
    fn check<T: Float>(
        multiples: impl Iterator<Item = f64>,
        neighbour: impl Fn(T, i32) -> T,
        ulps: impl Fn(T, f64) -> f64,
    ) {
        let x: Vec<T> = multiples
            .flat_map(|k| {
                let x = T::from_f64(k * std::f64::consts::FRAC_PI_2);
                (-2..=2).flat_map(|step| [neighbour(x, step), -neighbour(x, step)]).collect::<Vec<_>>()
            })
            .collect();
        let near: Vec<T> = x.iter().copied().filter(|x| x.is_near()).collect();
        assert!(near.len() > 10_000 && near.len() < x.len());
        for (name, bound) in [("sin", 1.0), ("cos", 1.0), ("tan", 2.0)] {
            for y in both(name, &x) {
                for (&x, &y) in x.iter().zip(&y) {
                    let error = ulps(y, reference(name, x.to_f64()));
                    assert!(error <= bound, "{name} {x:?} is {y:?}: {error} ulp");
                }
            }
            let all = both(name, &near)[0].clone();
            let tensor = wengert_tensor::Tensor::from_vec(near.clone(), [near.len()]).unwrap();
            let tensor = match name {
                "sin" => tensor.sin(),
                "cos" => tensor.cos(),
                _ => tensor.tan(),
            };
            assert!(
                tensor.to_vec().iter().zip(&all).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits()),
                "{name}"
            );
        }
    }
    let beyond = (0..200).map(|i| 1e3 * f64::from(i) + 1000.0);
    let neighbour = |x: f32, step: i32| f32::from_bits(x.to_bits().wrapping_add_signed(step));
    check((1..3000).map(f64::from).chain(beyond), neighbour, ulps_f32);
    let beyond = (0..200).map(|i| 1e7 * f64::from(i) + 600_000.0);
    let neighbour = |x: f64, step: i32| f64::from_bits(x.to_bits().wrapping_add_signed(step.into()));
    check(
        (1..3000).map(f64::from).chain((1..3000).map(|k| 211.0 * f64::from(k))).chain(beyond),
        neighbour,
        |y, expected| (y - expected).abs() / (expected.abs() * f64::EPSILON).max(f64::MIN_POSITIVE),
    );
}

/// Blocks of which some are near, and rows that are no whole number of blocks.
#[test]
fn angles_of_which_some_are_far() {
    let x = wengert_tensor::Tensor::<f32>::from_fn([1700], |i| {
        if i[0] % 700 == 3 { 1e20 + 3e18 * i[0] as f32 } else { 0.37 * i[0] as f32 }
    });
    let expected = both("sin", &x.to_vec())[0].clone();
    assert_eq!(x.sin().to_vec(), expected);
    let part = x.slice_axis(0, wengert_tensor::Slice::from(1..).step(2));
    assert_eq!(part.sin().to_vec(), expected.iter().skip(1).step_by(2).copied().collect::<Vec<_>>());
}

#[test]
fn f32_powers_are_within_their_bound() {
    let mut pairs = Vec::new();
    for i in 0..1500u32 {
        let x = f32::from_bits(i.wrapping_mul(2_863_311));
        for j in 0..500u32 {
            pairs.push((
                x,
                if j % 2 == 0 { f32::from_bits(j * 8_589_935) } else { (j as f32 - 250.0) * 0.25 },
            ));
        }
    }
    let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
    for (level, result) in ["dispatch", "baseline"].into_iter().zip(both_powers(&x, &y)) {
        let mut worst = 0.0;
        for ((&x, &y), &z) in x.iter().zip(&y).zip(&result) {
            let ulps = ulps_f32(z, f64::from(x).powf(f64::from(y)));
            assert!(ulps <= bound("powf").0, "{level}: {x:e} to the {y:e} is {z:e}: {ulps} ulp");
            worst = f64::max(worst, ulps);
        }
        println!("f32      powf {level:>9}: {worst:.3} ulp");
    }
}

/// A number and what `transcendental.txt` has for it.
struct Golden {
    arguments: Vec<f64>,
    value: f64,
    /// The exact result less `value`, in ulp of `value`.
    rest: f64,
}

impl Golden {
    fn ulps(&self, got: f64) -> f64 {
        if got.to_bits() == self.value.to_bits() {
            return self.rest.abs();
        }
        if !(got.is_finite() && self.value.is_finite()) {
            return f64::INFINITY;
        }
        let exponent = ((self.value.abs().to_bits() >> 52) as i32 - 1023).clamp(-1022, 1023);
        // The unit itself may be subnormal: both sides times 2⁶⁰.
        let unit = 2f64.powi(exponent - 52 + if exponent < 0 { 60 } else { -60 });
        let factor = 2f64.powi(if exponent < 0 { 60 } else { -60 });
        ((got * factor - self.value * factor) / unit - self.rest).abs()
    }
}

fn golden(name: &str) -> Vec<Golden> {
    let texts = [include_str!("golden/transcendental.txt"), include_str!("golden/special.txt")];
    let mut sections = texts.iter().flat_map(|text| text.split("# "));
    let section = sections.find(|s| s.lines().next() == Some(name)).expect("a section of a golden file");
    let count = match name {
        "powf" | "polygamma" | "erfcx_derivative" => 2,
        "bessel_i" | "log_gamma_sample" => 3,
        _ => 1,
    };
    let float = |field: &str| f64::from_bits(u64::from_str_radix(field, 16).expect("hexadecimal bits"));
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let rest = fields.get(count + 1).map_or(0.0, |f| f.parse::<f64>().expect("an integer") / 256.0);
        Golden {
            arguments: fields[..count].iter().map(|f| float(f)).collect(),
            value: float(fields[count]),
            rest,
        }
    };
    section.lines().skip(1).map(parse).collect()
}

#[test]
fn f64_agrees_with_golden_values() {
    let mut failures = String::new();
    for &name in NAMES.iter().chain(&["powf"]) {
        let golden = golden(name);
        assert!(golden.len() > 150, "{name} has {} golden values", golden.len());
        let x: Vec<f64> = golden.iter().map(|g| g.arguments[0]).collect();
        let results = if name == "powf" {
            both_powers(&x, &golden.iter().map(|g| g.arguments[1]).collect::<Vec<_>>())
        } else {
            both(name, &x)
        };
        for (level, result) in ["dispatch", "baseline"].into_iter().zip(results) {
            let (mut worst, mut at) = (0.0, 0);
            for (i, (g, &y)) in golden.iter().zip(&result).enumerate() {
                let ulps = g.ulps(y);
                if ulps > worst {
                    (worst, at) = (ulps, i);
                }
            }
            println!("f64 {name:>9} {level:>9}: {worst:.3} ulp at {:?}", golden[at].arguments);
            if worst > bound(name).1 {
                let g = &golden[at];
                failures += &format!(
                    "{name} ({level}): {worst} ulp at {:?}, {:e} for {:e}\n",
                    g.arguments, result[at], g.value
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// What the standard library has not, or less accurate.
const OURS_ALONE: &[&str] =
    &["erf", "erfc", "gelu", "ndtr", "ndtri", "erfinv", "lgamma", "digamma", "asinh", "acosh", "atanh"];

#[test]
fn f64_agrees_with_the_standard_library_over_all_exponents() {
    let x: Vec<f64> = (0..1u64 << 20).map(|i| f64::from_bits(i * 17_592_186_044_399)).collect();
    for &name in NAMES.iter().filter(|n| !OURS_ALONE.contains(*n)) {
        for (level, result) in ["dispatch", "baseline"].into_iter().zip(both(name, &x)) {
            for (&x, &y) in x.iter().zip(&result) {
                let expected = reference(name, x);
                let steps = ordered(y).abs_diff(ordered(expected));
                let same = steps <= 4 || (y.is_nan() && expected.is_nan());
                assert!(same, "{name} ({level}) of {x:e} is {y:e}, not {expected:e}");
            }
        }
    }
}

/// Consecutive integers for consecutive floating-point numbers.
fn ordered(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

#[test]
fn special_values() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let cases: &[(&str, &[(f64, f64)])] = &[
        ("exp", &[(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (710.0, inf), (-746.0, 0.0)]),
        ("exp_m1", &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (5e-324, 5e-324)]),
        ("ln", &[(1.0, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan), (-inf, nan)]),
        ("ln_1p", &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -inf), (inf, inf), (-1.5, nan), (5e-324, 5e-324)]),
        ("sin", &[(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (5e-324, 5e-324)]),
        ("cos", &[(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan)]),
        ("tan", &[(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan)]),
        ("asin", &[(0.0, 0.0), (-0.0, -0.0), (1.5, nan), (-1.5, nan), (inf, nan)]),
        ("acos", &[(1.0, 0.0), (1.5, nan), (-1.5, nan), (-1.0, std::f64::consts::PI)]),
        (
            "atan",
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (inf, std::f64::consts::FRAC_PI_2),
                (-inf, -std::f64::consts::FRAC_PI_2),
            ],
        ),
        ("sinh", &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf)]),
        ("cosh", &[(0.0, 1.0), (inf, inf), (-inf, inf)]),
        ("tanh", &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0)]),
        ("sigmoid", &[(0.0, 0.5), (inf, 1.0), (-inf, 0.0)]),
        ("softplus", &[(inf, inf), (-inf, 0.0), (1e300, 1e300)]),
        ("erf", &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0)]),
        ("erfc", &[(0.0, 1.0), (inf, 0.0), (-inf, 2.0)]),
        ("gelu", &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -0.0), (1e300, 1e300)]),
        (
            "exp2",
            &[(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (10.0, 1024.0), (-3.0, 0.125), (1024.0, inf)],
        ),
        ("log2", &[(1.0, 0.0), (8.0, 3.0), (0.25, -2.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan)]),
        ("log10", &[(1.0, 0.0), (1000.0, 3.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan)]),
        ("asinh", &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -inf), (5e-324, 5e-324)]),
        ("acosh", &[(1.0, 0.0), (inf, inf), (0.5, nan), (0.0, nan), (-1.0, nan), (-4.0, nan), (-inf, nan)]),
        (
            "atanh",
            &[(0.0, 0.0), (-0.0, -0.0), (1.0, inf), (-1.0, -inf), (1.5, nan), (inf, nan), (5e-324, 5e-324)],
        ),
        ("ndtr", &[(0.0, 0.5), (-0.0, 0.5), (inf, 1.0), (-inf, 0.0), (50.0, 1.0), (-50.0, 0.0)]),
        ("ndtri", &[(0.5, 0.0), (0.0, -inf), (1.0, inf), (1.5, nan), (-0.5, nan), (inf, nan), (-inf, nan)]),
        ("erfinv", &[(0.0, 0.0), (-0.0, -0.0), (1.0, inf), (-1.0, -inf), (1.5, nan), (-inf, nan)]),
        ("erfcx", &[(0.0, 1.0), (-0.0, 1.0), (inf, 0.0), (-inf, inf), (-30.0, inf)]),
        ("log_ndtr", &[(-inf, -inf), (inf, -0.0), (50.0, -0.0), (-1e200, -inf)]),
        ("lgamma", &[(1.0, 0.0), (2.0, 0.0), (0.0, inf), (-0.0, inf), (-3.0, inf), (inf, inf), (-inf, inf)]),
        ("digamma", &[(0.0, -inf), (-0.0, inf), (-2.0, nan), (inf, inf), (-inf, nan)]),
        ("rsqrt", &[(0.0, inf), (-0.0, -inf), (inf, 0.0), (-1.0, nan)]),
    ];
    for &(name, values) in cases {
        for &(x, expected) in values.iter().chain(&[(nan, nan)]) {
            for y in both(name, &[x]).concat() {
                assert!(
                    y.to_bits() == expected.to_bits() || (y.is_nan() && expected.is_nan()),
                    "{name}({x}) = {y}"
                );
            }
            let single = expected as f32;
            for y in both(name, &[x as f32])
                .concat()
                .into_iter()
                .filter(|_| f64::from(x as f32) == x || x.is_nan())
            {
                assert!(
                    y.to_bits() == single.to_bits() || (y.is_nan() && single.is_nan()),
                    "f32 {name}({x}) = {y}"
                );
            }
        }
    }
}

#[test]
fn powers_have_the_special_cases_of_the_standard_library() {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -2.0,
        3.0,
        -3.0,
        1e300,
        -1e300,
        1e-310,
        9007199254740993.0,
        4503599627370497.0,
        -4503599627370497.0,
        1e17,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MAX,
        5e-324,
    ];
    let (x, y): (Vec<f64>, Vec<f64>) =
        special.iter().flat_map(|&x| special.iter().map(move |&y| (x, y))).unzip();
    let single = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<f32>>();
    for (got, got_single) in both_powers(&x, &y).into_iter().zip(both_powers(&single(&x), &single(&y))) {
        for i in 0..x.len() {
            let expected = x[i].powf(y[i]);
            let close = ordered(got[i]).abs_diff(ordered(expected)) <= 1;
            assert!(
                close || (got[i].is_nan() && expected.is_nan()),
                "{} to the {} is {}",
                x[i],
                y[i],
                got[i]
            );
            let (x, y) = (x[i] as f32, y[i] as f32);
            let expected = x.powf(y);
            let close = got_single[i].to_bits().abs_diff(expected.to_bits()) <= 1;
            assert!(
                close || (got_single[i].is_nan() && expected.is_nan()),
                "{x} to the {y} is {}",
                got_single[i]
            );
        }
    }
}

#[test]
fn sine_and_cosine_of_turns() {
    let turns: Vec<f32> =
        (-4000..4000).map(|i| i as f32 / 999.0).chain([0.0, 0.25, 0.5, 0.75, 1.0, -0.125, 4097.5]).collect();
    for x in turns {
        let (sin, cos) = x.sin_cos_turns::<Baseline>();
        let (expected_sin, expected_cos) = (std::f64::consts::TAU * f64::from(x)).sin_cos();
        let close = |got: f32, expected: f64| (f64::from(got) - expected).abs() <= 1e-7;
        assert!(close(sin, expected_sin) && close(cos, expected_cos), "{x}: {sin} {cos}");
        let (sin, cos) = f64::from(x).sin_cos_turns::<Baseline>();
        assert!((sin - expected_sin).abs() < 1e-11 && (cos - expected_cos).abs() < 1e-11, "{x}: {sin} {cos}");
    }
    let exact = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25].map(|x: f64| x.sin_cos_turns::<Baseline>());
    assert_eq!(exact, [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 1.0), (1.0, 0.0)]);
}

/// The angle of (x, y) over slices; y is in the output.
struct Angle<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel for Angle<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y = y.atan2::<I>(*x));
    }
}

#[test]
fn angles() {
    let special = [0.0, -0.0, 1.0, -1.0, 1e-320, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let mut numbers = special.to_vec();
    numbers.extend((0..150).map(|i| (f64::from(i) * 0.77).sin() * 10f64.powi(i % 7 - 3)));
    for &y in &numbers {
        let mut angles = vec![y; numbers.len()];
        let mut baseline = angles.clone();
        dispatch(Angle { x: &numbers, y: &mut angles });
        Angle { x: &numbers, y: &mut baseline }.run::<Baseline>();
        let mut single: Vec<f32> = vec![y as f32; numbers.len()];
        let x: Vec<f32> = numbers.iter().map(|&x| x as f32).collect();
        dispatch(Angle { x: &x, y: &mut single });
        for (i, &x) in numbers.iter().enumerate() {
            let expected = y.atan2(x);
            for found in [angles[i], baseline[i]] {
                let same = ordered(found).abs_diff(ordered(expected)) <= 2;
                assert!(
                    same || (found.is_nan() && expected.is_nan()),
                    "atan2({y}, {x}) = {found}, not {expected}"
                );
            }
            let (found, expected) = (single[i], f64::from(y as f32).atan2(f64::from(x as f32)));
            assert!(ulps_f32(found, expected) <= 0.51, "atan2({y}, {x}) = {found} of f32, not {expected}");
        }
    }
}

/// A function with an order.
#[derive(Clone, Copy)]
enum Family {
    Polygamma,
    Sinc,
    Bessel { scaled: bool },
    Erfcx,
}

/// A function with an order, over numbers of one order.
struct Ordered<'a, T> {
    family: Family,
    order: u32,
    x: &'a mut [T],
}

impl<T: Float> Kernel for Ordered<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for x in self.x {
            *x = match self.family {
                Family::Polygamma => x.polygamma::<I>(self.order),
                Family::Sinc => x.sinc_derivative::<I>(self.order),
                Family::Bessel { scaled } => x.bessel_i::<I>(self.order, scaled),
                Family::Erfcx => x.erfcx_derivative::<I>(self.order),
            };
        }
    }
}

fn of_order(family: Family, order: u32, x: f64) -> f64 {
    let mut x = [x];
    dispatch(Ordered { family, order, x: &mut x });
    x[0]
}

fn polygamma(order: u32, x: f64) -> f64 {
    of_order(Family::Polygamma, order, x)
}

fn sinc_derivative(order: u32, x: f64) -> f64 {
    of_order(Family::Sinc, order, x)
}

/// Those of the lowest orders, which have formulas of their own, against double precision.
#[test]
fn single_precision_of_an_order_is_within_an_ulp() {
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(100_003).map(f32::from_bits).collect();
    x.extend((0..100_000).map(|i| -100.0 + 200.0 * (i as f32 / 100_000.0)));
    x.extend((0..100_000).map(|i| -5.0 + 10.0 * (i as f32 / 100_000.0)));
    x.extend([0.0, -0.0, 1.0, -2.0, 0.5, 16_777_216.0, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    let bessel = [false, true].map(|scaled| Family::Bessel { scaled });
    for (family, order) in [Family::Sinc, bessel[0], bessel[1]].into_iter().flat_map(|f| [(f, 0), (f, 1)]) {
        let name = match family {
            Family::Sinc => "sinc",
            Family::Bessel { scaled: true } => "scaled I",
            _ => "I",
        };
        let mut single = x.clone();
        dispatch(Ordered { family, order, x: &mut single });
        let mut worst = (0.0, 0.0);
        for (&x, &y) in x.iter().zip(&single) {
            let exact = of_order(family, order, f64::from(x));
            // The zeros of sinc, which it goes through, have either sign.
            let zeros = matches!(family, Family::Sinc) && y == 0.0 && exact == 0.0;
            let ulps = if zeros { 0.0 } else { ulps_f32(y, exact) };
            worst = if ulps > worst.0 { (ulps, x) } else { worst };
        }
        println!("f32 {name} of order {order}: {:.3} ulp at {:e}", worst.0, worst.1);
        assert!(worst.0 <= 1.0, "{name} of order {order}: {} ulp at {:e}", worst.0, worst.1);
    }
}

#[test]
fn bessel_functions_agree_with_golden_values() {
    let mut worst = [0.0; 4];
    for golden in golden("bessel_i") {
        let [order, scaled, x] = [golden.arguments[0], golden.arguments[1], golden.arguments[2]];
        let scaled = scaled == 1.0;
        let ulps = golden.ulps(of_order(Family::Bessel { scaled }, order as u32, x));
        let bound = if order < 2.0 && scaled { 8.0 } else { 12.0 };
        assert!(ulps <= bound, "I{order}({x:e}), scaled: {scaled}: {ulps} ulp");
        let kind = 2 * usize::from(order < 2.0) + usize::from(scaled);
        worst[kind] = f64::max(worst[kind], ulps);
    }
    println!("bessel_i: {worst:.2?} ulp");
    let inf = f64::INFINITY;
    for (order, scaled, x, expected) in [
        (0, false, 0.0, 1.0),
        (1, false, -0.0, -0.0),
        (3, false, 0.0, 0.0),
        (0, false, -inf, inf),
        (1, false, -inf, -inf),
        (1, true, -inf, -0.0),
        (2, true, inf, 0.0),
        (0, false, 720.0, inf),
        (4, false, 1e300, inf),
    ] {
        let found = of_order(Family::Bessel { scaled }, order, x);
        assert_eq!(found.to_bits(), f64::to_bits(expected), "I{order}({x}), scaled: {scaled}: {found}");
    }
    assert!(of_order(Family::Bessel { scaled: true }, 2, f64::NAN).is_nan());
}

#[test]
fn derivatives_of_the_scaled_error_function_agree_with_golden_values() {
    let mut worst = 0.0;
    for golden in golden("erfcx_derivative") {
        let [order, x] = [golden.arguments[0], golden.arguments[1]];
        let ulps = golden.ulps(of_order(Family::Erfcx, order as u32, x));
        assert!(
            ulps <= 20.0,
            "erfcx derivative {order} at {x:e}: {ulps} ulp, {:e} {:e}",
            of_order(Family::Erfcx, order as u32, x),
            golden.value
        );
        worst = f64::max(worst, ulps);
    }
    println!("erfcx_derivative: {worst:.2} ulp");
    let inf = f64::INFINITY;
    for (order, x, expected) in [(1, inf, -0.0), (2, inf, 0.0), (1, -inf, -inf), (2, -40.0, inf)] {
        assert_eq!(of_order(Family::Erfcx, order, x), expected, "erfcx derivative {order} at {x}");
    }
    assert!(of_order(Family::Erfcx, 2, f64::NAN).is_nan());
}

#[test]
fn gamma_numbers_agree_with_golden_values() {
    let mut worst = [0.0; 3];
    for golden in golden("log_gamma_sample") {
        let [order, a, w] = [golden.arguments[0], golden.arguments[1], golden.arguments[2]];
        let found = log_gamma_sample_derivative(order as u32, a, w);
        // Of the logarithm, an error is one of the number relative to it.
        let size = if order == 0.0 { golden.value.abs().max(1.0) } else { golden.value.abs() };
        let error = (found - golden.value).abs() / size;
        worst[order as usize] = f64::max(worst[order as usize], error);
    }
    println!("log_gamma_sample: {worst:?} by order");
    assert!(worst[0] < 3e-11 && worst[1] < 1e-8 && worst[2] < 1e-6, "{worst:?}");
    for (a, w) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
        assert!(log_gamma_sample_derivative(0, a, w).is_nan(), "shape {a}, number {w}");
    }
    // Too small for a number, but not its logarithm.
    assert!(log_gamma_sample_derivative(0, 1e-3, -8.0) < -3e4);
}

#[test]
fn polygamma_agrees_with_golden_values() {
    let mut worst = [0.0; 6];
    for golden in golden("polygamma") {
        let [order, x] = [golden.arguments[0], golden.arguments[1]];
        let ulps = golden.ulps(polygamma(order as u32, x));
        assert!(ulps <= 10.0, "polygamma({order}, {x:e}): {ulps} ulp");
        worst[order as usize] = f64::max(worst[order as usize], ulps);
    }
    println!("polygamma: {worst:.2?} ulp by order");
    assert_eq!(polygamma(0, 2.5), Transcendental::digamma::<Baseline>(2.5));
}

/// The derivative of the digamma function has an algorithm of its own for `f32`.
#[test]
fn polygamma_of_single_precision() {
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(16_381).map(f32::from_bits).collect();
    x.extend((0..200_000).map(|i| -20.0 + 40.0 * (i as f32 / 200_000.0)));
    x.extend([
        0.0,
        -0.0,
        -3.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::from_bits(1),
        -f32::from_bits(1),
    ]);
    let (mut best, mut baseline) = (x.clone(), x.clone());
    dispatch(Ordered { family: Family::Polygamma, order: 1, x: &mut best });
    Ordered { family: Family::Polygamma, order: 1, x: &mut baseline }.run::<Baseline>();
    for (i, &x) in x.iter().enumerate() {
        let expected = polygamma(1, f64::from(x));
        for found in [best[i], baseline[i]] {
            let ulps = ulps_f32(found, expected);
            assert!(ulps <= 1.0, "polygamma(1, {x:e}) = {found:e} of f32, not {expected:e}: {ulps} ulp");
        }
    }
}

#[test]
fn polygamma_at_poles_and_ends() {
    let inf = f64::INFINITY;
    for (order, x, expected) in [
        (1, 0.0, inf),
        (1, -0.0, inf),
        (1, -3.0, inf),
        (2, 0.0, -inf),
        (2, -0.0, inf),
        (3, -7.0, inf),
        (1, inf, 0.0),
        (2, inf, 0.0),
        (1, 1e200, 1e-200),
        (2, -1e-120, inf),
        (2, 1e-120, -inf),
    ] {
        let found = polygamma(order, x);
        let near = found == expected || (found / expected - 1.0).abs() < 1e-15;
        assert!(near, "polygamma({order}, {x}) = {found}");
    }
    for (order, x) in [(1, f64::NAN), (1, -inf), (2, -3.0), (4, -inf)] {
        assert!(polygamma(order, x).is_nan(), "polygamma({order}, {x})");
    }
    // Reflected, by mpmath.
    for (order, x, expected) in [
        (1, -0.5, 8.934_802_200_544_679),
        (1, -2.3, 14.725_912_160_961_291),
        (2, -2.3, 68.713_792_529_270_3),
        (3, -10.75, 1_558.544_057_391_479_5),
        (1, -1e6 + 0.25, 19.739_207_802_178_967),
    ] {
        let found = polygamma(order, x);
        assert!((found / expected - 1.0).abs() < 2e-14, "polygamma({order}, {x}) = {found}");
    }
}

#[test]
fn sinc_and_its_derivatives() {
    // By mpmath.
    for (order, x, expected) in SINC {
        let (found, size) = (sinc_derivative(*order, *x), std::f64::consts::PI.powi(*order as i32));
        let error = (found - expected).abs() / size.min(size / x.abs().max(0.1));
        assert!(error < 3e-15, "derivative {order} of sinc at {x}: {found}, not {expected}");
    }
    for n in 1..50 {
        assert_eq!(sinc_derivative(0, f64::from(n)).abs(), 0.0);
        assert_eq!(sinc_derivative(0, -f64::from(n) * 1e15).abs(), 0.0);
    }
    for (order, x, expected) in [
        (0, 0.0, 1.0),
        (0, 5e-324, 1.0),
        (0, 1e-200, 1.0),
        (1, 0.0, 0.0),
        (3, -0.0, 0.0),
        (0, f64::INFINITY, 0.0),
    ] {
        assert_eq!(sinc_derivative(order, x), expected, "derivative {order} at {x}");
    }
    assert!(sinc_derivative(2, f64::NEG_INFINITY) == 0.0 && sinc_derivative(1, f64::NAN).is_nan());
}
/// Order, argument, value, by mpmath: the n-th derivative is πⁿ ∫₀¹ sⁿ cos(πxs + nπ/2) ds.
#[rustfmt::skip]
const SINC: &[(u32, f64, f64)] = &[
    (0, 0.001, 0.999998355066745),
    (0, 0.1, 0.983631643083466),
    (0, -0.3, 0.8583936913341398),
    (0, 0.47, 0.6742493949823776),
    (0, 0.5, std::f64::consts::FRAC_2_PI),
    (0, 0.77, 0.27337935660150897),
    (0, -1.3, -0.19809085184633995),
    (0, 2.6, 0.11643488132933183),
    (0, 7.25, -0.031045390212314002),
    (0, 100.3, 0.002567478638088138),
    (1, 0.001, -0.0032898648867278964),
    (1, 0.1, -0.325751267883124),
    (1, -0.3, 0.9020281301388888),
    (1, 0.47, -1.2343427269443898),
    (1, 0.5, -1.2732395447351628),
    (1, 0.77, -1.3292083457558033),
    (1, -1.3, 0.29976492342010236),
    (1, 2.6, -0.16363533680933828),
    (1, 7.25, -0.09324984703092876),
    (1, 100.3, 0.005834673715397729),
    (2, 0.001, -3.289858392793072),
    (2, 0.1, -3.193029835964854),
    (2, -0.3, -2.4584852862661744),
    (2, 0.47, -1.4020525538333584),
    (2, 0.5, -1.1902271282389358),
    (2, 0.77, 0.7543431086741029),
    (2, -1.3, 2.416255148459873),
    (2, 2.6, -1.0232928812011073),
    (2, 7.25, 0.3321298156056608),
    (2, 100.3, -0.025456342907162602),
    (3, 0.001, 0.01948179531659038),
    (3, 0.1, 1.9253792898320052),
    (3, -0.3, -5.24749315292437),
    (3, 0.47, 6.973076251473552),
    (3, 0.5, 7.141362769433615),
    (3, 0.77, 6.675675568971846),
    (3, -1.3, 1.1135057941987754),
    (3, 2.6, 2.353751588960658),
    (3, 7.25, 0.82516893142371),
    (3, 100.3, -0.05707715736988829),
    (4, 0.001, 19.48174953618773),
    (4, 0.1, 18.799492671762525),
    (4, -0.3, 13.648773849855683),
    (4, 0.47, 6.33269089568457),
    (4, 0.5, 4.8816512051307255),
    (4, 0.77, -8.049199490515665),
    (4, -1.3, -15.86967814604545),
    (4, 2.6, 7.72065966423345),
    (4, 7.25, -3.479368858714642),
    (4, 100.3, 0.2523720179076129),
    (5, 0.001, -0.13734113765443426),
    (5, 0.1, -13.559125845367854),
    (5, -0.3, 36.627473667589356),
    (5, 0.47, -47.864785573028215),
    (5, 0.5, -48.81651205130725),
    (5, 0.77, -42.62550651255591),
    (5, -1.3, -16.99443352401973),
    (5, 2.6, -26.424754945111673),
    (5, 7.25, -7.100935796660364),
    (5, 100.3, 0.558262881948796),
];

/// There erfc is subnormal or 0, and has no digits to be inverted by. Numbers of 40 digits, rounded.
#[test]
fn ndtri_of_subnormal_numbers() {
    let exact = [
        (5e-324, -38.467_405_617_144_346),
        (1e-320, -38.269_125_343_032_65),
        (3.809_208_696_104e-310, -37.627_558_439_113_757),
        (f64::MIN_POSITIVE, -37.519_379_347_144_5),
        (1e-300, -37.047_096_299_361_2),
    ];
    for (p, exact) in exact {
        for y in both("ndtri", &[p]).concat() {
            assert!((y - exact).abs() <= 1.5e-14, "ndtri({p:e}) = {y}, not {exact}");
        }
    }
}
