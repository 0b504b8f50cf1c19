//! What a run must have in common with the one that it goes on from, and what may be other.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use crate::common::{Model, data};
use wengert_nn::{Ctx, Losses, Params};
use wengert_optim::first::{AdamConfig, AdaptiveClip, NonFinite};
use wengert_optim::schedule::{Cosine, Exponential, ReduceOnPlateau, Schedule};
use wengert_optim::{Adam, Average, EarlyStopping, Groups, HyperParameterError, Layout, Sam, Sgd};
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::checkpoint::{CheckpointError, Checkpoints, Difference, write};
use wengert_train::{Event, Finished, Learner, Moment, RunObserver, Segments, TrainError, Trainer};

type Settings = for<'p> fn(&'p mut Params) -> Trainer<'p>;

fn adam(params: &mut Params) -> Trainer<'_> {
    Trainer::new(params, Adam::new(1e-2))
}

/// The state after an epoch of a run of these settings.
fn state(settings: Settings) -> State {
    let (train, _) = data();
    let (mut params, model) = Model::new();
    let mut run = settings(&mut params).start().unwrap();
    for epoch in run.epochs(1).unwrap() {
        for (images, labels) in epoch.batches(train.batches(16).shuffled(5)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    run.state()
}

/// What is different where a run of one setting goes on with another, by name; nothing may then be changed.
fn refusal(before: Settings, after: Settings) -> Vec<String> {
    let (mut params, _) = Model::new();
    let fresh = params.state();
    let error = after(&mut params).from_state(state(before)).start().map(drop).unwrap_err();
    assert_eq!(params.state(), fresh);
    let TrainError::OtherSettings { differences } = error else { panic!("{error}") };
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn every_setting_that_changes_the_course_is_compared() {
    assert_eq!(
        refusal(adam, |params| Trainer::new(params, Adam::new(1e-3))),
        ["`learning_rate` is 0.01 in the file, 0.001 here"]
    );
    let slower: Settings = |params| {
        let config = AdamConfig { beta1: 0.8, weight_decay: 0.1, ..Default::default() };
        Trainer::new(params, Adam::with_config(1e-2, config).unwrap())
    };
    assert_eq!(
        refusal(adam, slower),
        [
            "`optimizer.beta1` is 0.9 in the file, 0.8 here",
            "`optimizer.weight_decay` is 0.0 in the file, 0.1 here"
        ]
    );
    let cosine: Settings = |params| adam(params).schedule(Cosine::new(1e-2, 10));
    assert_eq!(
        refusal(adam, cosine),
        ["`learning_rate` is 0.01 in the file, nothing here", "`schedule` is none in the file, Cosine here"]
    );
    assert_eq!(
        refusal(cosine, |params| adam(params).schedule(Cosine::new(1e-2, 20))),
        ["`schedule.steps` is 10 in the file, 20 here"]
    );
    // The rate of an optimiser that a schedule sets is not one.
    let (mut params, _) = Model::new();
    let other = Trainer::new(&mut params, Adam::new(7.0)).schedule(Cosine::new(1e-2, 10));
    other.from_state(state(cosine)).start().map(drop).unwrap();
    assert_eq!(
        refusal(adam, |params| adam(params).clip_norm(1.0)),
        ["`clip_norm` is nothing in the file, 1.0 here"]
    );
    assert_eq!(
        refusal(|params| adam(params).clip_value(0.5), |params| adam(params).clip_value(0.25).accumulate(2)),
        ["`accumulate` is 1 in the file, 2 here", "`clip_value` is 0.5 in the file, 0.25 here"]
    );
    let units: Settings = |params| {
        let clip = AdaptiveClip::new(0.1, 1e-3, &params.segments()).without("out.*").unwrap();
        adam(params).clip_units(clip)
    };
    assert_eq!(
        refusal(units, |params| {
            let clip = AdaptiveClip::new(0.2, 1e-3, &params.segments());
            adam(params).clip_units(clip)
        }),
        [
            "`clip_units.ratio` is 0.1 in the file, 0.2 here",
            "`clip_units.without` is out.weight, out.bias in the file,  here",
        ]
    );
    assert_eq!(
        refusal(adam, |params| adam(params).non_finite(NonFinite::Skip)),
        ["`non_finite` is error in the file, skip here"]
    );
    let average: Settings = |params| adam(params).average(Average::Exponential { decay: 0.9 });
    assert_eq!(refusal(adam, average), ["`average` is none in the file, exponential here"]);
    assert_eq!(
        refusal(average, |params| adam(params).average_from(Average::Exponential { decay: 0.8 }, 2, 1)),
        ["`average.decay` is 0.9 in the file, 0.8 here", "`average.start` is 1 in the file, 2 here"]
    );
    let stopping: Settings = |params| adam(params).early_stopping("train.loss", EarlyStopping::new(3, 0.0));
    assert_eq!(
        refusal(stopping, |params| {
            adam(params).early_stopping("train.loss", EarlyStopping::new(4, 0.0).with_warm_up(1))
        }),
        ["`stopping.patience` is 3 in the file, 4 here", "`stopping.warm_up` is 0 in the file, 1 here"]
    );
    let plateau: Settings = |params| adam(params).reduce_on_plateau("train.loss", ReduceOnPlateau::new(1e-2));
    assert_eq!(
        refusal(plateau, |params| {
            let mut schedule = ReduceOnPlateau::new(1e-2);
            schedule.factor = 0.5;
            adam(params).reduce_on_plateau("train.loss", schedule)
        }),
        ["`plateau.factor` is 0.1 in the file, 0.5 here"]
    );
}

/// A schedule of a program's own, which says nothing of itself.
struct Own(f64);

impl Schedule for Own {
    fn at(&self, step: u64) -> f64 {
        if step < 100 { 1e-3 } else { self.0 }
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Ok(())
    }
}

#[test]
fn what_is_within_optimisers_and_schedules_is_compared() {
    let own: Settings = |params| adam(params).schedule(Own(1e-4));
    let found = refusal(own, |params| adam(params).schedule(Own(1e-5)));
    assert_eq!(found[0], "`schedule.at 100` is 0.0001 in the file, 1e-5 here");
    let sam: Settings = |params| Trainer::new(params, Sam::new(Sgd::new(0.1), 0.05));
    assert_eq!(
        refusal(sam, |params| Trainer::new(params, Sam::new(Sgd::new(0.1), 0.1))),
        ["`optimizer.rho` is 0.05 in the file, 0.1 here"]
    );
    let groups: Settings = |params| Trainer::new(params, grouped(&params_of(), 0.5));
    assert_eq!(
        refusal(groups, |params| Trainer::new(params, grouped(&params_of(), 0.25))),
        ["`optimizer.out.weight.learning_rate` is 0.5 in the file, 0.25 here"]
    );
}

fn params_of() -> Layout {
    Model::new().0.segments()
}

/// The last layer with a rate of its own.
fn grouped(layout: &Layout, rate: f64) -> Groups {
    let groups = Groups::of(layout).group("out.*", |part| Sgd::with_layout(rate, Default::default(), part));
    groups.rest(|part| Sgd::with_layout(0.1, Default::default(), part)).unwrap()
}

#[test]
fn settings_of_further_networks_are_compared() {
    let run = |rate: f64, from: Option<State>| {
        let ((mut params, _), (mut others, _)) = (Model::new(), Model::new());
        let critic = Learner::new(&mut others, Sgd::new(rate));
        let mut trainer = adam(&mut params).also("critic", critic);
        if let Some(state) = from {
            trainer = trainer.from_state(state);
        }
        trainer.start().map(|run| run.state())
    };
    let error = run(0.2, Some(run(0.1, None).unwrap())).unwrap_err().to_string();
    assert!(
        error.contains(": `others.critic.learning_rate` is 0.1 in the file, 0.2 here; to go on"),
        "{error}"
    );
}

/// Trains in a folder.
fn fit(folder: &Path, trainer: Trainer<'_>, model: &Model, epochs: u64) -> Result<Finished, TrainError> {
    let (train, _) = data();
    let loss =
        |cx: &Ctx, (images, labels): &(Var, Tensor<u32>)| model.forward(cx, images).cross_entropy(labels);
    trainer.checkpoints(Checkpoints::new(folder)).resume().fit(&train, epochs, loss)
}

#[test]
fn a_file_of_other_settings_is_refused_with_all_of_them_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut params, model) = Model::new();
    fit(folder.path(), adam(&mut params).batch_size(16), &model, 1).unwrap();
    let trainer = Trainer::new(&mut params, Adam::new(1e-3)).batch_size(25).seed(7);
    let error = fit(folder.path(), trainer, &model, 2).unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with(
            "its run had other settings: `batch_size` is 16 in the file, 25 here; `learning_rate` is 0.01 in the \
             file, 0.001 here; `seed` is 0 in the file, 7 here; to go on with those that are here: \
             `allow_other_settings`"
        ),
        "{text}"
    );
    assert!(matches!(error, TrainError::Checkpoint(CheckpointError::Settings { .. })), "{text}");
    // The number of epochs may be another.
    fit(folder.path(), adam(&mut params).batch_size(16), &model, 2).unwrap();
    // Another optimiser is one difference, whatever its hyper-parameters.
    let trainer = Trainer::new(&mut params, Sgd::new(1e-2)).batch_size(16);
    let error = fit(folder.path(), trainer.allow_other_settings(), &model, 3).unwrap_err();
    let TrainError::Checkpoint(CheckpointError::Other { differences, .. }) = error else { panic!("{error}") };
    let found: Vec<&Difference> = differences.iter().collect();
    assert!(matches!(found[..], [Difference::Kind { name, .. }] if name == "optimizer"), "{differences}");
}

#[test]
fn a_model_of_other_sizes_is_named_by_its_parameters_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut params, model) = Model::new();
    let average = Average::Exponential { decay: 0.9 };
    fit(folder.path(), adam(&mut params).average(average), &model, 1).unwrap();
    let mut other: Params = Params::seeded(0);
    wengert_nn::Linear::new(other.at("hidden"), 784, 4);
    wengert_nn::BatchNorm1d::new(other.at("norm"), 4);
    wengert_nn::Linear::new(other.at("out"), 4, 10);
    let rules = Checkpoints::new(folder.path());
    let error = adam(&mut other).average(average).checkpoints(rules).resume().start().map(drop).unwrap_err();
    let TrainError::Checkpoint(CheckpointError::Other { differences, .. }) = error else { panic!("{error}") };
    let names: Vec<&str> = differences.iter().map(Difference::name).collect();
    assert_eq!(
        names,
        [
            "hidden.bias",
            "hidden.weight",
            "norm.bias",
            "norm.running_mean",
            "norm.running_var",
            "norm.weight",
            "out.weight",
            // What fit knows of its data.
            "batch_size",
            "examples",
            "seed",
        ]
    );
}

/// Remembers the rates of steps, and what the start told.
#[derive(Clone, Default)]
struct Rates(Rc<RefCell<Vec<f64>>>, Rc<RefCell<Vec<(String, String)>>>);

impl RunObserver for Rates {
    fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
        match event {
            Event::Step(step) => self.0.borrow_mut().push(step.learning_rate),
            Event::Start { settings, .. } => *self.1.borrow_mut() = settings.to_vec(),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Rates {
    fn told(&self, name: &str) -> Option<String> {
        let settings = self.1.borrow();
        let mut found = settings.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        let first = found.next();
        assert_eq!(found.next(), None, "{name} is told twice");
        first
    }
}

/// The rates of the second epoch, with another setting allowed, and what the run told.
fn rates(before: Settings, after: Settings) -> Rates {
    let folder = tempfile::tempdir().unwrap();
    let (mut params, model) = Model::new();
    fit(folder.path(), before(&mut params).batch_size(25), &model, 1).unwrap();
    let rates = Rates::default();
    let trainer = after(&mut params).batch_size(25).observe(rates.clone()).allow_other_settings();
    fit(folder.path(), trainer, &model, 2).unwrap();
    // What is in force now is what the next must have.
    fit(folder.path(), after(&mut params).batch_size(25), &model, 3).unwrap();
    rates
}

#[test]
fn settings_that_are_allowed_are_in_force() {
    let cosine: Settings = |params| adam(params).schedule(Exponential::new(0.5, 0.5));
    let rate = rates(adam, |params| Trainer::new(params, Adam::new(1e-3)));
    assert_eq!(
        (&rate.0.borrow()[..], rate.told("learning_rate")),
        (&[1e-3; 2][..], Some("0.001".to_owned()))
    );
    let rate = rates(adam, cosine);
    assert_eq!(rate.0.borrow()[..], [0.125, 0.0625]);
    assert_eq!(rate.told("learning_rate"), Some("0.125".to_owned()));
    assert_eq!(rate.told("schedule"), Some("Exponential".to_owned()));
    let rate = rates(cosine, adam);
    assert_eq!(rate.0.borrow()[..], [1e-2; 2]);
    assert_eq!((rate.told("schedule"), rate.told("optimizer.beta1")), (None, Some("0.9".to_owned())));
    // A rate that a plateau has lowered stays, where the program's is the same.
    let plateau: Settings = |params| {
        let mut schedule = ReduceOnPlateau::new(1e-2);
        schedule.patience = 0;
        adam(params).reduce_on_plateau("train.loss", schedule)
    };
    let rate = rates(plateau, |params| {
        let mut schedule = ReduceOnPlateau::new(1e-2);
        (schedule.patience, schedule.factor) = (5, 0.5);
        adam(params).reduce_on_plateau("train.loss", schedule)
    });
    assert_eq!(rate.told("plateau.factor"), Some("0.5".to_owned()));
    // Averages, early stopping and clipping may come and go.
    let more: Settings = |params| {
        let stopping = EarlyStopping::new(9, 0.0);
        adam(params)
            .average(Average::Uniform)
            .early_stopping("train.loss", stopping)
            .clip_norm(1.0)
            .accumulate(2)
    };
    rates(adam, more);
    rates(more, adam);
}

#[test]
fn what_is_frozen_is_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let train = |freeze: bool, allow: bool, epochs: u64| {
        let (mut params, model) = Model::new();
        if freeze {
            params.freeze("out.*");
        }
        let trainer = adam(&mut params).batch_size(25);
        let trainer = if allow { trainer.allow_other_settings() } else { trainer };
        fit(folder.path(), trainer, &model, epochs).map(|_| params.get("out.weight").unwrap().to_vec())
    };
    let frozen = train(true, false, 1).unwrap();
    let error = train(false, false, 2).unwrap_err().to_string();
    assert!(error.contains("`frozen` is [out.weight, out.bias] in the file, nothing here"), "{error}");
    assert_eq!(train(true, false, 2).unwrap(), frozen);
    let trained = train(false, true, 3).unwrap();
    assert_ne!(trained, frozen);
    assert_eq!(train(true, true, 4).unwrap(), trained);
}

#[test]
fn a_plateau_that_begins_at_another_rate_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (mut params, model) = Model::new();
    let train = |params: &mut Params, rate: f64, epochs: u64| {
        // Nothing is better by 10, so that every epoch but the first lowers the rate.
        let mut schedule = ReduceOnPlateau::new(rate);
        (schedule.patience, schedule.threshold) = (0, wengert_optim::schedule::Threshold::Absolute(10.0));
        let rates = Rates::default();
        let trainer = Trainer::new(params, Adam::new(rate)).reduce_on_plateau("train.loss", schedule);
        let trainer = trainer.batch_size(50).observe(rates.clone()).allow_other_settings();
        fit(folder.path(), trainer, &model, epochs).unwrap();
        let rates = rates.0.borrow().clone();
        rates.iter().map(|rate| (rate * 1e6).round()).collect::<Vec<f64>>()
    };
    assert_eq!(train(&mut params, 1e-2, 3), [1e4, 1e4, 1e3]);
    assert_eq!(train(&mut params, 1e-2, 4), [1e2]);
    assert_eq!(train(&mut params, 5e-3, 7), [5e3, 5e3, 5e2]);
}

#[test]
fn other_settings_change_the_bits_and_the_same_do_not() {
    let end = |after: Settings| {
        let (train, _) = data();
        let (mut params, model) = Model::new();
        let mut run = after(&mut params).from_state(state(adam)).allow_other_settings().start().unwrap();
        for epoch in run.epochs(2).unwrap() {
            for (images, labels) in epoch.batches(train.batches(16).shuffled(5)).unwrap() {
                run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            }
        }
        run.finish().unwrap();
        params.values().to_vec()
    };
    let same = end(adam);
    assert!(same == end(adam));
    let others: [Settings; 4] = [
        |params| Trainer::new(params, Adam::new(1e-3)),
        |params| {
            let config = AdamConfig { beta1: 0.5, ..Default::default() };
            Trainer::new(params, Adam::with_config(1e-2, config).unwrap())
        },
        |params| adam(params).clip_norm(1e-3),
        |params| adam(params).average(Average::Uniform),
    ];
    for other in others {
        assert!(end(other) != same);
    }
}

#[test]
fn to_allow_other_settings_is_nothing_without_a_run_to_go_on_from() {
    let (mut params, _) = Model::new();
    let error = adam(&mut params).allow_other_settings().start().map(drop).unwrap_err();
    assert!(error.to_string().starts_with("allow_other_settings: the run does not go on"), "{error}");
}

#[test]
fn a_damaged_newest_file_names_the_intact_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut params, model) = Model::new();
    // One after the other, as a checkpoint that waits makes room for a newer one.
    for epochs in 1..=3 {
        fit(folder.path(), adam(&mut params).batch_size(25), &model, epochs).unwrap();
    }
    let whole = params.values().to_vec();
    let path = |step: u64| folder.path().join(format!("step-{step:08}.safetensors"));
    let damage = |step: u64| {
        let mut bytes = std::fs::read(path(step)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path(step), bytes).unwrap();
    };
    let resumed = || {
        let (mut params, model) = Model::new();
        fit(folder.path(), adam(&mut params).batch_size(25), &model, 3).map(|_| params.values().to_vec())
    };
    damage(6);
    let error = resumed().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("step-00000006.safetensors: damaged: its checksum is "), "{text}");
    let remedy = "; step-00000004.safetensors is whole: move step-00000006.safetensors away, and the run goes on from \
                  there, with the same bits";
    assert!(text.ends_with(remedy), "{text}");
    let TrainError::Checkpoint(CheckpointError::Newest { newest, intact, .. }) = error else {
        panic!("{text}")
    };
    assert_eq!((newest, intact), (path(6), Some(path(4))));
    assert!(path(6).exists() && path(4).exists());
    std::fs::rename(path(6), folder.path().join("damaged")).unwrap();
    assert!(resumed().unwrap() == whole);
    // Cut, and none that is whole.
    damage(2);
    damage(4);
    std::fs::write(path(6), &std::fs::read(path(6)).unwrap()[..100]).unwrap();
    let text = resumed().unwrap_err().to_string();
    assert!(
        text.contains("there is none before it that is whole: move step-00000006.safetensors away"),
        "{text}"
    );
    // A file of another run is no damage.
    write(path(9), &State::new("model", 0)).unwrap();
    let text = resumed().unwrap_err().to_string();
    assert!(text.contains("`the state` is `model` in the file, `run` here"), "{text}");
}
