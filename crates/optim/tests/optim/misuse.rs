//! Bad hyper-parameters are typed errors, wrong lengths panic: for every method and helper.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};
use wengert_optim::first::*;
use wengert_optim::schedule::*;
use wengert_optim::*;

fn layout() -> Layout {
    Layout::new([("weight", vec![2, 3]), ("bias", vec![2])])
}

/// A JSON value; `bad`, if there is one, stands for its number or for each of its numbers. (JSON has no NaN.)
struct Field {
    json: Value,
    bad: Option<f64>,
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Field {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Field {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match (self.bad, self.json) {
            (None, json) => json.deserialize_any(visitor),
            (Some(bad), Value::Array(items)) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(|_| bad)))
            }
            (Some(bad), _) => visitor.visit_f64(bad),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.bad {
            Some(bad) => visitor.visit_some(bad.into_deserializer()),
            None => self.json.deserialize_option(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// `good` again and again, each time with another of its real numbers (or arrays of them) replaced by nonsense; with the
/// name of the field and the nonsense.
fn spoiled<S: Serialize + DeserializeOwned>(good: &S) -> Vec<(String, f64, S)> {
    let fields = serde_json::to_value(good).unwrap();
    let fields = fields.as_object().unwrap();
    let real = |value: &Value| match value {
        Value::Array(items) => items.iter().all(Value::is_f64),
        // `None` of Adafactor's ε stands for a number.
        value => value.is_f64() || value.is_null(),
    };
    let spoil = |(name, bad): (&String, f64)| {
        let all = fields.iter().map(|(key, json)| {
            (key.clone(), Field { json: json.clone(), bad: (key == name).then_some(bad) })
        });
        let read = S::deserialize(MapDeserializer::<_, serde_json::Error>::new(all)).unwrap();
        (name.clone(), bad, read)
    };
    let negative = |name: &str, value: &Value| match name {
        // Negative by nature.
        "decay_power" => Some(1.0),
        // Of either sign.
        _ if value.is_array() => None,
        _ => Some(-0.5),
    };
    let every = fields.iter().filter(|(_, value)| real(value)).flat_map(|(name, value)| {
        let not_finite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        not_finite.into_iter().chain(negative(name, value)).map(move |bad| (name, bad))
    });
    every.map(spoil).collect()
}

/// Tries nonsense for every real number among the hyper-parameters of a rule; returns its name.
fn refuses_nonsense<R: Rule + Default + std::fmt::Debug + Serialize + DeserializeOwned>() -> &'static str {
    FirstOrder::<R, f64>::with_layout(R::LEARNING_RATE, R::default(), &layout()).unwrap();
    let cases = spoiled(&R::default());
    assert!(cases.len() >= 4 || R::NAME == "gradient_descent", "{}: {} cases", R::NAME, cases.len());
    for (name, bad, config) in cases {
        let error = FirstOrder::<R, f64>::with_layout(0.1, config, &layout());
        let error = error.err().unwrap_or_else(|| panic!("{} took a {name} of {bad}", R::NAME));
        assert_eq!((error.method, error.parameter), (R::NAME, name.as_str()));
        assert!(error.value == bad || error.value.is_nan() == bad.is_nan(), "{}: {error}", R::NAME);
    }
    for rate in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-300] {
        let error = FirstOrder::<R, f64>::with_layout(rate, R::default(), &layout()).unwrap_err();
        assert_eq!((error.method, error.parameter), (R::NAME, "learning_rate"));
    }
    R::NAME
}

#[test]
fn nonsense_for_any_hyper_parameter_is_a_typed_error() {
    let tried = [
        refuses_nonsense::<AdadeltaConfig>(),
        refuses_nonsense::<AdafactorConfig>(),
        refuses_nonsense::<AdagradConfig>(),
        refuses_nonsense::<AdamConfig>(),
        refuses_nonsense::<AdaMaxConfig>(),
        refuses_nonsense::<AdamWConfig>(),
        refuses_nonsense::<AdanConfig>(),
        refuses_nonsense::<AmsgradConfig>(),
        refuses_nonsense::<GradientDescentConfig>(),
        refuses_nonsense::<LambConfig>(),
        refuses_nonsense::<LarsConfig>(),
        refuses_nonsense::<LionConfig>(),
        refuses_nonsense::<MomentumConfig>(),
        refuses_nonsense::<MuonConfig>(),
        refuses_nonsense::<NadamConfig>(),
        refuses_nonsense::<NesterovConfig>(),
        refuses_nonsense::<RAdamConfig>(),
        refuses_nonsense::<RmspropConfig>(),
        refuses_nonsense::<RpropConfig>(),
        refuses_nonsense::<ScheduleFreeAdamWConfig>(),
        refuses_nonsense::<ScheduleFreeSgdConfig>(),
        refuses_nonsense::<SgdConfig>(),
        refuses_nonsense::<ShampooConfig>(),
    ];
    let methods = methods::<f64>();
    let rules = methods.iter().map(|method| method.name).filter(|name| !["lookahead", "sam"].contains(name));
    assert_eq!(tried.into_iter().collect::<BTreeSet<_>>(), rules.collect());
}

#[test]
fn nonsense_for_wrappers_and_helpers_is_a_typed_error() {
    let layout = layout();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
        assert_eq!(Sam::check(&Sgd::<f32>::new(0.1), bad).unwrap_err().parameter, "rho");
        assert_eq!(Lookahead::<Sgd>::check(5, bad).unwrap_err().parameter, "share");
        assert!(Average::Exponential { decay: bad }.check().is_err());
        assert!(Average::Unbiased { decay: bad }.check().is_err());
        assert!(ElasticNet { l1: bad, l2: 0.0 }.check().is_err());
        assert!(ElasticNet { l1: 0.0, l2: bad }.check().is_err());
        assert!(MaxNorm { limit: bad, pattern: "*".to_owned() }.check().is_err());
        assert!(AdaptiveClip::check(bad, 1e-3).is_err() && AdaptiveClip::check(0.1, bad).is_err());
        assert!(EarlyStopping::<f32>::check(3, bad).is_err());
        assert!(RangeTest::check(bad, 1.0, 10).is_err() && RangeTest::check(1e-3, bad, 10).is_err());
        let groups = Groups::<f32>::of(&layout).rest(|_| Sgd::with_config(bad, SgdConfig::default()));
        let Err(GroupsError::HyperParameter { error, .. }) = groups else { panic!("took a rate of {bad}") };
        assert_eq!(error.parameter, "learning_rate");
    }
    assert_eq!(Lookahead::<Sgd>::check(0, 0.5).unwrap_err().parameter, "period");
    assert_eq!(Lookahead::<Sgd>::check(5, 0.0).unwrap_err().parameter, "share");
    let twice = Sam::check(&Sam::new(Sgd::<f32>::new(0.1), 0.1), 0.1).unwrap_err();
    assert_eq!(twice.to_string(), "sam: inner.gradients_per_step is 2, but must be 1");
    for iterations in [0, 100, usize::MAX] {
        let config = MuonConfig { iterations, ..Default::default() };
        assert_eq!(Muon::<f32>::with_layout(0.1, config, &layout).unwrap_err().parameter, "iterations");
    }
    let sides = ShampooConfig { largest_side: 0, ..Default::default() };
    assert_eq!(Shampoo::<f32>::with_layout(0.1, sides, &layout).unwrap_err().parameter, "largest_side");
    let interval = ShampooConfig { interval: 0, ..Default::default() };
    assert_eq!(Shampoo::<f32>::with_layout(0.1, interval, &layout).unwrap_err().parameter, "interval");
    let epsilon = AdafactorConfig { epsilon: Some(0.0), ..Default::default() };
    assert_eq!(Adafactor::<f32>::with_layout(0.1, epsilon, &layout).unwrap_err().parameter, "epsilon");
    assert_eq!(EarlyStopping::<f32>::check(0, 0.0).unwrap_err().parameter, "patience");
}

#[test]
fn constructors_panic_with_the_same_words() {
    let layout = &layout();
    let sgd = || Sgd::<f32>::new(0.1);
    let stepper = || Stepper::new(sgd(), layout);
    let says = |expected: &str, make: &dyn Fn()| {
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(make)).expect_err(expected);
        let message = payload.downcast_ref::<String>().cloned().unwrap_or_default();
        assert_eq!(message, expected);
    };
    says("sgd: learning_rate is -1, but must be finite and at least 0", &|| drop(Sgd::<f32>::new(-1.0)));
    says("sam: rho is -1, but must be finite and at least 0", &|| drop(Sam::new(sgd(), -1.0)));
    says("lookahead: period is 0, but must be finite and at least 1", &|| {
        drop(Lookahead::new(sgd(), 0, 0.5))
    });
    says("averaged: decay is 1, but must be at least 0 and below 1", &|| {
        drop(Averaged::<f32>::new(Average::Unbiased { decay: 1.0 }));
    });
    says("elastic_net: l2 is -1, but must be finite and at least 0", &|| {
        _ = ElasticNet::new(0.0, -1.0);
    });
    says("max_norm: limit is 0, but must be finite and above 0", &|| drop(MaxNorm::new(0.0, "*")));
    says("adaptive_clip: ratio is 0, but must be finite and above 0", &|| {
        drop(AdaptiveClip::new(0.0, 1e-3, layout));
    });
    says("early_stopping: patience is 0, but must be finite and at least 1", &|| {
        drop(EarlyStopping::<f32>::new(0, 0.0));
    });
    says("range_test: steps is 1, but must be at least 2", &|| drop(RangeTest::new(0.1, 1.0, 1)));
    says("reduce_on_plateau: rate is -1, but must be finite and at least 0", &|| {
        _ = ReduceOnPlateau::new(-1.0);
    });
    says("stepper: clip_norm is 0, but must be finite and above 0", &|| drop(stepper().clip_norm(0.0)));
    says("stepper: clip_value is 0, but must be finite and above 0", &|| drop(stepper().clip_value(0.0)));
    says("stepper: accumulate is 0, but must be finite and at least 1", &|| drop(stepper().accumulate(0)));
}

/// Tries nonsense for every real number of a schedule.
fn schedule_refuses<S: Schedule + Serialize + DeserializeOwned>(good: S) {
    good.check().unwrap();
    let fields = serde_json::to_value(&good).unwrap();
    let cases = spoiled(&good);
    assert!(cases.len() >= 4, "{fields}: {} cases", cases.len());
    for (name, bad, schedule) in cases {
        let error = schedule.check().err().unwrap_or_else(|| panic!("{fields} took a {name} of {bad}"));
        assert_eq!(error.parameter, name, "{fields}");
    }
    // Unknown and missing fields do not pass for a schedule.
    let mut more = fields.clone();
    more["other"] = json!(1.0);
    assert!(serde_json::from_value::<S>(more).is_err(), "{fields}");
    assert!(serde_json::from_value::<S>(Value::Object(Default::default())).is_err(), "{fields}");
}

#[test]
fn nonsense_in_schedules_is_a_typed_error() {
    schedule_refuses(Constant::new(0.1));
    schedule_refuses(StepDecay::new(0.1, 7, 0.3));
    schedule_refuses(MultiStep::new(0.1, vec![5, 20], 0.5));
    schedule_refuses(Exponential::new(0.1, 0.93));
    schedule_refuses(Polynomial::new(0.1, 0.01, 40, 2.0));
    schedule_refuses(InverseTime::new(0.1, 0.2, 1));
    schedule_refuses(LinearRamp::new(0.1, 0.2, 10));
    schedule_refuses(Cosine::new(0.1, 40));
    schedule_refuses(CosineRestarts::new(0.1, 9, 2));
    schedule_refuses(OneCycle::new(0.5, 60));
    schedule_refuses(Cyclic::new(0.1, 0.5, 8, 8));
    schedule_refuses(Noam::new(512, 20));
    schedule_refuses(WarmupStableDecay::new(0.1, 10, 25, 15));
    schedule_refuses(Warmup::new(3, Constant::new(0.5)));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
        let constant = Constant { rate: bad };
        let (good, rest) = (Constant::new(0.5), Warmup { steps: 3, from: 0.0, then: constant });
        assert_eq!(rest.check().unwrap_err().parameter, "rate");
        assert!(Scaled { rate: good, factor: constant }.check().is_err());
        assert!(Scaled { rate: constant, factor: good }.check().is_err());
        assert!(Sequence::new(constant).check().is_err());
        assert!(Sequence::new(good).then(3, constant).check().is_err());
        assert!(AnySchedule::from(rest).check().is_err());
        let cyclic = Cyclic { mode: CyclicMode::Exponential(bad), ..Cyclic::new(0.1, 0.5, 8, 8) };
        assert_eq!(cyclic.check().unwrap_err().parameter, "mode");
        assert!(std::panic::catch_unwind(|| ReduceOnPlateau::new(bad)).is_err());
        let plateau = |change: fn(&mut ReduceOnPlateau, f64)| {
            let mut schedule = ReduceOnPlateau::new(0.1);
            change(&mut schedule, bad);
            schedule.check().unwrap_err().parameter
        };
        assert_eq!(plateau(|s, bad| s.factor = bad), "factor");
        assert_eq!(plateau(|s, bad| s.smallest = bad), "smallest");
        assert_eq!(plateau(|s, bad| s.threshold = Threshold::Relative(bad)), "threshold");
        assert_eq!(plateau(|s, bad| s.threshold = Threshold::Absolute(bad)), "threshold");
    }
    let unordered = r#"{"first": {"constant": {"rate": 1.0}}, "later": [[5, {"noam": {"width": 8, "warmup": 2, "scale": 1.0}}],
        [4, {"constant": {"rate": 1.0}}]]}"#;
    assert_eq!(serde_json::from_str::<Sequence>(unordered).unwrap().check().unwrap_err().parameter, "later");
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
        let said = message(|| build().step(&mut [0.0; 9], &[0.0; 9]));
        assert!(said.contains("9 parameters") && said.contains('8'), "{}: {said}", method.name);
        let said = message(|| build().write_evaluation(&[0.0; 8], &mut [0.0; 5]));
        assert!(said.contains('8') && said.contains('5'), "{}: {said}", method.name);
    }
    // Without a layout the first half of the first step tells the length.
    let mut sam = Sam::new(Sgd::<f32>::new(0.1), 0.05);
    sam.step(&mut [0.0; 8], &[1.0; 8]);
    let said = message(|| sam.step(&mut [0.0; 9], &[1.0; 9]));
    assert!(said.contains("9 parameters") && said.contains('8'), "{said}");
    let layout = layout();
    let groups = || Groups::<f32>::of(&layout).rest(|_| Ok(Sgd::new(0.1))).unwrap();
    assert!(message(|| groups().step(&mut [0.0; 8], &[0.0; 7])).contains("8 parameters"));
    assert!(message(|| groups().step(&mut [0.0; 9], &[0.0; 9])).contains("its layout has 8"));
    let mut stepper = Stepper::<_, f32>::new(Sgd::new(0.1), &layout);
    assert!(message(|| drop(stepper.step(&mut [0.0; 8], &mut [0.0; 7]))).contains("7 elements"));
    let restricted = |range| {
        let mut groups = groups();
        groups.restrict(range);
        groups
    };
    assert!(message(|| drop(restricted(4..9))).contains("8 parameters cannot be restricted to 4..9"));
    let mut part = restricted(0..4);
    assert!(message(|| part.restrict(0..2)).contains("sgd is restricted to 0..4, and cannot be to 0..2"));
    let mut part = Adam::<f32>::new(0.1);
    part.restrict(4..9);
    assert!(
        message(|| part.step(&mut [0.0; 8], &[0.0; 8]))
            .contains("8 parameters, but it is restricted to 4..9")
    );
    let mut whole = Lamb::<f32>::with_layout(0.1, LambConfig::default(), &layout).unwrap();
    assert!(message(|| whole.restrict(0..4)).contains("lamb cannot be restricted to 0..4"));
    let mut whole = Lookahead::<_, f32>::new(Sgd::new(0.1), 5, 0.5);
    assert!(message(|| whole.restrict(0..4)).contains("lookahead cannot be restricted to 0..4"));
    assert!(message(|| _ = Share::of(8, 2, 2)).contains("no worker 2 of 2"));
    assert!(message(|| drop(Share::of(8, 0, 2).square_sums(&[0.0f32; 7]))).contains("7 elements"));
    assert!(message(|| running_mean(&mut [0.0f32; 3], &[0.0; 4], 2)).contains("4 elements"));
    assert!(message(|| running_mean(&mut [0.0f32; 3], &[0.0; 3], 0)).contains("not from 0"));
    let mut mean = Averaged::<f32>::new(Average::Uniform);
    mean.update(&[1.0]);
    assert!(message(|| mean.update(&[1.0; 2])).contains("2 parameters into an average of 1"));
    let net = ElasticNet::new(0.1, 0.1);
    assert!(message(|| net.add_gradient(&[0.0f32; 3], &mut [0.0; 4])).contains("3 parameters"));
    assert!(message(|| MaxNorm::new(1.0, "*").apply(&mut [0.0f32; 3], &layout)).contains("3 parameters"));
    let clip = AdaptiveClip::new(0.1, 1e-3, &layout);
    assert!(message(|| clip.apply(&[0.0f32; 8], &mut [0.0; 4])).contains("4 gradient elements"));
}
