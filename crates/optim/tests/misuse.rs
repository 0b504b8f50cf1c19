//! Bad hyper-parameters are typed errors, wrong lengths panic: for every method and helper.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use wengert_optim::schedule::*;
use wengert_optim::*;

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

/// Tries −1, infinity and NaN for every number among the hyper-parameters of a rule.
fn refuses_nonsense<R>()
where
    R: Rule + Default + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let defaults = serde_json::to_value(R::default()).unwrap();
    FirstOrder::<R, f64>::with_layout(R::LEARNING_RATE, R::default(), &layout()).unwrap();
    for (name, value) in defaults.as_object().unwrap() {
        // `None` of Adafactor's ε stands for a number.
        if !(value.is_f64() || value.is_null()) {
            continue;
        }
        // decay_power is negative by nature.
        let nonsense = if name == "decay_power" { json!(1.0) } else { json!(-1.0) };
        let mut fields = defaults.clone();
        fields[name] = nonsense;
        let config: R = serde_json::from_value(fields).unwrap();
        let error = FirstOrder::<R, f64>::with_layout(0.1, config, &layout());
        let error = error.err().unwrap_or_else(|| panic!("{} took a bad {name}", R::NAME));
        assert_eq!((error.method, error.parameter), (R::NAME, name.as_str()));
    }
    for rate in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-300] {
        let error = FirstOrder::<R, f64>::with_layout(rate, R::default(), &layout()).unwrap_err();
        assert_eq!((error.method, error.parameter), (R::NAME, "learning_rate"));
    }
}

#[test]
fn negative_hyper_parameters_are_typed_errors() {
    refuses_nonsense::<AdadeltaConfig>();
    refuses_nonsense::<AdafactorConfig>();
    refuses_nonsense::<AdagradConfig>();
    refuses_nonsense::<AdamConfig>();
    refuses_nonsense::<AdaMaxConfig>();
    refuses_nonsense::<AdamWConfig>();
    refuses_nonsense::<AdanConfig>();
    refuses_nonsense::<AmsgradConfig>();
    refuses_nonsense::<GradientDescentConfig>();
    refuses_nonsense::<LambConfig>();
    refuses_nonsense::<LarsConfig>();
    refuses_nonsense::<LionConfig>();
    refuses_nonsense::<MomentumConfig>();
    refuses_nonsense::<MuonConfig>();
    refuses_nonsense::<NadamConfig>();
    refuses_nonsense::<NesterovConfig>();
    refuses_nonsense::<RAdamConfig>();
    refuses_nonsense::<RmspropConfig>();
    refuses_nonsense::<RpropConfig>();
    refuses_nonsense::<ScheduleFreeAdamWConfig>();
    refuses_nonsense::<ScheduleFreeSgdConfig>();
    refuses_nonsense::<SgdConfig>();
    refuses_nonsense::<ShampooConfig>();
}

#[test]
fn non_finite_hyper_parameters_are_typed_errors() {
    // JSON has no NaN: a method of each kind of check here.
    for bad in [f64::NAN, f64::INFINITY] {
        let adam = |config| Adam::<f32>::with_config(0.1, config).unwrap_err().parameter;
        assert_eq!(adam(AdamConfig { beta1: bad, ..Default::default() }), "beta1");
        assert_eq!(adam(AdamConfig { beta2: bad, ..Default::default() }), "beta2");
        assert_eq!(adam(AdamConfig { epsilon: bad, ..Default::default() }), "epsilon");
        assert_eq!(adam(AdamConfig { weight_decay: bad, ..Default::default() }), "weight_decay");
        let muon = MuonConfig { coefficients: [1.0, bad, 1.0], ..Default::default() };
        assert_eq!(Muon::<f32>::with_layout(0.1, muon, &layout()).unwrap_err().parameter, "coefficients");
        let lars = LarsConfig { trust: bad, ..Default::default() };
        assert_eq!(Lars::<f32>::with_layout(0.1, lars, &layout()).unwrap_err().parameter, "trust");
        let rprop = RpropConfig { grow: bad, ..Default::default() };
        assert_eq!(Rprop::<f32>::with_config(0.1, rprop).unwrap_err().parameter, "grow");
        let adafactor = AdafactorConfig { decay_power: bad, ..Default::default() };
        let error = Adafactor::<f32>::with_layout(0.1, adafactor, &layout()).unwrap_err();
        assert_eq!(error.parameter, "decay_power");
        assert_eq!(Sam::new(Sgd::<f32>::new(0.1), bad).unwrap_err().parameter, "rho");
        assert_eq!(Lookahead::new(Sgd::<f32>::new(0.1), 5, bad).unwrap_err().parameter, "share");
        assert!(Averaged::<f32>::new(Average::Exponential { decay: bad }).is_err());
        assert!(ElasticNet::new(bad, 0.0).is_err() && ElasticNet::new(0.0, bad).is_err());
        assert!(MaxNorm::new(bad, "*").is_err());
        assert!(AdaptiveClip::new(bad, 1e-3, &layout()).is_err());
        assert!(EarlyStopping::<f32>::new(3, bad).is_err() && EarlyStopping::<f32>::new(0, 0.0).is_err());
        let stepper = || Stepper::<_, f32>::new(Sgd::new(0.1), &layout());
        assert_eq!(stepper().clip_norm(bad).unwrap_err().parameter, "clip_norm");
        assert_eq!(stepper().clip_value(bad).unwrap_err().parameter, "clip_value");
        assert_eq!(stepper().accumulate(0).unwrap_err().parameter, "accumulate");
        let layout = layout();
        let groups = Groups::<f32>::of(&layout).rest(|_| Sgd::with_config(bad, SgdConfig::default()));
        assert_eq!(groups.err().unwrap().parameter, "learning_rate");
    }
}

/// Tries a bad value for every real number of a schedule.
fn schedule_refuses<S: Schedule + serde::Serialize + serde::de::DeserializeOwned>(good: S) {
    let fields = serde_json::to_value(&good).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        if value.is_f64() {
            let mut bad = fields.clone();
            bad[name] = json!(-0.5);
            let read: S = serde_json::from_value(bad).unwrap();
            assert_eq!(read.check().unwrap_err().parameter, name, "{fields}");
        }
    }
    // Unknown and missing fields do not pass for a schedule.
    let mut more = fields.clone();
    more["other"] = json!(1.0);
    assert!(serde_json::from_value::<S>(more).is_err(), "{fields}");
    assert!(serde_json::from_value::<S>(Value::Object(Default::default())).is_err(), "{fields}");
}

#[test]
fn schedules_refuse_negative_rates_and_states_of_another_kind() {
    schedule_refuses(Constant::new(0.1));
    schedule_refuses(StepDecay::new(0.1, 7, 0.3));
    schedule_refuses(MultiStep::new(0.1, vec![5, 20], 0.5));
    schedule_refuses(Exponential::new(0.1, 0.93));
    schedule_refuses(Polynomial::new(0.1, 0.01, 40, 2.0));
    schedule_refuses(InverseTime::new(0.1, 0.2, 1));
    schedule_refuses(Linear::new(0.1, 0.2, 10));
    schedule_refuses(Cosine::new(0.1, 40));
    schedule_refuses(CosineRestarts::new(0.1, 9, 2));
    schedule_refuses(OneCycle::new(0.5, 60));
    schedule_refuses(Cyclic::new(0.1, 0.5, 8, 8));
    schedule_refuses(Noam::new(512, 20));
    schedule_refuses(WarmupStableDecay::new(0.1, 10, 25, 15));
    schedule_refuses(Warmup::new(3, Constant::new(0.5)));
}

/// What a panic of `call` says.
fn message(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).expect_err("did not panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn wrong_lengths_panic_with_both() {
    for method in first::methods::<f32>() {
        let build = || method.build(method.learning_rate, &layout()).unwrap();
        let said = message(|| build().step(&mut [0.0; 8], &[0.0; 7]));
        assert!(said.contains("8 parameters") && said.contains('7'), "{}: {said}", method.name);
        // SAM knows its length by its inner optimiser, which makes the second half of a step.
        if method.name != "sam" {
            let said = message(|| build().step(&mut [0.0; 9], &[0.0; 9]));
            assert!(said.contains("9 parameters") && said.contains('8'), "{}: {said}", method.name);
        }
        let said = message(|| build().write_evaluation(&[0.0; 8], &mut [0.0; 5]));
        assert!(said.contains('8') && said.contains('5'), "{}: {said}", method.name);
    }
    let layout = layout();
    let groups = || Groups::<f32>::of(&layout).rest(|_| Ok(Sgd::new(0.1))).unwrap();
    assert!(message(|| groups().step(&mut [0.0; 8], &[0.0; 7])).contains("8 parameters"));
    assert!(message(|| groups().step(&mut [0.0; 9], &[0.0; 9])).contains("its layout has 8"));
    let mut stepper = Stepper::<_, f32>::new(Sgd::new(0.1), &layout);
    assert!(message(|| drop(stepper.step(&mut [0.0; 8], &mut [0.0; 7]))).contains("7 elements"));
    let mut mean = Averaged::<f32>::new(Average::Uniform).unwrap();
    mean.update(&[1.0]);
    assert!(message(|| mean.update(&[1.0; 2])).contains("2 parameters into an average of 1"));
    let net = ElasticNet::new(0.1, 0.1).unwrap();
    assert!(message(|| net.add_gradient(&[0.0f32; 3], &mut [0.0; 4])).contains("3 parameters"));
    assert!(
        message(|| MaxNorm::new(1.0, "*").unwrap().apply(&mut [0.0f32; 3], &layout)).contains("3 parameters")
    );
    let clip = AdaptiveClip::new(0.1, 1e-3, &layout).unwrap();
    assert!(message(|| clip.apply(&[0.0f32; 8], &mut [0.0; 4])).contains("4 gradient elements"));
}
