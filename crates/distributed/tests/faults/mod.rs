//! A training of which one rank goes wrong in the middle, by a panic, an error or a number.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use wengert_data::synthetic;
use wengert_distributed::{Communicator, DataParallel, Failure};
use wengert_nn::{BatchNorm1d, Layer, Linear, Losses, Params};
use wengert_optim::AdamW;
use wengert_tape::{LinearMap, Var};
use wengert_tensor::{Shape, Tensor};
use wengert_train::{Event, Moment, RunObserver, Trainer};

/// How ranks train together.
pub(crate) const WAYS: [&str; 6] =
    ["fast", "deterministic", "fast-buckets", "deterministic-buckets", "shared", "synchronised"];

/// What goes wrong, and what is said of it: in a loss, in the derivative of one, where sums of its buckets are under way, in an observer,
/// in the end of one, in the end of what the program has, or by a gradient that is not finite.
pub(crate) const FAULTS: [(&str, &str); 6] = [
    ("loss", "fault in the loss"),
    ("backward", "fault in the backward sweep"),
    ("observer", "fault in the observer"),
    ("observer-drop", "fault in the end of an observer"),
    ("drop", "fault in the end of the program"),
    ("nan", "the loss is NaN"),
];

/// The step at which it does.
const STEP: u64 = 3;

/// Panics when it is dropped, unless something does so already.
struct Falls(bool, &'static str);

impl Drop for Falls {
    fn drop(&mut self) {
        assert!(!self.0 || std::thread::panicking(), "fault in the end of {}", self.1);
    }
}

/// Panics in its derivative.
#[derive(Clone)]
struct FallsBackward;

impl LinearMap<f32> for FallsBackward {
    fn name(&self) -> &str {
        "falls_backward"
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.clone()
    }

    fn transpose(&self, _: &Var, _: &Shape) -> Var {
        panic!("fault in the backward sweep")
    }
}

/// Only the first rank has observers.
struct Observer {
    panics: bool,
    _falls: Falls,
}

impl RunObserver for Observer {
    fn on(&mut self, event: &Event<'_>, now: &Moment) -> ControlFlow<String> {
        let due = matches!(event, Event::Step(_)) && now.step == STEP;
        assert!(!self.panics || !due, "fault in the observer");
        ControlFlow::Continue(())
    }
}

/// Trains, with a fault of the given rank.
pub(crate) fn train(
    ranks: &Rc<dyn Communicator>,
    way: &str,
    fault: &str,
    victim: usize,
) -> Result<(), Failure> {
    let here = ranks.rank() == victim;
    let _falls = Falls(here && fault == "drop", "the program");
    let mut params: Params = Params::seeded(3);
    let (hidden, norm) = (Linear::new(params.at("hidden"), 784, 24), BatchNorm1d::new(params.at("norm"), 24));
    let out = Linear::new(params.at("out"), 24, 10);
    let fast = || DataParallel::new(ranks.clone());
    let deterministic = || DataParallel::deterministic(ranks.clone(), ranks.size() + 1);
    let workers = match way {
        "fast" => fast(),
        "deterministic" => deterministic()?,
        "fast-buckets" => fast().buckets(Some(3000)),
        "deterministic-buckets" => deterministic()?.buckets(Some(3000)),
        "shared" => fast().shared_state(),
        "synchronised" => fast().synchronised_statistics()?,
        _ => return Err(format!("there is no way {way}").into()),
    };
    let observer = Observer {
        panics: here && fault == "observer",
        _falls: Falls(here && fault == "observer-drop", "an observer"),
    };
    let calls = Cell::new(0);
    Trainer::new(&mut params, AdamW::new(3e-3)).batch_size(32).observe(observer).parallel(workers).fit(
        &synthetic::digits(96, 0),
        2,
        |cx, (images, labels)| {
            calls.set(calls.get() + 1);
            let due = here && calls.get() == STEP;
            assert!(!due || fault != "loss", "fault in the loss");
            let hidden = norm.forward(cx, &hidden.forward(cx, images));
            let hidden =
                if due && fault == "backward" { hidden.relu().linear(FallsBackward) } else { hidden.relu() };
            let loss = out.forward(cx, &hidden).cross_entropy(labels);
            if due && fault == "nan" { loss * f32::NAN } else { loss }
        },
    )?;
    Ok(())
}
