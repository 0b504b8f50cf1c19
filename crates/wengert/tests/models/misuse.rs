//! Misuse panics with the function that was called, what was wrong, and the caller's line.

use wengert::prelude::*;

use crate::panics::says;

const NO_SCALAR: &str = "the loss has shape [2], not that of a scalar: take its mean or sum";

#[test]
fn steps_of_training() {
    for name in ["sgd", "sam"] {
        let mut params: Params = Params::seeded(0);
        let w = params.root().param("w", [2], Init::Ones);
        let mut optimizer = optimizer_by_name(name, None, &params.segments()).unwrap();
        says(&format!("train_step: {NO_SCALAR}"), || {
            let _ = params.train_step(&mut *optimizer, |cx| cx.param(w));
        });
        assert_eq!(params.values(), [1.0; 2], "{name}");
        // A loss that panics, for SAM at its second evaluation, where the parameters are not those that are trained.
        let mut optimizer = optimizer_by_name(name, None, &params.segments()).unwrap();
        let evaluations = std::cell::Cell::new(0);
        let last = optimizer.gradients_per_step();
        says("evaluation 1 of 1".replace('1', &last.to_string()).as_str(), || {
            let _ = params.train_step(&mut *optimizer, |cx| {
                evaluations.set(evaluations.get() + 1);
                assert!(evaluations.get() < last, "evaluation {} of {last}", evaluations.get());
                cx.param(w).square().sum()
            });
        });
        assert_eq!(params.values(), [1.0; 2], "{name}");
    }
    // What is evaluated elsewhere is put back as well.
    let mut params: Params = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    let mut optimizer = optimizer_by_name("schedule_free_adamw", None, &params.segments()).unwrap();
    for _ in 0..3 {
        params.train_step(&mut *optimizer, |cx| cx.param(w).square().sum()).unwrap();
    }
    let trained = params.values().to_vec();
    says("[2] elements", || {
        params.evaluated(&*optimizer, |params| {
            assert_ne!(params.values(), trained);
            panic!("[{}] elements", params.len())
        });
    });
    assert_eq!(params.values(), trained);
}

#[test]
fn accuracies() {
    let data = synthetic::digits(20, 0);
    let (mut params, mut other) = (Params::seeded(0), Params::<f32>::seeded(0));
    let narrow = Linear::new(params.at("narrow"), 10, 10);
    let few = Linear::new(params.at("few"), 784, 1);
    let foreign = Linear::new(other.at("narrow"), 784, 10);
    let text = "linear: the input has shape [20, 784], but `narrow.weight` maps 10 features to 10";
    says(text, || {
        accuracy(&narrow, &params, &data);
    });
    let text = "linear: the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(text, || {
        accuracy(&foreign, &params, &data);
    });
    let labels = data.all().1.to_vec();
    let at = labels.iter().position(|&label| label > 0).unwrap();
    let text =
        format!("accuracy: the label {} at position [{at}] is not one of 1 classes (0 to 0)", labels[at]);
    says(&text, || {
        accuracy(&few, &params, &data);
    });
}

#[test]
fn data() {
    let digits = synthetic::digits(3, 0);
    let batches = digits.batches(2);
    says("batches: the batch size must be at least 1", || drop(digits.batches(0)));
    says("sharded: there is no worker 2 of 2", || drop(batches.clone().sharded(2, 2)));
    says("bucketed: there must be at least 1 batch to sort", || drop(batches.clone().bucketed(0)));
    says("prefetch: there must be room for at least 1 batch", || drop(batches.clone().prefetch(0)));
    says("with_example_shape: an example of shape [784] cannot become [783]", || {
        drop(digits.clone().with_example_shape([783]));
    });
    says("digits: an empty data set was asked for", || drop(synthetic::digits(0, 0)));
}
