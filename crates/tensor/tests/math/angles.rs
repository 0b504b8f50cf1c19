//! Sine, cosine, tangent, and the angle of a point.

use wengert_tensor::Float;
use wengert_tensor::math::Transcendental;
use wengert_tensor::simd::{Baseline, Isa, Kernel, dispatch};

use crate::{both, ordered, reference, ulps_f32};

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
