//! Exact small cases of the optimisers, their errors and their panics.

use wengert_optim::first::{AdamConfig, SgdConfig};
use wengert_optim::{Adam, AdamW, Optimizer, Sgd, State, StateError};

fn assert_close(got: &[f64], expected: &[f64]) {
    assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} is not {expected:?}");
}

#[test]
fn gradient_descent_by_hand() {
    let (mut theta, mut sgd) = ([1.0], Sgd::new(0.4));
    for expected in [0.2, 0.04, 0.008] {
        let grads = theta.map(|t| 2.0 * t);
        sgd.step(&mut theta, &grads);
        assert_close(&theta, &[expected]);
    }
    let (mut theta, mut sgd) = ([2.0, 3.0], Sgd::new(0.1));
    for expected in [[1.6, 2.4], [1.28, 1.92], [1.024, 1.536]] {
        let grads = theta.map(|t| 2.0 * t);
        sgd.step(&mut theta, &grads);
        assert_close(&theta, &expected);
    }
}

#[test]
#[should_panic(expected = "adam: 3 parameters, but the gradient has 2 elements")]
fn gradient_of_another_length() {
    Adam::new(1e-3).step(&mut [0.0f32; 3], &[0.0; 2]);
}

#[test]
#[should_panic(expected = "adamw: 4 parameters, but its state is for 3")]
fn parameters_of_another_length() {
    let mut adamw = AdamW::new(1e-3);
    adamw.step(&mut [0.0f32; 3], &[0.0; 3]);
    adamw.step(&mut [0.0f32; 4], &[0.0; 4]);
}

#[test]
#[should_panic(expected = "sgd: learning_rate is NaN, but must be finite and at least 0")]
fn learning_rate_of_nan() {
    Sgd::<f32>::new(f64::NAN);
}

#[test]
#[should_panic(expected = "learning rate -1 must be finite and at least 0")]
fn setting_a_negative_learning_rate() {
    Sgd::<f32>::new(0.1).set_learning_rate(-1.0);
}

#[test]
fn nonsense_from_outside_is_an_error() {
    let sgd = |config| Sgd::<f64>::with_config(0.1, config).map(|_| ()).unwrap_err().to_string();
    let config = SgdConfig::default();
    assert_eq!(
        sgd(SgdConfig { momentum: 1.0, ..config }),
        "sgd: momentum is 1, but must be at least 0 and below 1"
    );
    assert!(sgd(SgdConfig { weight_decay: -1.0, ..config }).contains("weight_decay is -1"));
    assert!(sgd(SgdConfig { nesterov: true, ..config }).contains("momentum is 0"));
    assert!(
        sgd(SgdConfig { nesterov: true, momentum: 0.9, dampening: 0.1, ..config })
            .contains("dampening is 0.1")
    );
    for rate in [f64::NAN, f64::INFINITY, -1e-9] {
        assert_eq!(
            Adam::<f32>::with_config(rate, AdamConfig::default()).unwrap_err().parameter,
            "learning_rate"
        );
    }
}

#[test]
fn state_of_another_kind_or_shape_is_refused() {
    let mut adam = Adam::<f32>::new(0.1);
    adam.step(&mut [1.0, 2.0], &[0.5, 0.25]);
    let good = adam.state();

    let refused = |adam: &mut Adam, state: &State| {
        let before = adam.state();
        let error = adam.load_state(state).unwrap_err();
        assert_eq!(adam.state(), before, "a refused state changed the optimiser");
        error
    };
    let mut sgd = Sgd::<f32>::new(0.1);
    sgd.step(&mut [1.0, 2.0], &[0.5, 0.25]);
    assert_eq!(refused(&mut adam, &sgd.state()).to_string(), "state of sgd, but this is adam");

    let mut longer = Adam::<f32>::new(0.1);
    longer.step(&mut [1.0; 3], &[0.5; 3]);
    assert_eq!(refused(&mut adam, &longer.state()), StateError::Len { expected: 2, found: 3 });

    let mut double = Adam::<f64>::new(0.1);
    double.step(&mut [1.0; 2], &[0.5; 2]);
    assert_eq!(refused(&mut adam, &double.state()).to_string(), "adam: m is f64, but must be f32");

    let mut state = good.clone();
    state.vectors.remove("rms");
    assert_eq!(refused(&mut adam, &state).to_string(), "adam: the state has no rms");
    state = good.clone().with_vector("rms", &[1.0f32]);
    assert_eq!(refused(&mut adam, &state).to_string(), "adam: rms has 1 elements, but must have 2");
    state = good.clone().with_vector("w", &[1.0f32]);
    assert_eq!(refused(&mut adam, &state).to_string(), "adam: the state has a w that is not used here");
    state = good.clone().with_real("learning_rate", f64::NAN);
    assert!(refused(&mut adam, &state).to_string().contains("learning_rate is NaN"));
    state = good.clone().with_real("step", 1.0);
    assert!(refused(&mut adam, &state).to_string().contains("must be a count"));
    state = good.clone().with_child("inner", good.clone());
    assert!(matches!(refused(&mut adam, &state), StateError::Unexpected { .. }));
    let mut fresh = Adam::<f32>::new(0.1);
    state = good.clone();
    state.len = usize::MAX;
    assert!(matches!(refused(&mut fresh, &state), StateError::VectorLen { .. }));
    fresh.load_state(&good).unwrap();
    assert_eq!(fresh.state(), good);
}

#[test]
fn state_goes_through_json_bit_for_bit() {
    let mut adam = Adam::<f64>::new(0.1 + 0.2);
    let mut theta = [1.0, -0.0, 1e-310, 3.0];
    adam.step(&mut theta, &[1.0 / 3.0, f64::NAN, 1e-170, f64::NEG_INFINITY]);
    let json = serde_json::to_string(&adam.state()).unwrap();
    assert_eq!(serde_json::from_str::<State>(&json).unwrap(), adam.state());
    assert!(serde_json::from_str::<State>(&json.replace("kind", "kinds")).is_err());
}
