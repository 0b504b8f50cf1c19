//! Trajectories of first-order optimisers.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wengert::optim::first::*;
use wengert::optim::schedule::{AnySchedule, ReduceOnPlateau, Schedule, Threshold};
use wengert::tensor::Tensor;

use crate::wire::{self, Attrs};

fn built<R: Rule + DeserializeOwned + 'static>(case: &Attrs, layout: &Layout) -> Box<dyn Optimizer<f64>> {
    let config: R = serde_json::from_value(case.get("config").clone()).expect("hyper-parameters");
    Box::new(
        FirstOrder::<R, f64>::with_layout(case.number("rate"), config, layout).expect("sensible settings"),
    )
}

/// The rates that a schedule gives, by the number of the step and the loss seen then.
fn rates(case: &Attrs, steps: usize) -> Vec<f64> {
    if case.has("plateau") {
        let settings = Attrs(case.get("plateau"));
        let threshold = settings.number("threshold");
        let mut schedule = ReduceOnPlateau::new(case.number("rate"));
        schedule.goal = if settings.text("goal") == "max" { Goal::Max } else { Goal::Min };
        schedule.threshold = if settings.flag("relative") {
            Threshold::Relative(threshold)
        } else {
            Threshold::Absolute(threshold)
        };
        schedule.factor = settings.number("factor");
        schedule.smallest = settings.number("smallest");
        [schedule.patience, schedule.cooldown] =
            ["patience", "cooldown"].map(|name| settings.size(name) as u64);
        schedule.check().expect("sensible settings");
        let losses = case.floats("losses");
        // The rate of a step follows from the losses before it.
        let mut rates = vec![schedule.rate()];
        rates.extend(losses[..steps - 1].iter().map(|&loss| schedule.observe(loss)));
        return rates;
    }
    if !case.has("schedule") {
        return vec![case.number("rate"); steps];
    }
    let schedule: AnySchedule = serde_json::from_value(case.get("schedule").clone()).expect("a schedule");
    schedule.check().expect("sensible settings");
    (0..steps as u64).map(|step| schedule.at(step)).collect()
}

/// The parameters after each step, and the rates. The gradient at p in step t is gₜ + a∘p.
pub fn answer(case: &Value) -> Value {
    let case = Attrs(case);
    let shapes = case.get("shapes").as_array().expect("shapes").iter().enumerate();
    let layout = Layout::new(shapes.map(|(i, shape)| (format!("p{i}"), wire::sizes(shape))));
    let mut optimizer = match case.text("rule") {
        "sgd" => built::<SgdConfig>(&case, &layout),
        "adam" => built::<AdamConfig>(&case, &layout),
        "amsgrad" => built::<AmsgradConfig>(&case, &layout),
        "adamw" => built::<AdamWConfig>(&case, &layout),
        "rmsprop" => built::<RmspropConfig>(&case, &layout),
        "adagrad" => built::<AdagradConfig>(&case, &layout),
        "adadelta" => built::<AdadeltaConfig>(&case, &layout),
        "adamax" => built::<AdaMaxConfig>(&case, &layout),
        "nadam" => built::<NadamConfig>(&case, &layout),
        "radam" => built::<RAdamConfig>(&case, &layout),
        "rprop" => built::<RpropConfig>(&case, &layout),
        "adafactor" => built::<AdafactorConfig>(&case, &layout),
        other => panic!("there is no optimiser {other}"),
    };
    let (mut p, slope) = (wire::numbers(case.get("start")), wire::numbers(case.get("slope")));
    let gradients = case.get("gradients").as_array().expect("a list");
    let rates = rates(&case, gradients.len());
    let mut trajectory = Vec::new();
    for (gradient, &rate) in gradients.iter().zip(&rates) {
        optimizer.set_learning_rate(rate);
        let g: Vec<f64> =
            wire::numbers(gradient).iter().zip(&slope).zip(&p).map(|((g, a), p)| g + a * p).collect();
        optimizer.step(&mut p, &g);
        trajectory.extend_from_slice(&p);
    }
    json!({ "value": wire::text(&Tensor::vector(&trajectory)), "rates": wire::text(&Tensor::vector(&rates)) })
}
