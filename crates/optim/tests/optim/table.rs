//! What holds for every first-order method, by one table.

use wengert_optim::{Layout, Optimizer, State, StateError, by_name, first};
use wengert_tensor::parallel::with_threads;

/// ½ Σ hᵢ (xᵢ − 1)² with curvatures from 1 to 100.
struct Quadratic;

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

impl Quadratic {
    fn curvature(i: usize) -> f64 {
        100f64.powf(i as f64 / 7.0)
    }

    fn value(x: &[f64]) -> f64 {
        x.iter().enumerate().map(|(i, x)| 0.5 * Self::curvature(i) * (x - 1.0).powi(2)).sum()
    }

    fn evaluate(x: &[f64], g: &mut [f64]) -> f64 {
        for (i, (g, x)) in g.iter_mut().zip(x).enumerate() {
            *g = Self::curvature(i) * (x - 1.0);
        }
        Self::value(x)
    }
}

fn start() -> Vec<f64> {
    (0..8).map(|i| 2.0 + 0.3 * i as f64).collect()
}

/// The value at the parameters to evaluate with after `steps` steps at rates falling to 0 in a straight line.
fn minimize(optimizer: &mut dyn Optimizer<f64>, rate: f64, steps: usize) -> f64 {
    let (mut x, mut g, mut shown) = (start(), vec![0.0; 8], vec![0.0; 8]);
    for step in 0..steps {
        optimizer.set_learning_rate(rate * (1.0 - step as f64 / steps as f64));
        optimizer.step_with(&mut x, &mut g, &mut Quadratic::evaluate);
    }
    optimizer.write_evaluation(&x, &mut shown);
    Quadratic::value(&shown)
}

#[test]
fn one_default_step_decreases_a_quadratic() {
    for method in first::methods::<f64>() {
        let mut optimizer = method.build(method.learning_rate, &layout()).unwrap();
        // Schedule-free SGD and LARS have default rates of 1, which suit scaled problems: curvature up to 1 here.
        let (mut x, mut g, mut shown) = (start(), vec![0.0; 8], vec![0.0; 8]);
        let evaluate = &mut |x: &[f64], g: &mut [f64]| {
            let value = Quadratic::evaluate(x, g);
            g.iter_mut().for_each(|g| *g /= 100.0);
            value / 100.0
        };
        let before = Quadratic::value(&x);
        // The slow weights of Lookahead make one step in six.
        for _ in 0..if method.name == "lookahead" { 6 } else { 1 } {
            optimizer.step_with(&mut x, &mut g, evaluate);
        }
        optimizer.write_evaluation(&x, &mut shown);
        let after = Quadratic::value(&shown);
        assert!(after < before, "{}: from {before} to {after}", method.name);
    }
}

#[test]
fn every_method_minimizes_a_badly_scaled_quadratic() {
    // The curvatures differ a hundredfold. Rates: the methods' own, but where a rate is a length (Adam's family), a
    // trust (LARS) or a bound by the curvature (the descents), one that suits the distance of about 3 and 2 / 100.
    let mut failures = Vec::new();
    for method in first::methods::<f64>() {
        let rate = match method.name {
            "gradient_descent" | "momentum" | "nesterov" | "sgd" | "sam" => 1e-2,
            "schedule_free_sgd" => 1.5e-2,
            "adadelta" => 10.0,
            "lars" => 10.0,
            "lion" => 1e-2,
            "adagrad" | "shampoo" => 1.0,
            // Vectors get a twentieth of it.
            "muon" => 0.2,
            // The first steps are plain descent, bounded by the curvature.
            "radam" => 2e-2,
            _ => 5e-2,
        };
        let mut optimizer = method.build(rate, &layout()).unwrap();
        let value = minimize(&mut *optimizer, rate, 2000);
        if value.is_nan() || value >= 1e-3 {
            failures.push(format!("{}: {value:e}", method.name));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn every_default_minimizes_a_badly_scaled_quadratic() {
    // The largest curvature is 100, and 1; the least is a hundredth of it. The default rates stay as they are.
    for largest in [100.0, 1.0] {
        let scale = largest / 100.0;
        for method in first::methods::<f64>() {
            let steps = match method.name {
                // Moves by a ten-thousandth at a time, over a distance of 4.
                "lion" => 30_000,
                // All gradients so far divide: after n steps it has gone about 2 · 0.01 √n.
                "adagrad" => 100_000,
                _ => 10_000,
            };
            let mut optimizer = method.build(method.learning_rate, &layout()).unwrap();
            let (mut x, mut g, mut shown) = (start(), vec![0.0; 8], vec![0.0; 8]);
            for _ in 0..steps {
                optimizer.step_with(&mut x, &mut g, &mut |x, g| {
                    let value = Quadratic::evaluate(x, g);
                    g.iter_mut().for_each(|g| *g *= scale);
                    scale * value
                });
            }
            optimizer.write_evaluation(&x, &mut shown);
            let share = Quadratic::value(&shown) / Quadratic::value(&start());
            if method.name == "schedule_free_sgd" && largest > 2.0 {
                // Its authors' rate of 1 is beyond 2 / L, the bound of any plain descent.
                assert!(!share.is_finite(), "{share:e}");
            } else {
                assert!(share < 1e-3, "{}, curvature up to {largest}: {share:e} is left", method.name);
            }
        }
    }
}

#[test]
fn state_goes_on_bit_for_bit() {
    for method in first::methods::<f64>() {
        for steps in [0, 1, 7] {
            let build = || method.build(method.learning_rate, &layout()).unwrap();
            let mut optimizer = build();
            let (mut x, mut g) = (start(), vec![0.0; 8]);
            for _ in 0..steps {
                Quadratic::evaluate(&x, &mut g);
                optimizer.step(&mut x, &g);
            }
            optimizer.set_learning_rate(0.1 + 0.2);
            let json = serde_json::to_string(&optimizer.state()).unwrap();
            let state: State = serde_json::from_str(&json).unwrap();
            assert_eq!(state, optimizer.state());
            let (mut resumed, mut y) = (build(), x.clone());
            resumed.load_state(&state).unwrap_or_else(|e| panic!("{}: {e}", method.name));
            for _ in 0..9 {
                Quadratic::evaluate(&x, &mut g);
                optimizer.step(&mut x, &g);
                Quadratic::evaluate(&y, &mut g);
                resumed.step(&mut y, &g);
            }
            assert!(x.iter().map(|v| v.to_bits()).eq(y.iter().map(|v| v.to_bits())), "{}", method.name);
            assert_eq!(optimizer.state(), resumed.state(), "{}", method.name);
        }
    }
}

#[test]
fn state_of_any_other_method_is_refused() {
    for method in first::methods::<f64>() {
        for other in first::methods::<f64>().iter().filter(|other| other.name != method.name) {
            let mut optimizer = method.build(0.1, &layout()).unwrap();
            let mut source = other.build(0.1, &layout()).unwrap();
            source.step(&mut start(), &[1.0; 8]);
            let refused = optimizer.load_state(&source.state());
            assert!(matches!(refused, Err(StateError::Kind { .. })), "{} took {}", method.name, other.name);
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let layout = Layout::new([("w", vec![40, 1700]), ("b", vec![70_001])]);
    let grads: Vec<f32> = (0..layout.len()).map(|i| ((i * 7919) % 2003) as f32 * 1e-3 - 1.0).collect();
    for method in first::methods::<f32>() {
        let run = |threads| {
            with_threads(threads, || {
                let mut optimizer = method.build(method.learning_rate, &layout).unwrap();
                let mut params = vec![0.5f32; layout.len()];
                for _ in 0..2 {
                    optimizer.step(&mut params, &grads);
                }
                params
            })
        };
        let one = run(1);
        assert!(one.iter().all(|p| p.is_finite()), "{}", method.name);
        for threads in [2, 3, 8] {
            assert!(run(threads) == one, "{} depends on the number of threads", method.name);
        }
    }
}

#[test]
fn bad_rates_are_typed_errors() {
    for method in first::methods::<f32>() {
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            let error =
                method.build(rate, &layout()).err().unwrap_or_else(|| panic!("{} took {rate}", method.name));
            assert_eq!(error.parameter, "learning_rate");
        }
        assert_eq!(by_name::<f32>(method.name, None, &layout()).unwrap().name(), method.name);
    }
}

#[test]
fn no_parameters_and_one_parameter() {
    for method in first::methods::<f32>() {
        let mut none = method.build(0.1, &Layout::default()).unwrap();
        none.step(&mut [], &[]);
        let mut one = method.build(0.1, &Layout::new([("a", vec![1, 1])])).unwrap();
        let mut x = [1.0f32];
        one.step(&mut x, &[0.0]);
        assert!(x[0].is_finite(), "{}: a zero gradient gave {}", method.name, x[0]);
    }
}
