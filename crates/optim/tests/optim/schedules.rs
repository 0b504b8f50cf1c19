//! Schedules against PyTorch and optax (see `golden/schedules.py`), and their states.

use std::collections::BTreeMap;

use wengert_optim::EarlyStopping;
use wengert_optim::first::Goal;
use wengert_optim::schedule::*;

fn golden() -> BTreeMap<String, Vec<f64>> {
    serde_json::from_str(include_str!("../golden/schedules.json")).unwrap()
}

#[test]
fn closed_forms() {
    let restarts =
        |period, growth| Box::new(CosineRestarts { to: 0.01, ..CosineRestarts::new(0.1, period, growth) });
    let cyclic = |up, down, mode| Box::new(Cyclic { mode, ..Cyclic::new(0.1, 0.5, up, down) });
    let one_cycle = OneCycle::new(0.5, 60);
    let warm_cosine = Cosine { to: 0.001, ..Cosine::new(0.1, 40) };
    let wsd = WarmupStableDecay { last: 0.02, ..WarmupStableDecay::new(0.1, 10, 25, 15) };
    let table: Vec<(&str, Box<dyn Schedule>)> = vec![
        ("torch step", Box::new(StepDecay::new(0.1, 7, 0.3))),
        ("torch multi_step", Box::new(MultiStep::new(0.1, vec![5, 20, 21], 0.5))),
        ("torch exponential", Box::new(Exponential::new(0.1, 0.93))),
        ("torch polynomial", Box::new(Polynomial::new(0.1, 0.0, 40, 2.0))),
        ("torch cosine", Box::new(Cosine { to: 0.01, ..Cosine::new(0.1, 60) })),
        ("torch restarts", restarts(9, 1)),
        ("torch restarts growing", restarts(6, 2)),
        ("torch linear", Box::new(LinearRamp::new(0.025, 0.1, 10))),
        ("torch one_cycle", Box::new(one_cycle)),
        ("torch one_cycle linear", Box::new(OneCycle { rising: 0.25, linear: true, ..one_cycle })),
        ("torch one_cycle three_phase", Box::new(OneCycle { three_phase: true, ..one_cycle })),
        ("torch cyclic triangular", cyclic(8, 8, CyclicMode::Triangular)),
        ("torch cyclic triangular2", cyclic(6, 10, CyclicMode::Halving)),
        ("torch cyclic exp_range", cyclic(6, 6, CyclicMode::Exponential(0.97))),
        ("torch inverse_time", Box::new(InverseTime::new(0.1, 0.2, 1))),
        ("torch noam", Box::new(Noam::new(512, 20))),
        (
            "optax warmup_cosine",
            Box::new(Sequence::new(LinearRamp::new(0.01, 0.1, 10)).then(10, warm_cosine)),
        ),
        ("optax polynomial", Box::new(Polynomial::new(0.1, 0.01, 30, 3.0))),
        ("optax wsd", Box::new(wsd)),
    ];
    let golden = golden();
    for (name, schedule) in table {
        schedule.check().unwrap();
        for (step, &expected) in golden[name].iter().enumerate() {
            let rate = schedule.at(step as u64);
            assert!((rate - expected).abs() < 1e-12, "{name}, step {step}: {rate} is not {expected}");
        }
        for far in [1_000, u64::from(u32::MAX), u64::MAX - 1] {
            assert!(schedule.at(far).is_finite() && schedule.at(far) >= 0.0, "{name}, step {far}");
        }
    }
}

#[test]
fn plateau_as_torch_and_resumed_anywhere() {
    let golden = golden();
    for (name, threshold) in
        [("torch plateau rel", Threshold::Relative(1e-3)), ("torch plateau abs", Threshold::Absolute(1e-3))]
    {
        let mut schedule = ReduceOnPlateau::new(0.1);
        (schedule.factor, schedule.patience, schedule.cooldown) = (0.5, 2, 1);
        (schedule.smallest, schedule.threshold) = (0.002, threshold);
        for (i, (&value, &expected)) in golden["plateau values"].iter().zip(&golden[name]).enumerate() {
            let json = serde_json::to_string(&schedule).unwrap();
            let mut resumed: ReduceOnPlateau = serde_json::from_str(&json).unwrap();
            let rate = schedule.observe(value);
            assert!((rate - expected).abs() < 1e-15, "{name}, value {i}: {rate} is not {expected}");
            assert_eq!(resumed.observe(value).to_bits(), rate.to_bits());
            assert_eq!(resumed, schedule);
        }
    }
}

/// Every schedule, and some made of others.
fn every_schedule() -> Vec<AnySchedule> {
    let third = 1.0 / 3.0;
    let cosine = Cosine { to: 1e-5 * third, ..Cosine::new(0.1 * third, 40) };
    let cyclic = |mode| Cyclic { mode, ..Cyclic::new(0.1 * third, 0.5, 6, 10) };
    let plain: Vec<AnySchedule> = vec![
        Constant::new(0.1 * third).into(),
        StepDecay::new(0.1 * third, 7, 0.3).into(),
        MultiStep::new(0.1 * third, vec![5, 20], 0.7).into(),
        Exponential::new(0.1 * third, 0.93).into(),
        Polynomial::new(0.1 * third, 0.01 * third, 40, 2.2).into(),
        InverseTime::new(0.1 * third, 0.2, 3).into(),
        LinearRamp::new(0.1 * third, 0.2, 10).into(),
        cosine.into(),
        CosineRestarts::new(0.1 * third, 9, 2).into(),
        OneCycle { three_phase: true, ..OneCycle::new(0.5 * third, 60) }.into(),
        cyclic(CyclicMode::Triangular).into(),
        cyclic(CyclicMode::Halving).into(),
        cyclic(CyclicMode::Exponential(0.97 * third)).into(),
        Noam { scale: 0.7 * third, ..Noam::new(512, 20) }.into(),
        WarmupStableDecay { last: 0.02 * third, ..WarmupStableDecay::new(0.1, 10, 25, 15) }.into(),
    ];
    let warm = Warmup { from: 0.1 * third, ..Warmup::new(8, cosine) };
    let sequence = Sequence::new(warm).then(30, Scaled::new(cosine, Exponential::new(1.0, 0.97)));
    let made = [warm.into(), Scaled::new(warm, cosine).into(), sequence.then(50, Constant::new(0.1)).into()];
    plain.into_iter().chain(made).collect()
}

#[test]
fn schedules_go_through_json_bit_for_bit() {
    for schedule in every_schedule() {
        schedule.check().unwrap();
        let json = serde_json::to_string(&schedule).unwrap();
        let read: AnySchedule = serde_json::from_str(&json).unwrap();
        assert_eq!(read, schedule, "{json}");
        for step in (0..100).chain([10_000, u64::MAX - 1]) {
            assert_eq!(read.at(step).to_bits(), schedule.at(step).to_bits(), "{json}, step {step}");
        }
    }
    assert!(serde_json::from_str::<AnySchedule>(r#"{"cosinus": {"from": 0.1}}"#).is_err());
    assert!(serde_json::from_str::<AnySchedule>(r#"{"cosine": {"from": 0.1}}"#).is_err());
}

#[test]
fn schedules_of_ones_own_follow_each_other_too() {
    struct Root;
    impl Schedule for Root {
        fn at(&self, step: u64) -> f64 {
            (step as f64).sqrt()
        }
        fn check(&self) -> Result<(), wengert_optim::HyperParameterError> {
            Ok(())
        }
    }
    let boxed = |schedule| -> Box<dyn Schedule> { Box::new(schedule) };
    let schedule = Sequence::of(boxed(Root)).then(9, Box::new(Constant::new(2.0)) as Box<dyn Schedule>);
    schedule.check().unwrap();
    assert_eq!((schedule.at(4), schedule.at(9)), (2.0, 2.0));
}

#[test]
fn nonsense_is_refused() {
    assert!(Cosine { from: f64::NAN, to: 0.0, steps: 3 }.check().is_err());
    assert!(Warmup { steps: 3, from: 0.0, then: Constant { rate: -1.0 } }.check().is_err());
    assert!(RangeTest::check(1.0, 0.1, 10).is_err() && RangeTest::check(0.1, 1.0, 1).is_err());
    let read: Exponential = serde_json::from_str(r#"{"rate": 0.1, "factor": -2}"#).unwrap();
    assert_eq!(read.check().unwrap_err().parameter, "factor");
    assert!(serde_json::from_str::<Exponential>(r#"{"rate": 0.1, "gamma": 2}"#).is_err());
}

#[test]
#[should_panic(expected = "exponential: rate is NaN, but must be finite and at least 0")]
fn constructors_panic() {
    Exponential::new(f64::NAN, 0.5);
}

/// The rate after `count` values of `value`.
fn after(mut schedule: ReduceOnPlateau, count: usize, value: impl Fn(usize) -> f64) -> f64 {
    for i in 0..count {
        schedule.observe(value(i));
    }
    schedule.rate()
}

#[test]
fn plateaus_are_found_on_both_sides_of_zero() {
    let plateau = |goal, threshold| {
        let mut schedule = ReduceOnPlateau::new(1.0);
        (schedule.goal, schedule.threshold, schedule.patience) = (goal, threshold, 5);
        schedule
    };
    for (goal, sign) in [(Goal::Min, 1.0), (Goal::Max, -1.0)] {
        for level in [-5.0, -1e-3, 0.0, 1e-3, 5.0, 1e300, -1e300] {
            for threshold in [Threshold::Relative(1e-2), Threshold::Absolute(1e-2 * f64::abs(level))] {
                let size = f64::max(f64::abs(level), 1e-4);
                let run = |change: f64| {
                    after(plateau(goal, threshold), 40, |i| level + sign * change * size * i as f64)
                };
                let label = format!("{goal:?}, {threshold:?} from {level}");
                assert!(run(4e-5) < 1.0, "{label}: slowly worse");
                assert!(run(0.0) < 1.0, "{label}: constant");
                assert!(level == 0.0 || run(-4e-5) < 1.0, "{label}: better by too little");
                assert_eq!(run(-0.5), 1.0, "{label}: much better");
            }
        }
        let relative = plateau(goal, Threshold::Relative(1e-2));
        assert!(after(relative, 40, |_| f64::NAN) < 1.0 && after(relative, 40, |_| f64::INFINITY) < 1.0);
        // NaN between improvements does not count as one, nor does it become the best.
        assert_eq!(after(relative, 40, |i| if i % 3 == 0 { f64::NAN } else { -sign * i as f64 }), 1.0);
        // An infinite loss is left behind by any other.
        let worst = sign * f64::INFINITY;
        assert_eq!(after(relative, 40, |i| if i == 0 { worst } else { -sign * i as f64 }), 1.0);
    }
    // Read without a goal, as written before there was one.
    let mut json = serde_json::to_value(ReduceOnPlateau::new(1.0)).unwrap();
    json.as_object_mut().unwrap().remove("goal");
    assert_eq!(serde_json::from_value::<ReduceOnPlateau>(json).unwrap(), ReduceOnPlateau::new(1.0));
}

#[test]
fn early_stopping_on_both_sides_of_zero() {
    for (goal, sign) in [(Goal::Min, 1.0), (Goal::Max, -1.0)] {
        for level in [-5.0, 0.0, 5.0] {
            let stops = |change: f64| {
                let mut stopping = EarlyStopping::<f32>::new(3, 0.1).with_goal(goal);
                (0..20).any(|i| stopping.observe(level + sign * change * f64::from(i), &[]))
            };
            assert!(stops(0.01) && stops(0.0) && stops(-0.02) && !stops(-0.2), "{goal:?} from {level}");
        }
        let mut stopping = EarlyStopping::new(9, 0.0).with_goal(goal);
        for (i, value) in [f64::NAN, 3.0, f64::NAN, 3.0 - sign, f64::NAN, 3.0].into_iter().enumerate() {
            stopping.observe(value, &[i as f32]);
        }
        assert_eq!((stopping.best(), stopping.best_at()), (Some(3.0 - sign), Some(3)));
    }
}

#[test]
fn range_tests_of_any_sign_end_by_themselves() {
    // A loss around `level` that falls by one, and then explodes.
    for level in [-100.0, -1.0, -0.5, 0.0, 3.0] {
        let mut test = RangeTest::new(1e-4, 1e2, 300);
        while let Some(rate) = test.next_rate() {
            let fallen = (rate / 1e-1).min(1.0);
            let risen = if rate > 1.0 { 50.0 * (f64::abs(level) + 1.0) * (rate - 1.0) } else { 0.0 };
            test.observe(level - fallen + risen);
        }
        let tried = test.points().len();
        assert!((200..300).contains(&tried), "around {level}: {tried} rates");
        let suggested = test.suggestion().unwrap();
        assert!((1e-3..1.0).contains(&suggested), "around {level}: {suggested}");
    }
    let mut test = RangeTest::new(1e-300, 1e300, 5);
    for expected in [1e-300, 1e-150, 1.0, 1e150, 1e300] {
        let rate = test.next_rate().unwrap();
        assert!((rate / expected - 1.0).abs() < 1e-12, "{rate:e}");
        test.observe(1.0);
    }
}

#[test]
fn settings_without_a_meaning_are_refused() {
    let refused = |schedule: AnySchedule, parameter: &str| {
        assert_eq!(schedule.check().unwrap_err().parameter, parameter, "{schedule:?}");
    };
    refused(LinearRamp { from: 0.1, to: 0.2, steps: 0 }.into(), "steps");
    refused(Polynomial { from: 0.1, to: 0.2, steps: 0, power: 1.0 }.into(), "steps");
    refused(Cosine { from: 0.1, to: 0.0, steps: 0 }.into(), "steps");
    refused(CosineRestarts { period: 0, ..CosineRestarts::new(0.1, 1, 1) }.into(), "period");
    refused(CosineRestarts { growth: 0, ..CosineRestarts::new(0.1, 1, 1) }.into(), "growth");
    refused(StepDecay { every: 0, ..StepDecay::new(0.1, 1, 0.5) }.into(), "every");
    refused(InverseTime { steps: 0, ..InverseTime::new(0.1, 0.5, 1) }.into(), "steps");
    refused(OneCycle { steps: 0, ..OneCycle::new(0.1, 1) }.into(), "steps");
    refused(OneCycle { rising: 0.6, three_phase: true, ..OneCycle::new(0.1, 9) }.into(), "rising");
    refused(Cyclic { up: 0, ..Cyclic::new(0.1, 0.2, 1, 1) }.into(), "up");
    refused(Cyclic { down: 0, ..Cyclic::new(0.1, 0.2, 1, 1) }.into(), "down");
    refused(Noam { width: 0, ..Noam::new(1, 1) }.into(), "width");
    refused(Noam { warmup: 0, ..Noam::new(1, 1) }.into(), "warmup");
    let nothing =
        WarmupStableDecay { warmup: 0, stable: 0, decay: 0, ..WarmupStableDecay::new(0.1, 1, 1, 1) };
    refused(nothing.into(), "warmup + stable + decay");
    for milestones in [vec![], vec![5, 3], vec![5, 5], vec![1, 2, 3, 2]] {
        refused(MultiStep { rate: 0.1, milestones, factor: 0.5 }.into(), "milestones");
    }
    for share in [1.0, 5.0] {
        let mut schedule = ReduceOnPlateau::new(0.1);
        schedule.threshold = Threshold::Relative(share);
        assert_eq!(schedule.check().unwrap_err().parameter, "threshold");
    }
    assert!(Cyclic::new(0.1, 0.2, u64::MAX, u64::MAX).at(u64::MAX).is_finite());
}

#[test]
#[should_panic(expected = "Sequence::then: a schedule from step 0 after one from step 0")]
fn a_schedule_that_never_begins() {
    Sequence::new(Constant::new(0.1)).then(0, Constant::new(0.2));
}

#[test]
#[should_panic(expected = "reduce_on_plateau: factor is NaN")]
fn a_plateau_with_a_factor_of_nan() {
    let mut schedule = ReduceOnPlateau::new(0.1);
    schedule.factor = f64::NAN;
    schedule.observe(1.0);
}
