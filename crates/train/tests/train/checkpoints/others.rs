//! Another run's file: the differences are named.

use wengert_nn::{Linear, Params};
use wengert_optim::{Adam, EarlyStopping, Optimizer, Sgd};
use wengert_state::State;
use wengert_tensor::{Float, Tensor};
use wengert_train::checkpoint::{CheckpointError, Difference, differences, read_like, write};

fn state<T: Float>(hidden: &str, width: usize, optimizer: &impl Optimizer<T>) -> State {
    let mut params: Params<T> = Params::seeded(0);
    Linear::new(params.at(hidden), 3, width);
    params.at("norm").buffer("running_mean", Tensor::zeros([width]));
    params.at("norm").count("num_batches_tracked", 0);
    State::new("run", 0).with_child("params", params.state()).with_child("optimizer", optimizer.state())
}

fn texts(here: &State, there: &State) -> Vec<String> {
    differences(here, there).iter().map(ToString::to_string).collect()
}

#[test]
fn the_same_run_is_none_whatever_it_remembers() {
    let fresh = state::<f32>("hidden", 2, &Adam::new(0.1));
    let mut adam = Adam::new(0.5);
    Optimizer::<f32>::step(&mut adam, &mut [1.0; 8], &[1.0; 8]);
    let later = state::<f32>("hidden", 2, &adam);
    assert!(differences(&fresh, &later).is_empty(), "{}", differences(&fresh, &later));
    assert!(differences(&later, &fresh).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    write(&path, &later).unwrap();
    assert_eq!(read_like(&path, &fresh).unwrap(), later);
}

#[test]
fn what_is_different_is_named() {
    let here = state::<f32>("hidden", 2, &Adam::new(0.1));
    let other = |state: State| texts(&here, &state);
    assert_eq!(
        other(state::<f32>("hiden", 2, &Sgd::new(0.1))),
        [
            "`optimizer` is `sgd` in the file, `adam` here",
            "the file lacks `hidden.bias` (nearest `hiden.bias`, `hiden.weight`)",
            "the file lacks `hidden.weight` (nearest `hiden.weight`, `hiden.bias`)",
            "the file has `hiden.bias`, which is not here",
            "the file has `hiden.weight`, which is not here",
        ]
    );
    assert_eq!(
        other(state::<f32>("hidden", 4, &Adam::new(0.1))),
        [
            "`hidden.bias` has shape [4] in the file, [2] here",
            "`hidden.weight` has shape [4, 3] in the file, [2, 3] here",
            "`norm.running_mean` has shape [4] in the file, [2] here",
        ]
    );
    assert_eq!(
        other(state::<f64>("hidden", 2, &Adam::new(0.1))),
        ["`params` is of f64 in the file, f32 here"]
    );
    let stopping = here.clone().with_child("early_stopping", EarlyStopping::<f32>::new(3, 0.0).state());
    assert_eq!(other(stopping.clone()), ["the file has `early_stopping`, which is not here"]);
    assert_eq!(texts(&stopping, &here), ["the file lacks `early_stopping`"]);
    assert_eq!(other(State::new("model", 0)), ["`the state` is `model` in the file, `run` here"]);
    let moved = |len| {
        let mut adam = Adam::new(0.5);
        Optimizer::<f32>::step(&mut adam, &mut vec![1.0; len], &vec![1.0; len]);
        State::new("run", 0).with_child("optimizer", Optimizer::<f32>::state(&adam))
    };
    assert_eq!(texts(&moved(2), &moved(3)), ["`optimizer` has shape [3] in the file, [2] here"]);
}

/// A program's own values have other parts at other times.
#[test]
fn what_serde_has_made_is_not_compared() {
    #[derive(serde::Serialize)]
    struct Own {
        rows: Vec<String>,
        best: Option<Best>,
        mode: Mode,
    }
    #[derive(serde::Serialize)]
    struct Best {
        at: u64,
    }
    #[derive(serde::Serialize)]
    enum Mode {
        First(Vec<f32>),
        Second { x: Vec<f64> },
    }
    let with = |own: &Own| State::new("run", 0).with_child("history", State::of(own).unwrap());
    let early = with(&Own { rows: Vec::new(), best: None, mode: Mode::First(vec![1.0]) });
    let rows = vec!["a".to_owned(), "b".to_owned()];
    let late = with(&Own { rows, best: Some(Best { at: 3 }), mode: Mode::Second { x: vec![1.0] } });
    assert!(texts(&early, &late).is_empty() && texts(&late, &early).is_empty());
    let mode = |mode: &Mode| State::new("run", 0).with_child("mode", State::of(mode).unwrap());
    assert!(texts(&mode(&Mode::First(vec![1.0])), &mode(&Mode::Second { x: vec![1.0] })).is_empty());
}

#[test]
fn a_file_of_another_run_is_refused_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    write(&path, &state::<f32>("hidden", 4, &Sgd::new(0.1))).unwrap();
    let error = read_like(&path, &state::<f32>("hidden", 2, &Adam::new(0.1))).unwrap_err();
    let text = error.to_string();
    let CheckpointError::Other { differences, .. } = error else { panic!("{text}") };
    assert!(differences.iter().any(|difference| matches!(difference, Difference::Kind { .. })));
    assert!(text.contains("run.safetensors: of another run: `optimizer` is `sgd`"), "{text}");
}

#[test]
fn the_text_stays_short() {
    let wide = |offset: usize| {
        (0..100).fold(State::new("run", 0), |state, i| {
            state.with_child(&format!("{}{}", "part".repeat(50), i + offset), State::new("part", 0))
        })
    };
    let found = differences(&wide(0), &wide(50));
    assert_eq!(found.iter().count(), 100);
    let text = found.to_string();
    assert!(text.len() < 4000 && text.ends_with("; and 92 more"), "{text}");
}
