//! Gradients near both ends of the range: whatever is finite gives a finite step, that of the formula.

use std::collections::BTreeMap;

use serde::Deserialize;
use wengert_optim::first::*;
use wengert_optim::*;
use wengert_tensor::Float;

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

#[derive(Deserialize)]
struct Golden {
    steps: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

fn number(i: usize, t: usize) -> f64 {
    (0.7 * t as f64 + 1.3 * i as f64).sin() + 0.1
}

/// As in `golden/extremes.py`.
fn gradient(kind: &str, i: usize, t: usize) -> f64 {
    let exponent = match kind {
        "mixed" => -28.0 + 56.0 * i as f64 / 7.0,
        "jumping" => [-25.0, 25.0][t % 2],
        number => number.parse().unwrap(),
    };
    f64::from((number(i, t) * 10f64.powf(exponent)) as f32)
}

/// The method of this name; Adafactor's ε, which is else that of the precision, is the same in both.
fn build<T: Float>(name: &str) -> Box<dyn Optimizer<T>> {
    build_for(name, &layout())
}

fn build_for<T: Float>(name: &str, layout: &Layout) -> Box<dyn Optimizer<T>> {
    if name == "adafactor" {
        let config = AdafactorConfig { epsilon: Some(2f64.powi(-23)), ..Default::default() };
        return Box::new(Adafactor::with_layout(0.01, config, layout).unwrap());
    }
    by_name(name, None, layout).unwrap()
}

/// The parameters after some steps, and the largest distances from the start on the way.
struct Run {
    last: Vec<f64>,
    way: Vec<f64>,
}

fn run<T: Float>(
    optimizer: &mut dyn Optimizer<T>,
    start: f64,
    steps: usize,
    gradient: impl Fn(usize, usize) -> f64,
) -> Run {
    run_of(8, optimizer, start, steps, gradient)
}

/// The same with this many parameters, the gradients repeating after eight.
fn run_of<T: Float>(
    len: usize,
    optimizer: &mut dyn Optimizer<T>,
    start: f64,
    steps: usize,
    gradient: impl Fn(usize, usize) -> f64,
) -> Run {
    let mut params = vec![T::from_f64(start); len];
    let mut way = vec![0.0f64; len];
    for t in 0..steps {
        let grads: Vec<T> = (0..len).map(|i| T::from_f64(gradient(i % 8, t))).collect();
        // Both gradients of SAM.
        for _ in 0..optimizer.gradients_per_step() {
            optimizer.step(&mut params, &grads);
        }
        for (way, p) in way.iter_mut().zip(&params) {
            *way = Float::maximum(*way, (p.to_f64() - start).abs());
        }
    }
    Run { last: params.iter().map(|p| p.to_f64()).collect(), way }
}

/// Compares by the longest way from the start, since steps cancel, and by the rounding of f32.
#[track_caller]
fn close(what: &str, got: &Run, expected: &[f64], tolerance: f64) {
    for (i, ((a, way), b)) in got.last.iter().zip(&got.way).zip(expected).enumerate() {
        let allowed = tolerance * (way + 1e-3 * b.abs()) + 1e-44;
        assert!((a - b).abs() <= allowed, "{what}, element {i}: {a:e}, not {b:e}, {allowed:e} allowed");
    }
}

const KINDS: [&str; 13] =
    ["-30", "-25", "-20", "-12", "0", "12", "19", "20", "21", "25", "30", "mixed", "jumping"];

#[test]
fn single_precision_makes_the_steps_of_torch_in_double() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/extremes.json")).unwrap();
    assert!(golden.steps.len() >= 13 && golden.steps.values().all(|kinds| kinds.len() == KINDS.len()));
    for (name, kinds) in &golden.steps {
        for (kind, expected) in kinds {
            let label = format!("{name}, {kind}");
            let of = |i, t| gradient(kind, i, t);
            close(&label, &run(&mut *build::<f64>(name), 0.0, 8, of), expected, 1e-9);
            let single = run(&mut *build::<f32>(name), 0.0, 8, of);
            close(&label, &single, expected, 2e-4);
        }
    }
}

#[test]
fn every_method_makes_the_same_steps_in_both_precisions() {
    for method in first::methods::<f32>() {
        for kind in KINDS {
            for start in [0.0, 1.0, -3e-8] {
                let of = |i, t| gradient(kind, i, t);
                let single = run(&mut *build::<f32>(method.name), start, 8, of);
                let label = format!("{}, {kind}, from {start}", method.name);
                assert!(single.last.iter().all(|x| x.is_finite()), "{label}: {:?}", single.last);
                // The roots of matrices whose rows differ so much are beyond f32.
                let conditioned = !["mixed", "jumping"].contains(&kind);
                if conditioned || !["shampoo", "muon"].contains(&method.name) {
                    let layout = Layout::new([("a", vec![10, 24]), ("b", vec![160])]);
                    let long = run_of(400, &mut *build_for::<f32>(method.name, &layout), start, 8, of);
                    assert!(long.last.iter().all(|x| x.is_finite()), "{label}: {:?}", long.last);
                    // Among 24 × 10 gradients that repeat after eight the roots are beyond f32 too.
                    if !["shampoo", "muon"].contains(&method.name) {
                        let double = run_of(400, &mut *build_for::<f64>(method.name, &layout), start, 8, of);
                        close(&label, &long, &double.last, 1e-3);
                    }
                    let double = run(&mut *build::<f64>(method.name), start, 8, of);
                    close(&label, &single, &double.last, 1e-3);
                }
            }
        }
    }
}

#[test]
fn one_extreme_in_a_block_changes_no_bit_of_its_neighbours() {
    // Ordinary gradients, and some that are not: of one scale, of another at every step, none, and not a number.
    let exponent = |i: usize, t: usize| match i % 97 {
        5 => -30,
        11 => 30,
        17 => [-25, 25][t % 2],
        23 => -17,
        29 => 13,
        _ => 0,
    };
    let gradient = |i: usize, t: usize| match i % 97 {
        31 => 0.0,
        37 if t > 1 => 0.0,
        41 if t == 3 => f32::NAN,
        43 if t == 2 => f32::INFINITY,
        _ => (number(i, t) * 10f64.powi(exponent(i, t))) as f32,
    };
    const LEN: usize = 300;
    let names = "adadelta adagrad adam adamax adamw adan amsgrad muon nadam radam rmsprop schedule_free_adamw shampoo";
    for name in names.split(' ') {
        let build = |len| by_name::<f32>(name, None, &Layout::flat(len)).unwrap();
        let (mut all, mut whole) = (build(LEN), vec![0.5f32; LEN]);
        let mut alone: Vec<_> = (0..LEN).map(|_| (build(1), [0.5f32])).collect();
        for t in 0..12 {
            let grads: Vec<f32> = (0..LEN).map(|i| gradient(i, t)).collect();
            all.step(&mut whole, &grads);
            for (i, (optimizer, x)) in alone.iter_mut().enumerate() {
                optimizer.step(x, &grads[i..=i]);
                let same = x[0].to_bits() == whole[i].to_bits() || (x[0].is_nan() && whole[i].is_nan());
                assert!(same, "{name}, step {t}, element {i}: {:e}, alone {:e}", whole[i], x[0]);
            }
        }
        let finite = whole.iter().filter(|x| x.is_finite()).count();
        assert!(finite >= LEN - 8, "{name}: {finite} of {LEN} are finite");
    }
}

#[test]
fn double_precision_has_no_ends_either() {
    for method in first::methods::<f64>() {
        let of_scale = |start: f64, scale: f64| {
            let mut optimizer = method.build(method.learning_rate, &layout()).unwrap();
            run(&mut *optimizer, start, 8, |i, t| number(i, t) * scale)
        };
        for start in [0.0, 1.0, 1e200] {
            for exponent in [-300, -200, -160, -20, 20, 153, 160, 200, 300] {
                let got = of_scale(start, 10f64.powi(exponent)).last;
                assert!(got.iter().all(|x| x.is_finite()), "{}, 1e{exponent}: {got:?}", method.name);
            }
            let mixed = |i: usize, t: usize| number(i, t) * 10f64.powi(-200 + 57 * i as i32);
            let mut optimizer = method.build(method.learning_rate, &layout()).unwrap();
            let got = run(&mut *optimizer, start, 8, mixed).last;
            assert!(got.iter().all(|x| x.is_finite()), "{}, mixed: {got:?}", method.name);
        }
        // Far above ε a step is as long as the gradient, or does not depend on its length.
        // (The first steps of RAdam, which are long, hide the others.)
        let linear = ["gradient_descent", "momentum", "nesterov", "sgd", "schedule_free_sgd", "radam", "sam"];
        let by = if linear.contains(&method.name) { 1e100 } else { 1.0 };
        // LARS and LAMB scale by the norm of the parameters, which is to be another than 0.
        let start = if by == 1.0 { 1.0 } else { 0.0 };
        let expected: Vec<f64> = of_scale(start, 1e100).last.iter().map(|x| x * by).collect();
        close(method.name, &of_scale(start, 1e200), &expected, 1e-9);
    }
}

#[test]
fn no_epsilon_is_needed() {
    let adam = AdamConfig { epsilon: 0.0, ..Default::default() };
    let adamw = AdamWConfig { epsilon: 0.0, ..Default::default() };
    let rmsprop = RmspropConfig { epsilon: 0.0, ..Default::default() };
    let adagrad = AdagradConfig { epsilon: 0.0, ..Default::default() };
    let amsgrad = AmsgradConfig { epsilon: 0.0, ..Default::default() };
    let adamax = AdaMaxConfig { epsilon: 0.0, beta2: 0.5, ..Default::default() };
    let nadam = NadamConfig { epsilon: 0.0, ..Default::default() };
    let radam = RAdamConfig { epsilon: 0.0, ..Default::default() };
    let adan = AdanConfig { epsilon: 0.0, ..Default::default() };
    let free = ScheduleFreeAdamWConfig { epsilon: 0.0, ..Default::default() };
    let build = || -> Vec<Box<dyn Optimizer<f32>>> {
        vec![
            Box::new(Adam::with_config(0.1, adam).unwrap()),
            Box::new(AdamW::with_config(0.1, adamw).unwrap()),
            Box::new(Rmsprop::with_config(0.1, rmsprop).unwrap()),
            Box::new(
                Rmsprop::with_config(0.1, RmspropConfig { centered: true, momentum: 0.9, ..rmsprop })
                    .unwrap(),
            ),
            Box::new(Adagrad::with_config(0.1, adagrad).unwrap()),
            Box::new(Amsgrad::with_config(0.1, amsgrad).unwrap()),
            Box::new(AdaMax::with_config(0.1, adamax).unwrap()),
            Box::new(Nadam::with_config(0.1, nadam).unwrap()),
            Box::new(RAdam::with_config(0.1, radam).unwrap()),
            Box::new(Adan::with_config(0.1, adan).unwrap()),
            Box::new(ScheduleFreeAdamW::with_config(0.1, free).unwrap()),
        ]
    };
    // Never a gradient, one that is there at first, and very small ones.
    for (case, gradient) in [
        (0, (|_, _| 0.0) as fn(usize, usize) -> f64),
        (1, |i, t| if t == 0 { number(i, t) } else { 0.0 }),
        (2, |i, t| number(i, t) * 1e-38),
    ] {
        for mut optimizer in build() {
            let got = run(&mut *optimizer, 1.0, 300, gradient).last;
            assert!(got.iter().all(|x| x.is_finite()), "{}, case {case}: {got:?}", optimizer.name());
            if case == 0 && optimizer.name() != "adamw" {
                assert_eq!(got, [1.0; 8], "{}", optimizer.name());
            }
        }
    }
    // The first step of Adam is η, whatever the scale.
    for exponent in [-38, -30, -20, 0, 20, 30, 38] {
        let mut optimizer = Adam::<f32>::with_config(0.1, adam).unwrap();
        let got = run(&mut optimizer, 0.0, 1, |_, _| 10f64.powi(exponent)).last;
        assert!((got[0] + 0.1).abs() < 1e-6, "1e{exponent}: {}", got[0]);
    }
}

#[test]
fn norms_and_clipping_at_the_ends() {
    for exponent in [-44, -40, -30, 0, 30, 38] {
        let largest = 10f64.powi(exponent) as f32;
        let mut grads = [largest, -largest, 0.0, largest / 2.0];
        let norm = 1.5 * f64::from(largest);
        assert!((global_norm(&grads) / norm - 1.0).abs() < if exponent < -38 { 0.2 } else { 1e-6 });
        for limit in [1e-30, 1.0, 1e30] {
            let mut clipped = grads;
            clip_by_global_norm(&mut clipped, limit);
            let expected = limit.min(global_norm(&grads));
            assert!((global_norm(&clipped) / expected - 1.0).abs() < 1e-6, "1e{exponent} to {limit:e}");
        }
        // The perturbation has the length ρ, in one step and from any gradient.
        let mut sam = Sam::new(Sgd::<f32>::new(0.0), 0.5);
        let mut theta = [0.0f32; 4];
        sam.step(&mut theta, &grads);
        assert!((global_norm(&theta) - 0.5).abs() < 1e-6, "1e{exponent}: {theta:?}");
        let clip = AdaptiveClip::new(0.1, 1e-3, &Layout::new([("w", vec![4])]));
        clip.apply(&[1e-20f32; 4], &mut grads);
        assert!((global_norm(&grads) - norm.min(1e-4)).abs() <= 0.2 * norm.min(1e-4), "{grads:?}");
    }
    let mut stepper = Stepper::new(Sgd::<f64>::new(1.0), &Layout::flat(2)).clip_norm(1e-200).accumulate(2);
    let mut theta = [0.0; 2];
    stepper.step(&mut theta, &mut [1.7e308, 0.0]).unwrap();
    stepper.step(&mut theta, &mut [-1.7e308, 1e308]).unwrap();
    assert!(theta[0] == 0.0 && (theta[1] / -1e-200 - 1.0).abs() < 1e-12, "{theta:?}");
    assert_eq!(ElasticNet::new(0.5, 0.0).value(&[1e200, 1e200]), 1e200);
    let ridge = ElasticNet::new(0.0, 1e-300).value(&[1e200f64]);
    assert!((ridge / 5e99 - 1.0).abs() < 1e-12);
}
