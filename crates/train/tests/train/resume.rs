//! Runs that are broken off anywhere and gone on from end in the bits of those that were not.

use crate::common::{Model, data};
use wengert_nn::{Losses, Params};
use wengert_optim::schedule::{Cosine, ReduceOnPlateau};
use wengert_optim::{Adam, Average, EarlyStopping, Sam, Sgd};
use wengert_state::State;
use wengert_tensor::random::Generator;
use wengert_train::metric::{Accuracy, Metrics};
use wengert_train::{History, Run, TrainError, Trainer};

const EPOCHS: u64 = 4;

/// All that a program can see of how a run ended.
#[derive(Debug, PartialEq)]
struct End {
    params: State,
    history: Vec<(u64, u64, String, u64)>,
}

fn end(params: &Params, history: &History) -> End {
    let row = |row: &wengert_train::Row| {
        (row.epoch, row.step, format!("{}.{}", row.set, row.name), row.value.to_bits())
    };
    End { params: params.state(), history: history.rows.iter().map(row).collect() }
}

/// Settings of a run of the test's model.
type Settings = for<'p> fn(&'p mut Params) -> Trainer<'p>;

/// Trains; hands out the state wherever a run can be gone on from, and goes on from one.
fn run(settings: Settings, from: Option<&State>, watch: &mut dyn FnMut(&Run<'_>)) -> Result<End, TrainError> {
    let (train, test) = data();
    let (mut params, model) = Model::new();
    let mut quality = Metrics::new().with(Accuracy::new());
    let mut noise = Generator::seeded(3);
    let mut trainer = settings(&mut params);
    if let Some(state) = from {
        trainer = trainer.from_state(state.clone());
    }
    let mut run = trainer.start()?;
    if let Some(kept) = run.kept("noise") {
        noise = Generator::try_from(kept)?;
    }
    for epoch in run.epochs(EPOCHS)? {
        for (images, labels) in epoch.batches(train.batches(16).shuffled(5))? {
            let scale = 1.0 + 0.01 * noise.uniform() as f32;
            run.keep("noise", &noise);
            run.step(|cx| model.forward(cx, &(&images * scale)).cross_entropy(&labels))?;
            watch(&run);
        }
        run.validate("validation", test.batches(20), &mut quality, |cx, (images, labels)| {
            (model.forward(cx, &images), labels)
        })?;
        watch(&run);
    }
    let history = run.finish()?.history;
    Ok(end(&params, &history))
}

/// Breaks a run off wherever it can be gone on from, and expects its end.
fn goes_on_anywhere(settings: Settings) {
    let mut states = Vec::new();
    let whole = run(settings, None, &mut |run| states.push(run.state())).unwrap();
    assert!(whole.history.len() >= 2, "{:?}", whole.history);
    for state in states {
        let text = serde_json::to_string(&state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        let resumed = run(settings, Some(&read), &mut |_| {}).unwrap();
        assert_eq!(resumed.history, whole.history, "from step {}", state.count("step").unwrap());
        assert!(resumed.params == whole.params, "from step {}", state.count("step").unwrap());
    }
}

#[test]
fn a_plain_run_goes_on() {
    goes_on_anywhere(|params| Trainer::new(params, Adam::new(1e-2)));
}

#[test]
fn schedules_accumulation_clipping_and_averages_go_on() {
    goes_on_anywhere(|params| {
        Trainer::new(params, Adam::new(1e-2))
            .average(Average::Exponential { decay: 0.9 })
            .schedule(Cosine::new(1e-2, 10))
            .clip_norm(1.0)
            .accumulate(3)
    });
}

#[test]
fn methods_of_several_gradients_go_on() {
    goes_on_anywhere(|params| Trainer::new(params, Sam::new(Sgd::new(0.05), 0.05)));
}

#[test]
fn early_stopping_and_plateaus_go_on() {
    goes_on_anywhere(|params| {
        let mut plateau = ReduceOnPlateau::new(0.2);
        plateau.patience = 0;
        Trainer::new(params, Sgd::new(0.2))
            .early_stopping("train.loss", EarlyStopping::new(1, 10.0))
            .reduce_on_plateau("train.loss", plateau)
    });
}

#[test]
fn early_stopping_gives_back_the_best_model_with_its_buffers() {
    // The first epoch is the best, as no later loss is better by 10.
    let settings: Settings = |params| {
        Trainer::new(params, Sgd::new(0.2)).early_stopping("train.loss", EarlyStopping::new(1, 10.0))
    };
    let mut first = None;
    let whole = run(settings, None, &mut |run| {
        if run.now().epoch == 1 {
            first = Some(run.params().state());
        }
    })
    .unwrap();
    let first = first.unwrap();
    assert_eq!(whole.params.child("parameters").unwrap(), first.child("parameters").unwrap());
    assert_eq!(whole.params.child("buffers").unwrap(), first.child("buffers").unwrap());
    assert_eq!(whole.history.len(), 4, "two epochs: {:?}", whole.history);
}

#[test]
fn a_state_of_another_run_is_refused_and_changes_nothing() {
    let (mut params, _) = Model::new();
    let run = Trainer::new(&mut params, Adam::new(1e-2)).start().unwrap();
    let state = run.state();
    drop(run);
    params.values_mut()[0] = 5.0;
    let before = params.state();
    let error = Trainer::new(&mut params, Sgd::new(0.1)).from_state(state).start().map(drop).unwrap_err();
    assert!(matches!(error, TrainError::State(_)), "{error}");
    assert_eq!(params.state(), before);
}
