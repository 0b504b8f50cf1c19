//! Zeros, infinities, subnormal numbers, and what is no number.

use crate::{both, both_powers, ordered};

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
