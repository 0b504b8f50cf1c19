//! What goes around an optimiser: groups, checked steps, early stopping; their states mid-run.

use wengert_optim::first::*;

fn layout() -> Layout {
    Layout::new([("hidden.weight", vec![2, 2]), ("hidden.bias", vec![2]), ("norm.scale", vec![2])])
}

fn through_json(state: &State) -> State {
    let read = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
    assert_eq!(&read, state);
    read
}

fn gradient(step: usize) -> Vec<f64> {
    (0..8).map(|i| (0.7 * step as f64 + i as f64).sin() / 3.0).collect()
}

/// Runs five steps, saves, and goes on in both for seven more.
fn goes_on<O: Optimizer<f64>>(build: impl Fn() -> O) {
    let (mut one, mut two) = (build(), build());
    let mut x = vec![0.5; 8];
    (0..5).for_each(|t| one.step(&mut x, &gradient(t)));
    let mut y = x.clone();
    two.load_state(&through_json(&one.state())).unwrap();
    for t in 5..12 {
        one.step(&mut x, &gradient(t));
        two.step(&mut y, &gradient(t));
        assert!(x.iter().map(|v| v.to_bits()).eq(y.iter().map(|v| v.to_bits())), "{}, step {t}", one.name());
    }
    assert_eq!(one.state(), two.state());
}

fn groups() -> Groups<f64> {
    Groups::of(&layout())
        .group("*.bias", |_| Ok(Sgd::new(0.4)))
        .frozen("norm*")
        .rest(|layout| Muon::with_layout(0.1, MuonConfig::default(), layout))
        .unwrap()
}

#[test]
fn states_of_wrappers_go_on_mid_run() {
    goes_on(groups);
    // Five calls: SAM is between the two halves of a step, Lookahead between two synchronisations.
    goes_on(|| Sam::new(Adam::new(0.1), 0.05));
    goes_on(|| Lookahead::new(Sam::new(Nadam::new(0.1), 0.1), 3, 0.5));
}

#[test]
fn groups_follow_names_switches_and_schedules() {
    let mut optimizer = groups();
    let mut x = [1.0; 8];
    optimizer.step(&mut x, &[1.0; 8]);
    assert!(x[0] != 1.0 && (x[4] - 0.6).abs() < 1e-15 && x[6..] == [1.0, 1.0]);
    assert_eq!(optimizer.set_enabled("*.bias", false), Ok(1));
    let before = x;
    optimizer.step(&mut x, &[1.0; 8]);
    assert!(x[0] != before[0] && x[4..] == before[4..]);
    assert_eq!(optimizer.set_enabled("*.bias", true), Ok(1));
    // Half the rate of the rest is half of the group's too.
    optimizer.set_learning_rate(0.05);
    optimizer.step(&mut x, &[1.0; 8]);
    assert!((x[4] - (before[4] - 0.2)).abs() < 1e-15);
    let other: Groups<f64> = Groups::of(&layout()).rest(|_| Ok(Sgd::new(0.1))).unwrap();
    let state = optimizer.state();
    assert!(optimizer.load_state(&other.state()).is_err());
    assert_eq!(optimizer.state(), state);
}

#[test]
fn accumulated_gradients_are_one_step_with_their_mean() {
    let stepper = || Stepper::new(Sgd::<f64>::new(0.5), &layout()).accumulate(4);
    let (mut one, mut x) = (stepper(), vec![1.0; 8]);
    for t in 0..3 {
        let did = one.step(&mut x, &mut gradient(t)).unwrap();
        assert_eq!(did, Step::Accumulated { gradients: t as u64 + 1 });
    }
    assert_eq!(x, [1.0; 8]);
    let (mut two, mut y) = (stepper(), x.clone());
    two.load_state(&through_json(&one.state())).unwrap();
    assert!(matches!(one.step(&mut x, &mut gradient(3)), Ok(Step::Updated { .. })));
    assert!(matches!(two.step(&mut y, &mut gradient(3)), Ok(Step::Updated { .. })));
    assert_eq!(x, y);
    for (i, x) in x.iter().enumerate() {
        let mean = (0..4).map(|t| gradient(t)[i]).sum::<f64>() / 4.0;
        assert!((x - (1.0 - 0.5 * mean)).abs() < 1e-15);
    }
}

#[test]
fn non_finite_gradients_are_named_or_counted() {
    let mut x = vec![1.0; 8];
    let mut bad = vec![0.1; 8];
    bad[5] = f64::NEG_INFINITY;
    let mut strict = Stepper::new(Adam::<f64>::new(0.5), &layout());
    let error = strict.step(&mut x, &mut bad.clone()).unwrap_err();
    let StepError::Gradient { parameter, value, .. } = &error else { panic!("{error}") };
    assert_eq!((parameter.as_str(), *value), ("hidden.bias[1]", f64::NEG_INFINITY));
    let mut lenient = Stepper::new(Adam::<f64>::new(0.5), &layout()).non_finite(NonFinite::Skip);
    for skipped in 1..=2 {
        assert_eq!(lenient.step(&mut x, &mut bad.clone()), Ok(Step::Skipped { skipped }));
    }
    assert_eq!((lenient.skipped(), lenient.optimizer().steps()), (2, 0));
    assert_eq!(x, [1.0; 8]);
    let mut resumed = Stepper::new(Adam::<f64>::new(0.5), &layout());
    resumed.load_state(&through_json(&lenient.state())).unwrap();
    assert_eq!(resumed.skipped(), 2);
    assert!(matches!(lenient.step(&mut x, &mut [0.1; 8]), Ok(Step::Updated { .. })));
}

#[test]
fn early_stopping_waits_for_enough_change_and_restores_the_best() {
    let mut stopping = EarlyStopping::new(2, 0.1);
    // NaN is no improvement, 0.3 is one, and 0.25 and 0.21 are too small ones.
    let values = [0.5, f64::NAN, 0.3, 0.25, 0.21];
    let stops = [false, false, false, false, true];
    for (i, (&value, stop)) in values.iter().zip(stops).enumerate() {
        let mut resumed = EarlyStopping::new(2, 0.1);
        resumed.load_state(&through_json(&stopping.state())).unwrap();
        assert_eq!(stopping.observe(value, &[i as f64]), stop, "value {i}");
        assert_eq!(resumed.observe(value, &[i as f64]), stop, "value {i}, resumed");
        assert_eq!(resumed.state(), stopping.state());
    }
    let mut best = [f64::NAN];
    assert!(stopping.restore_best(&mut best));
    assert_eq!((best[0], stopping.best(), stopping.best_at()), (2.0, Some(0.3), Some(2)));
    let mut of_another_kind = Averaged::<f64>::new(Average::Uniform);
    assert!(matches!(of_another_kind.load_state(&stopping.state()), Err(StateError::Kind { .. })));
    assert!(!EarlyStopping::<f64>::new(1, 0.0).restore_best(&mut best));
}

#[test]
fn penalties_and_limits_by_hand() {
    let net = ElasticNet::new(0.5, 2.0);
    let mut x = [3.0f64, -3.0, 0.4, -0.0, 0.0];
    assert!((net.value(&x) - (0.5 * 6.4 + 18.16)).abs() < 1e-12);
    net.proximal(&mut x, 1.0);
    for (x, expected) in x.iter().zip([2.5 / 3.0, -2.5 / 3.0, 0.0, 0.0, 0.0]) {
        assert!((x - expected).abs() < 1e-15);
    }
    let mut weights = [3.0f64, 4.0, 0.3, 0.4, 7.0, 7.0, 7.0, 7.0];
    MaxNorm::new(1.0, "*.weight").apply(&mut weights, &layout());
    assert!((weights[0] - 0.6).abs() < 1e-15 && (weights[1] - 0.8).abs() < 1e-15);
    assert_eq!(weights[2..], [0.3, 0.4, 7.0, 7.0, 7.0, 7.0]);
    let clip = AdaptiveClip::new(0.1, 1e-3, &layout()).without("norm*").unwrap();
    let mut grads = [6.0f64, 8.0, 0.03, 0.04, 3.0, 4.0, 9.0, 9.0];
    clip.apply(&[3.0, 4.0, 3.0, 4.0, 0.0, 0.0, 1.0, 1.0], &mut grads);
    // ‖w‖ = 5, so 0.5 at most; the bias is 0, so λ ε.
    let expected = [0.3, 0.4, 0.03, 0.04, 6e-5, 8e-5, 9.0, 9.0];
    assert!(grads.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{grads:?}");
}
