//! What is frozen or switched off does not move, by any method and in any wrapper, and goes on as PyTorch's parameters do
//! that had no gradient for a while.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use wengert_optim::first::*;
use wengert_optim::*;

fn layout() -> Layout {
    Layout::new([("head.weight", vec![2, 2]), ("body.weight", vec![2, 3]), ("body.bias", vec![3])])
}

const LEN: usize = 13;

/// The place of `body.weight`.
const STILL: std::ops::Range<usize> = 4..10;

fn start() -> Vec<f32> {
    // With values that arithmetic would change: −0, an infinity.
    (0..LEN).map(|i| [0.7, -0.0, f32::NEG_INFINITY, 1e-42, -3.0][i % 5] * 1.0).collect()
}

fn finite_start() -> Vec<f32> {
    start()
        .iter()
        .enumerate()
        .map(|(i, x)| if STILL.contains(&i) || x.is_finite() { *x } else { 0.3 })
        .collect()
}

fn gradient(t: usize) -> Vec<f32> {
    (0..LEN).map(|i| (1.1 * t as f32 + i as f32).sin() + 0.2).collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Groups of one method, with `body.weight` frozen for good or switched off.
fn groups(method: &NamedMethod<f32>, for_good: bool) -> Groups {
    let build = |layout: &Layout| method.build(method.learning_rate, layout);
    let groups = Groups::of(&layout());
    let groups = if for_good { groups.frozen("body.weight") } else { groups.group("body.weight", build) };
    let mut groups = groups.rest(build).unwrap();
    assert_eq!(groups.set_enabled("body.weight", false), Ok(1));
    groups
}

/// Twelve steps; what is frozen must have the bits of the start all the time, and the rest must move.
fn stays(label: &str, optimizer: &mut dyn Optimizer<f32>) {
    let first = finite_start();
    let (mut x, mut g, mut shown) = (first.clone(), vec![0.0; LEN], vec![0.0; LEN]);
    let mut mean = Averaged::new(Average::Uniform);
    let mut moving = Averaged::new(Average::Exponential { decay: 0.9 });
    for t in 0..12 {
        let same = |at: &str, x: &[f32]| {
            assert_eq!(bits(&x[STILL]), bits(&first[STILL]), "{label}, step {t}: {at}");
        };
        optimizer.step_with(&mut x, &mut g, &mut |at, g| {
            same("evaluated", at);
            g.copy_from_slice(&gradient(t));
            // Nothing may depend on a gradient there.
            g[STILL].fill(if t % 2 == 0 { 1e30 } else { f32::NAN });
            1.0
        });
        same("stepped", &x);
        mean.update(&x);
        moving.update(&x);
        same("mean", mean.params());
        same("moving mean", moving.params());
        optimizer.write_evaluation(&x, &mut shown);
        same("shown", &shown);
    }
    let moved = (0..LEN).filter(|i| !STILL.contains(i) && x[*i] != first[*i]).count();
    assert!(
        moved >= 6 && x.iter().enumerate().all(|(i, x)| STILL.contains(&i) || x.is_finite()),
        "{label}: {x:?}"
    );
}

#[test]
fn frozen_groups_stay_under_every_method_and_wrapper() {
    for method in first::methods::<f32>() {
        for for_good in [true, false] {
            let label = |wrapper: &str| format!("{wrapper} {}, {for_good}", method.name);
            stays(&label(""), &mut groups(&method, for_good));
            stays(&label("lookahead"), &mut Lookahead::new(groups(&method, for_good), 3, 0.5));
            if method.name == "sam" {
                continue;
            }
            stays(&label("sam"), &mut Sam::new(groups(&method, for_good), 0.5));
            let both = Lookahead::new(Sam::new(groups(&method, for_good), 0.5), 4, 0.8);
            stays(&label("lookahead sam"), &mut { both });
            let nested = Groups::of(&layout())
                .group("body.*", move |layout| {
                    let groups = Groups::of(layout).frozen("body.weight");
                    Ok(groups.rest(|layout| method.build(method.learning_rate, layout)).unwrap())
                })
                .rest(|layout| method.build(method.learning_rate, layout));
            stays(&label("sam nested"), &mut Sam::new(nested.unwrap(), 0.5));
        }
    }
}

#[test]
fn a_stepper_leaves_frozen_gradients_out() {
    let method = first::methods::<f32>().into_iter().find(|m| m.name == "sgd").unwrap();
    for accumulate in [1, 3] {
        let stepper = Stepper::new(groups(&method, true), &layout()).clip_norm(1.0);
        let mut stepper = stepper.accumulate(accumulate);
        let mut x = finite_start();
        for _ in 0..accumulate {
            let mut g = vec![0.0f32; LEN];
            (g[0], g[12]) = (3.0, -4.0);
            g[STILL].fill(f32::NAN);
            let step = stepper.step(&mut x, &mut g).unwrap();
            assert!(matches!(step, Step::Accumulated { .. }) || step == Step::Updated { gradient_norm: 5.0 });
        }
        assert!((x[0] - (finite_start()[0] - 0.01 * 0.6)).abs() < 1e-7);
        assert_eq!(bits(&x[STILL]), bits(&start()[STILL]));
    }
}

#[test]
fn sam_perturbs_as_if_the_frozen_were_not_there() {
    let mut sam = Sam::new(groups(&first::methods()[0], true), 0.5);
    let mut x = finite_start();
    let mut g = vec![0.0f32; LEN];
    (g[0], g[12]) = (3.0, -4.0);
    g[STILL].fill(1e6);
    let before = x.clone();
    sam.step(&mut x, &g);
    assert!((x[0] - before[0] - 0.3).abs() < 1e-6 && (x[12] - before[12] + 0.4).abs() < 1e-6);
    sam.abandon(&mut x);
    assert_eq!(bits(&x), bits(&before));
    assert!(!sam.perturbed());
}

/// What is wrapped around or put into groups, with two gradients a step.
fn of_two_gradients() -> Vec<(&'static str, Box<dyn Optimizer<f64>>)> {
    let sam = |rate| {
        let config = SgdConfig { momentum: 0.9, ..Default::default() };
        Sam::new(Sgd::with_config(rate, config).expect("a good config"), 0.5)
    };
    let inside =
        Groups::of(&layout()).group("head.*", move |_| Ok(sam(0.1))).rest(|_| Ok(Sgd::new(0.2))).unwrap();
    vec![
        ("sam", Box::new(sam(0.1))),
        ("lookahead", Box::new(Lookahead::new(sam(0.1), 2, 0.5))),
        ("groups", Box::new(inside)),
    ]
}

#[test]
fn a_panic_in_a_loss_leaves_parameters_and_optimiser_usable() {
    for panics_at in [1, 2] {
        for ((name, mut one), (_, mut two)) in of_two_gradients().into_iter().zip(of_two_gradients()) {
            assert_eq!(one.gradients_per_step(), 2, "{name}");
            let (mut x, mut y) = (vec![0.5; LEN], vec![0.5; LEN]);
            let mut g = vec![0.0; LEN];
            let evaluate = |at: &[f64], g: &mut [f64]| {
                g.iter_mut().zip(at).for_each(|(g, x)| *g = x * x - 0.1);
                1.0
            };
            for t in 0..5 {
                let before = x.clone();
                let mut calls = 0;
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    one.step_with(&mut x, &mut g, &mut |at, g| {
                        calls += 1;
                        assert!(calls < panics_at, "the loss panics");
                        evaluate(at, g)
                    })
                }));
                assert!(
                    panic.is_err() && x == before,
                    "{name}, {panics_at}, step {t}: {x:?}, not {before:?}"
                );
                one.step_with(&mut x, &mut g, &mut { evaluate });
                two.step_with(&mut y, &mut g, &mut { evaluate });
                assert_eq!(x, y, "{name}, {panics_at}, step {t}");
            }
            assert_ne!(x, [0.5; LEN]);
        }
    }
}

#[derive(Deserialize)]
struct Golden {
    paused: BTreeMap<String, Vec<[f64; 2]>>,
}

#[test]
fn a_group_that_was_switched_off_goes_on_as_in_torch() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/extremes.json")).unwrap();
    let layout = Layout::new([("a", vec![1]), ("b", vec![1])]);
    assert_eq!(golden.paused.len(), 6);
    for (name, expected) in golden.paused {
        let build = |_: &Layout| -> Result<Box<dyn Optimizer<f64>>, HyperParameterError> {
            Ok(match name.as_str() {
                "adam" => Box::new(Adam::new(0.1)),
                "adamw" => Box::new(AdamW::with_config(
                    0.1,
                    AdamWConfig { weight_decay: 0.1, ..Default::default() },
                )?),
                "momentum" => Box::new(Momentum::new(0.05)),
                "nadam" => Box::new(Nadam::new(0.1)),
                "adagrad" => Box::new(Adagrad::new(0.3)),
                _ => Box::new(Rmsprop::with_config(
                    0.05,
                    RmspropConfig { momentum: 0.9, ..Default::default() },
                )?),
            })
        };
        let mut optimizer = Groups::of(&layout).group("a", build).rest(build).unwrap();
        let mut x = [1.0, -2.0];
        for (t, expected) in expected.iter().enumerate() {
            optimizer.set_enabled("a", !(3..6).contains(&t)).unwrap();
            let grads = x.map(|x| 2.0 * x);
            optimizer.step(&mut x, &grads);
            for (got, expected) in x.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-12, "{name}, step {t}: {got}, not {expected}");
            }
        }
    }
}
