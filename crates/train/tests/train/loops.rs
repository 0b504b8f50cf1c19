//! One loop in several forms, and what a run tells.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::common::{Model, data};
use wengert_curvature::Objectives;
use wengert_nn::{Ctx, Layer, Linear, Losses, Mode, Params};
use wengert_optim::first::Goal;
use wengert_optim::minimize::KrylovModel;
use wengert_optim::schedule::{Cosine, Schedule};
use wengert_optim::{Adam, Lbfgs, Minimizer, Optimizer, Sgd, Stopping, TrustRegionNewton};
use wengert_state::State;
use wengert_tape::Var;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::{Event, Learner, Moment, RunObserver, StopReason, TrainError, Trainer};

/// The run that all of these make: three epochs of batches of 16.
fn trainer(params: &mut Params) -> Trainer<'_> {
    Trainer::new(params, Adam::new(1e-2)).schedule(Cosine::new(1e-2, 12))
}

#[test]
fn a_trainer_a_hand_written_loop_and_a_bare_one_give_the_same_bits() {
    let (train, _) = data();
    let (mut fitted, model) = Model::new();
    trainer(&mut fitted)
        .batch_size(16)
        .seed(5)
        .fit(&train, 3, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))
        .unwrap();

    let (mut driven, model) = Model::new();
    let mut run = trainer(&mut driven).start().unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train.batches(16).shuffled(5)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    run.finish().unwrap();

    let (mut prefetched, model) = Model::new();
    let mut run = trainer(&mut prefetched).start().unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train.batches(16).shuffled(5)).unwrap().prefetch(2) {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    run.finish().unwrap();

    let (mut bare, model) = Model::new();
    let (mut adam, schedule) = (Adam::new(1e-2), Cosine::new(1e-2, 12));
    let mut step = 0;
    for epoch in 0..3 {
        for (images, labels) in train.batches(16).shuffled(5).epoch(epoch) {
            let loss = |cx: &Ctx| model.forward(cx, &images).cross_entropy(&labels);
            let (_, grads) = bare.value_and_grad(loss).unwrap();
            adam.set_learning_rate(schedule.at(step));
            adam.step(&mut bare.values_mut(), &grads);
            bare.update_buffers(&grads);
            step += 1;
        }
    }
    assert!(fitted.state() == bare.state());
    assert!(driven.state() == bare.state());
    assert!(prefetched.state() == bare.state());
}

/// Writes down what happens, in short.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl RunObserver for Diary {
    fn on(&mut self, event: &Event<'_>, now: &Moment) -> ControlFlow<String> {
        let text = match event {
            Event::Start { settings, .. } => format!("start {}", settings[0].1),
            Event::Epoch => format!("epoch {}", now.epoch),
            Event::Step(step) => {
                format!("step {} of batch {}/{} ({})", now.step, now.batch, now.batches, step.examples)
            }
            Event::Values { set, values } => format!("{set} {} in epoch {}", values[0].0, now.epoch),
            Event::End { reason } => format!("end: {reason}"),
            _ => format!("{event:?}"),
        };
        self.0.borrow_mut().push(text);
        if now.step == 3 && now.epochs == 7 {
            return ControlFlow::Break("three steps are enough".to_owned());
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn observers_are_told_everything_in_order() {
    let (train, _) = data();
    let diary = Diary::default();
    let (mut params, model) = Model::new();
    let mut run = Trainer::new(&mut params, Sgd::new(0.1)).observe(diary.clone()).start().unwrap();
    for epoch in run.epochs(2).unwrap() {
        for (images, labels) in epoch.batches(train.batches(30)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
        run.record("test", &[("wrong".to_owned(), 1.0)]).unwrap();
    }
    run.finish().unwrap();
    let told = diary.0.borrow().join("; ");
    let expected = "start sgd; \
        epoch 1; step 1 of batch 1/2 (30); step 2 of batch 2/2 (20); train loss in epoch 1; test wrong in epoch 1; \
        epoch 2; step 3 of batch 1/2 (30); step 4 of batch 2/2 (20); train loss in epoch 2; test wrong in epoch 2; \
        end: all epochs are done";
    assert_eq!(told, expected);
}

#[test]
fn an_observer_ends_a_run_with_its_reason() {
    let (train, _) = data();
    let diary = Diary::default();
    let (mut params, model) = Model::new();
    let trainer = Trainer::new(&mut params, Sgd::new(0.1)).observe(diary.clone()).batch_size(30);
    let loss = |cx: &Ctx, (images, labels): &(Var, _)| model.forward(cx, images).cross_entropy(labels);
    let finished = trainer.fit(&train, 7, loss).unwrap();
    assert_eq!(finished.reason, StopReason::Asked("three steps are enough".to_owned()));
    let told = diary.0.borrow().clone();
    assert_eq!(told.last().unwrap(), "end: three steps are enough");
    assert_eq!(told.iter().filter(|line| line.starts_with("step")).count(), 3);
}

#[test]
fn a_run_that_the_program_ends_says_so() {
    let (train, _) = data();
    let (mut params, model) = Model::new();
    let mut run = Trainer::new(&mut params, Sgd::new(0.1)).start().unwrap();
    for epoch in run.epochs(4).unwrap() {
        for (images, labels) in epoch.batches(train.batches(16)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
        if epoch.number() == 2 {
            break;
        }
    }
    assert_eq!(run.finish().unwrap().reason.to_string(), "the program ended it in epoch 2");
}

#[test]
fn what_is_misspelt_or_empty_is_an_error_before_the_first_step() {
    let (train, _) = data();
    let stopping = || wengert_optim::EarlyStopping::new(1, 0.0);
    let (mut params, model) = Model::new();
    let trainer = Trainer::new(&mut params, Sgd::new(0.1))
        .records("validation.accuracy", Goal::Max)
        .early_stopping("validation.acuracy", stopping());
    let error = trainer.start().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing measures `validation.acuracy`; there are `validation.accuracy`, `train.loss`"
    );
    let loss = |cx: &Ctx, (images, labels): &(Var, _)| model.forward(cx, images).cross_entropy(labels);
    let error = Trainer::new(&mut params, Sgd::new(0.1)).fit(&train, 0, loss).unwrap_err();
    assert!(matches!(error, TrainError::NoEpochs), "{error}");
    let mut run = Trainer::new(&mut params, Sgd::new(0.1)).start().unwrap();
    let epoch = run.epochs(1).unwrap().next().unwrap();
    let error = epoch.batches(train.batches(64).drop_last()).unwrap_err();
    assert!(matches!(error, TrainError::NoBatches { examples: 0 }), "{error}");
    drop(run);
    // Announced and watched, but never measured.
    let trainer = Trainer::new(&mut params, Sgd::new(0.1))
        .records("test.wrong", Goal::Min)
        .early_stopping("test.wrong", stopping());
    let error = trainer.fit(&train, 1, loss).unwrap_err();
    assert_eq!(error.to_string(), "`test.wrong` was announced and is watched, but was never measured");
}

#[test]
fn a_loss_that_is_nan_names_the_place_and_changes_nothing() {
    let (train, _) = data();
    let (mut params, model) = Model::new();
    let before = params.state();
    let loss =
        |cx: &Ctx, (images, labels): &(Var, _)| model.forward(cx, images).cross_entropy(labels) * f32::NAN;
    let error = Trainer::new(&mut params, Sgd::new(0.1)).fit(&train, 1, loss).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the loss is NaN in step 1 (epoch 1, batch 1); nothing was changed\n`mul` at "),
        "{text}"
    );
    assert_eq!(params.state(), before);
}

/// A generator of numbers and a critic of them, trained in turn.
fn adversaries(from: Option<&State>, watch: &mut dyn FnMut(State)) -> (State, State) {
    let (mut params, mut others) = (Params::<f32>::seeded(0), Params::seeded(1));
    let generator = Linear::new(params.root(), 2, 1);
    let critic = Linear::new(others.root(), 1, 1);
    let mut trainer =
        Trainer::new(&mut params, Adam::new(0.01)).also("critic", Learner::new(&mut others, Adam::new(0.02)));
    if let Some(state) = from {
        trainer = trainer.from_state(state.clone());
    }
    let mut run = trainer.start().unwrap();
    let data = wengert_data::synthetic::digits(40, 0);
    for epoch in run.epochs(2).unwrap() {
        for (images, _) in epoch.batches(data.batches(10).shuffled(1)).unwrap() {
            let noise = images.slice_axis(1, 300..302);
            let real = images.slice_axis(1, 400..401);
            let fake = run.params().infer_in(Mode::Train, |cx| generator.forward(cx, &noise));
            run.step_of("critic", |cx| {
                critic.forward(cx, &real).softplus().mean() - critic.forward(cx, &fake).softplus().mean()
            })
            .unwrap();
            let judge = run.learner("critic").params();
            let judge = judge.context(Mode::Train, &judge.vars());
            run.step(|cx| critic.forward(&judge, &generator.forward(cx, &noise)).softplus().mean()).unwrap();
            watch(run.state());
        }
    }
    run.finish().unwrap();
    (params.state(), others.state())
}

#[test]
fn two_networks_train_in_one_run_and_go_on() {
    let mut states = Vec::new();
    let whole = adversaries(None, &mut |state| states.push(state));
    assert_eq!(states.len(), 8);
    for state in states {
        assert!(adversaries(Some(&state), &mut |_| {}) == whole);
    }
}

/// Minimises the loss on all digits, from a state of a run.
fn minimized(method: &dyn Minimizer<f32>, from: Option<State>, states: &mut Vec<State>) -> State {
    let (train, _) = data();
    let mut params: Params = Params::seeded(0);
    let model = Linear::new(params.root(), 784, 10);
    let batches: Vec<_> = train.batches(25).collect();
    let objective = params
        .objective_over(&batches, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels));
    let mut trainer = Trainer::without_optimizer(&mut params);
    if let Some(state) = from {
        trainer = trainer.from_state(state);
    }
    let (finished, _) = trainer
        .minimize(method, &objective, |run| {
            states.push(run.state());
            Ok(())
        })
        .unwrap();
    State::new("end", 0)
        .with_child("params", params.state())
        .with_child("history", State::of(&finished.history).unwrap())
}

#[test]
fn closure_methods_go_on_from_every_iteration() {
    let stopping = Stopping { max_iterations: 6, ..Stopping::gradient(1e-6) };
    let lbfgs = Lbfgs::default().with_stopping(stopping.clone());
    let newton = TrustRegionNewton::new(KrylovModel::default()).with_stopping(stopping);
    for method in [&lbfgs as &dyn Minimizer<f32>, &newton] {
        let mut states = Vec::new();
        let whole = minimized(method, None, &mut states);
        assert!(states.len() > 3);
        for state in states {
            assert!(minimized(method, Some(state), &mut Vec::new()) == whole);
        }
    }
}

#[test]
fn a_closure_method_goes_on_from_a_folder() {
    let minimize = |folder: &std::path::Path, max_iterations: u64| {
        let (train, _) = data();
        let mut params: Params = Params::seeded(0);
        let model = Linear::new(params.root(), 784, 10);
        let batches: Vec<_> = train.batches(25).collect();
        let objective = params
            .objective_over(&batches, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels));
        let method = Lbfgs::default().with_stopping(Stopping { max_iterations, ..Stopping::gradient(1e-6) });
        let rules = Checkpoints::new(folder).best("train.loss");
        let trainer = Trainer::without_optimizer(&mut params).checkpoints(rules).resume();
        let (finished, outcome) = trainer.minimize(&method, &objective, |_| Ok(())).unwrap();
        (outcome.point, outcome.counts, finished.history)
    };
    let (parts, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    minimize(parts.path(), 3);
    assert!(minimize(parts.path(), 7) == minimize(whole.path(), 7));
}
