//! What is told where something is wrong: names, places, causes, and nothing twice.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::common::{Model, data};
use crate::panics::caught;
use wengert_nn::{Ctx, Init, Linear, Losses, Params};
use wengert_optim::first::{Goal, NonFinite};
use wengert_optim::{EarlyStopping, Groups, Layout, Lookahead, Momentum, Optimizer, Sam, Sgd};
use wengert_tape::Var;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, LogLoss, Metrics};
use wengert_train::{Csv, JsonLines, Learner, Report, Segments, TrainError, Trainer, Training};

fn line(params: &mut Params) -> Linear {
    Linear::new(params.root(), 1, 1)
}

/// 1 over what is 0 in the third step.
fn loss(cx: &Ctx, line: &Linear, step: u64) -> Var {
    let x = Var::from([[if step == 2 { -1.0 } else { 1.0 }]]);
    (x.ln() * wengert_nn::Layer::forward(line, cx, &Var::ones([1, 1])).square()).sum()
}

#[test]
fn a_loss_that_is_not_finite_names_what_made_it() {
    for clipped in [false, true] {
        let mut params: Params = Params::seeded(0);
        let model = line(&mut params);
        let trainer = Trainer::new(&mut params, Sgd::new(0.1));
        let trainer = if clipped { trainer.clip_norm(1.0) } else { trainer };
        let mut run = trainer.start().unwrap();
        let mut failure = None;
        for _ in run.epochs(5).unwrap() {
            let step = run.now().step;
            if let Err(error) = run.step(|cx| {
                let x = Var::from([[if step == 2 { 0.0f32 } else { 1.0 }]]);
                let y = wengert_nn::Layer::forward(&model, cx, &x);
                (&y / &y).sum()
            }) {
                failure = Some(error);
                break;
            }
            // The bias that is added is what makes a quotient of zeros.
            run.params_mut().values_mut()[1] = 0.0;
        }
        let error = failure.expect("0 / 0 in the third step");
        let text = error.to_string();
        let TrainError::Loss { step, epoch, batch, trouble, value } = error else { panic!("{text}") };
        assert!(value.is_nan());
        assert_eq!((step, epoch, batch), (3, 3, 0), "{text}");
        let trouble = trouble.expect("it is there when it is evaluated once more");
        assert!(trouble.fault.location.file().ends_with("errors.rs"), "{text}");
        assert_eq!(trouble.fault.inputs[0].largest, 0.0);
        assert!(
            text.starts_with("the loss is NaN in step 3 (epoch 3, batch 0); nothing was changed\n"),
            "{text}"
        );
        assert!(text.contains(&trouble.fault.operation) && text.contains("errors.rs:"), "{text}");
    }
}

#[test]
fn a_gradient_that_is_not_finite_names_what_made_it() {
    let mut params: Params = Params::seeded(0);
    let model = line(&mut params);
    params.set_values(&[0.0, 0.0]);
    // The root of 0 is finite, and its slope is not.
    let loss = |cx: &Ctx| wengert_nn::Layer::forward(&model, cx, &Var::ones([1, 1])).sqrt().sum();
    let mut run = Trainer::new(&mut params, Sgd::new(0.1)).clip_norm(1.0).start().unwrap();
    let error = run.step(loss).unwrap_err();
    let text = error.to_string();
    let TrainError::Gradient { trouble, .. } = error else { panic!("{text}") };
    assert_eq!(trouble.unwrap().fault.operation, "sqrt");
    assert!(text.starts_with("the gradient of ") && text.contains("\n"), "{text}");
    drop(run);
    // What is to be skipped is not looked into.
    let mut run = Trainer::new(&mut params, Sgd::new(0.1)).non_finite(NonFinite::Skip).start().unwrap();
    assert_eq!(run.step(loss).unwrap(), 0.0);
}

#[test]
fn a_learner_without_a_run_says_after_how_many_updates() {
    let mut params: Params = Params::seeded(0);
    let model = line(&mut params);
    let mut learner = Learner::new(&mut params, Sgd::new(0.0));
    let evaluations = |learner: &Learner<'_>| learner.params().step();
    for step in 0..2 {
        learner.step(|cx| loss(cx, &model, step)).unwrap();
    }
    let before = evaluations(&learner);
    let error = learner.step(|cx| loss(cx, &model, 2)).unwrap_err();
    assert!(
        error.to_string().starts_with("the loss is NaN after 2 updates; nothing was changed\n"),
        "{error}"
    );
    assert!(matches!(&error, TrainError::LearnerLoss { updates: 2, .. }), "{error}");
    assert_eq!(evaluations(&learner), before);
}

/// Sharpness-aware minimisation, whose second loss is not finite: at the parameters all is well.
#[test]
fn a_loss_that_is_not_finite_at_a_further_point_is_refused() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    let groups = |layout: &Layout| {
        Groups::of(layout).rest(|_| Ok(Sam::new(Lookahead::new(Momentum::new(0.1), 1, 0.5), 0.5))).unwrap()
    };
    let layout = params.segments();
    for nested in [false, true] {
        params.values_mut().fill(1.0);
        let optimizer: Box<dyn Optimizer<f64>> = match nested {
            false => Box::new(Sam::new(Momentum::new(0.1), 0.5)),
            true => Box::new(groups(&layout)),
        };
        let mut learner = Learner::new(&mut params, optimizer);
        learner.step(|cx| cx.param(w).square().sum()).unwrap();
        let (values, state, evaluations) =
            (learner.params().values().to_vec(), learner.state(), learner.params().step());
        // Above 1 it is infinite.
        let wall = |cx: &Ctx<f64>| {
            let x = cx.param(w) / values[0];
            x.sum() + if x.value().to_vec()[0] > 1.0 { f64::INFINITY } else { 0.0 }
        };
        let error = learner.step(wall).unwrap_err();
        assert!(matches!(error, TrainError::LearnerLoss { value: f64::INFINITY, updates: 1, .. }), "{error}");
        assert_eq!((learner.params().values(), learner.params().step()), (&values[..], evaluations));
        assert!(learner.state() == state);
        drop(learner);
        let moved = params.train_step(&mut Sam::new(Sgd::new(0.1), 0.5), wall).unwrap();
        assert_eq!((moved, params.values()), (f64::INFINITY, &values[..]));
    }
}

#[test]
fn values_that_were_not_announced_are_refused_with_the_nearest() {
    let (train, test) = data();
    let (mut params, model) = Model::new();
    let mut quality = Metrics::new().with(Accuracy::new());
    let mut run = Trainer::new(&mut params, Sgd::new(0.1))
        .measures("validation", &quality)
        .records("test.wrong", Goal::Min)
        .early_stopping("validation.accuracy", EarlyStopping::new(3, 0.0))
        .start()
        .unwrap();
    for epoch in run.epochs(1).unwrap() {
        for (images, labels) in epoch.batches(train.batches(25)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    let outputs = |cx: &Ctx, (images, labels)| (model.forward(cx, &images), labels);
    let error = run.validate("valid", test.batches(20), &mut quality, outputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`valid.accuracy` was not announced: there are `validation.accuracy`, `train.loss`, `test.wrong`"
    );
    let error = run.record("test", &[("wrong".to_owned(), 1.0), ("wrongs".to_owned(), 1.0)]).unwrap_err();
    assert!(
        error.to_string().starts_with("`test.wrongs` was not announced: there are `test.wrong`, "),
        "{error}"
    );
    assert!(
        run.history().rows.iter().all(|row| row.set != "test" && row.set != "valid"),
        "{}",
        run.history()
    );
    run.record("test", &[("wrong".to_owned(), 1.0)]).unwrap();
    let measured = run.validate("validation", test.batches(20), &mut quality, outputs).unwrap();
    assert!(measured.get("accuracy") >= 0.0);
    let panic = catch_unwind(AssertUnwindSafe(|| measured.get("acuracy"))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(text, "Measured::get: nothing measured \"acuracy\"; there are [\"accuracy\"]");
}

#[test]
fn a_value_to_keep_the_best_by_is_known_or_an_error_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let mut params: Params = Params::seeded(0);
    line(&mut params);
    let quality: Metrics = Metrics::new().with(Accuracy::new()).with(LogLoss::new());
    let trainer = Trainer::new(&mut params, Sgd::new(0.1))
        .measures("validation", &quality)
        .checkpoints(Checkpoints::new(folder.path()).best("validation.log_los"));
    let error = trainer.start().map(drop).unwrap_err();
    assert!(
        error.to_string().contains("no value `validation.log_los`; the nearest are `validation.log_loss`"),
        "{error}"
    );
    let trainer =
        Trainer::new(&mut params, Sgd::new(0.1)).measures("test", &quality).measures("test", &quality);
    assert!(matches!(trainer.start().map(drop).unwrap_err(), TrainError::Twice { .. }));
}

/// Settings that make no sense panic where they are written, with the caller's line.
#[test]
fn settings_that_make_no_sense_panic_at_the_callers_line() {
    let expect = |what: &str, work: &mut dyn FnMut()| {
        let place = caught(work).file;
        assert!(place.ends_with("errors.rs"), "{what}: {place}");
    };
    let mut params: Params = Params::seeded(0);
    line(&mut params);
    let mut trainer = |set: &dyn Fn(Trainer<'_>)| set(Trainer::new(&mut params, Sgd::new(0.1)));
    expect("batch_size", &mut || trainer(&|t| drop(t.batch_size(0))));
    expect("accumulate", &mut || trainer(&|t| drop(t.accumulate(0))));
    expect("clip_norm", &mut || trainer(&|t| drop(t.clip_norm(0.0))));
    expect("clip_value", &mut || trainer(&|t| drop(t.clip_value(f64::NAN))));
    expect("duplicate metrics", &mut || {
        drop(Metrics::<f32>::new().with(Accuracy::new()).with(Accuracy::new()));
    });
}

/// No error says what its source says as well.
#[test]
fn errors_do_not_repeat_their_sources() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no log, no checkpoint").unwrap();
    let mut params: Params = Params::seeded(0);
    line(&mut params);
    let mut trained = |rules: Checkpoints| {
        Trainer::new(&mut params, Sgd::new(0.1)).checkpoints(rules).start().map(drop).unwrap_err()
    };
    let errors: Vec<Box<dyn Error>> = vec![
        Box::new(trained(Checkpoints::new(&file))),
        Box::new(trained(Checkpoints::new(file.join("runs")))),
        Box::new(wengert_train::checkpoint::read(&file).unwrap_err()),
        Box::new(wengert_train::checkpoint::read(folder.path().join("none")).unwrap_err()),
        Box::new(Csv::create(file.join("log.csv")).unwrap_err()),
        Box::new(JsonLines::create(folder.path()).unwrap_err()),
        Box::new(Report::new("r").write(file.join("r.html")).unwrap_err()),
    ];
    for error in &errors {
        let text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            assert!(!text.contains(&inner.to_string()), "{text} / {inner}");
            source = inner.source();
        }
        assert!(text.contains(&*folder.path().to_string_lossy()) && !text.contains("exists"), "{text}");
    }
    assert!(errors[0].to_string().ends_with("file: it is a file, not a folder"), "{}", errors[0]);
    assert!(errors[4].to_string().ends_with("file: it is a file, not a folder"), "{}", errors[4]);
}

#[test]
fn a_loss_that_is_no_number_is_not_stepped_on_even_if_its_gradient_is_one() {
    for policy in [NonFinite::Error, NonFinite::Skip] {
        let mut params: Params = Params::seeded(0);
        let model = line(&mut params);
        let start = params.values().to_vec();
        let mut learner = Learner::new(&mut params, Sgd::new(0.1)).clip_norm(1.0).non_finite(policy);
        let step = learner.step(|cx| {
            let y = wengert_nn::Layer::forward(&model, cx, &Var::ones([1, 1]));
            y.square().sum() + f32::NAN
        });
        assert_eq!(step.is_err(), policy == NonFinite::Error, "{step:?}");
        assert_eq!(learner.updates(), 0);
        assert_eq!(*learner.params().values(), *start);
    }
}
