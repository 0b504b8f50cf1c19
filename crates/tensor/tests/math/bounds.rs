//! Errors over all exponents, against double precision, the standard library and golden values.

use crate::golden::golden;
use crate::{NAMES, both, both_powers, bound, ordered, reference, ulps_f32};

pub(crate) fn f32_is_within_its_bound(name: &'static str) {
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
