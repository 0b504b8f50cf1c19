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

fn optimizer(case: &Attrs, layout: &Layout) -> Box<dyn Optimizer<f64>> {
    match case.text("rule") {
        "sgd" => built::<SgdConfig>(case, layout),
        "adam" => built::<AdamConfig>(case, layout),
        "amsgrad" => built::<AmsgradConfig>(case, layout),
        "adamw" => built::<AdamWConfig>(case, layout),
        "rmsprop" => built::<RmspropConfig>(case, layout),
        "adagrad" => built::<AdagradConfig>(case, layout),
        "adadelta" => built::<AdadeltaConfig>(case, layout),
        "adamax" => built::<AdaMaxConfig>(case, layout),
        "nadam" => built::<NadamConfig>(case, layout),
        "radam" => built::<RAdamConfig>(case, layout),
        "rprop" => built::<RpropConfig>(case, layout),
        "adafactor" => built::<AdafactorConfig>(case, layout),
        other => panic!("there is no optimiser {other}"),
    }
}

/// The gradient at p in step t: gₜ + a∘p.
struct Path {
    start: Vec<f64>,
    slope: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    rates: Vec<f64>,
}

impl Path {
    /// The parameters after each step.
    fn walk(&self, mut step: impl FnMut(usize, &mut [f64], &[f64])) -> Vec<f64> {
        let (mut p, mut all) = (self.start.clone(), Vec::new());
        for (t, gradient) in self.gradients.iter().enumerate() {
            let g: Vec<f64> = gradient.iter().zip(&self.slope).zip(&p).map(|((g, a), p)| g + a * p).collect();
            step(t, &mut p, &g);
            all.extend_from_slice(&p);
        }
        all
    }

    /// What differs where an optimiser of the same settings goes on from the state half-way, and where several have a part each.
    fn fault(&self, direct: &[f64], new: &dyn Fn() -> Box<dyn Optimizer<f64>>) -> Option<&'static str> {
        let same = |path: Vec<f64>| {
            let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
            path.iter().zip(direct).all(|(a, b)| bits(*a) == bits(*b))
        };
        let mut optimizer = new();
        let resumed = self.walk(|t, p, g| {
            if t == self.rates.len() / 2 {
                let state = optimizer.state();
                optimizer = new();
                optimizer.load_state(&state).expect("a state of the same kind");
            }
            optimizer.set_learning_rate(self.rates[t]);
            optimizer.step(p, g);
        });
        if !same(resumed) {
            return Some("from the state half-way it goes elsewhere");
        }
        if !optimizer.is_elementwise() {
            return None;
        }
        let (n, middle) = (self.start.len(), self.start.len() / 2);
        let mut parts = [0..middle, middle..n].map(|range| {
            let mut part = new();
            part.restrict(range);
            part
        });
        let shared = self.walk(|t, p, g| {
            for part in &mut parts {
                part.set_learning_rate(self.rates[t]);
                part.step(p, g);
            }
        });
        (!same(shared)).then_some("in two parts it goes elsewhere")
    }
}

/// The parameters after each step, and the rates.
pub fn answer(case: &Value) -> Value {
    let case = Attrs(case);
    let shapes = case.get("shapes").as_array().expect("shapes").iter().enumerate();
    let layout = Layout::new(shapes.map(|(i, shape)| (format!("p{i}"), wire::sizes(shape))));
    let gradients: Vec<Vec<f64>> =
        case.get("gradients").as_array().expect("a list").iter().map(wire::numbers).collect();
    let rates = rates(&case, gradients.len());
    let path = Path {
        start: wire::numbers(case.get("start")),
        slope: wire::numbers(case.get("slope")),
        gradients,
        rates,
    };
    let new = || optimizer(&case, &layout);
    let mut optimizer = new();
    let trajectory = path.walk(|t, p, g| {
        optimizer.set_learning_rate(path.rates[t]);
        optimizer.step(p, g);
    });
    let fault = path.fault(&trajectory, &new);
    let text = |x: &[f64]| wire::text(&Tensor::vector(x));
    json!({ "value": text(&trajectory), "rates": text(&path.rates), "replay": fault })
}
